import type { Config } from './config.ts';

/** Rules and what they need beside them, as far as it is configured. */
export function rulePaths(config: Config): {
  readonly rulesDir?: string;
  readonly scriptsDir?: string;
  readonly connectionsFile?: string;
} {
  return {
    ...(config.EYRIE_RULES_DIR !== undefined && { rulesDir: config.EYRIE_RULES_DIR }),
    ...(config.EYRIE_SCRIPTS_DIR !== undefined && { scriptsDir: config.EYRIE_SCRIPTS_DIR }),
    ...(config.EYRIE_CONNECTIONS_FILE !== undefined && { connectionsFile: config.EYRIE_CONNECTIONS_FILE }),
  };
}
