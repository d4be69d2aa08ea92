import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { type Config, readConfig } from '../config.ts';
import { ensureFirstTokens } from '../first-tokens.ts';
import { type Pipeline, startPipeline } from '../pipeline.ts';
import { printJson, printLine } from '../print.ts';
import { writePrivateFile } from '../ready.ts';
import type { RoleName } from '../role-names.ts';
import { needsStore } from '../roles.ts';
import { signalled } from '../signalled.ts';

interface RoleOptions {
  readonly dataDir: string;
  readonly json?: boolean;
}

/** One role in this process until SIGTERM or SIGINT; the others are processes of their own on the same Kafka. */
export async function role(name: RoleName, { dataDir, json }: RoleOptions): Promise<void> {
  const config = readConfig(process.env);
  refuseEmbedded(name, config);
  const signal = signalled();
  const pipeline = await startPipeline({ dataDir, config, roles: new Set([name]), health: true });
  const ready = join(dataDir, 'ready.json');
  try {
    const addresses = addressesOf(pipeline);
    // Documents have one author: tokens of the first start are made where the API is.
    const tokens = name === 'console' ? await ensureFirstTokens(pipeline.documents, dataDir, config) : {};
    writePrivateFile(ready, `${JSON.stringify({ ...addresses, ...tokens })}\n`);
    if (json === true) printJson(addresses);
    else for (const [part, address] of Object.entries(addresses)) printLine(`${part.padEnd(8)} ${address}`);
    await Promise.race([signal, pipeline.failed]);
  } finally {
    rmSync(ready, { force: true });
    await pipeline.stop();
  }
}

function addressesOf({ gatewayAddress, consoleAddress, healthAddress }: Pipeline): Readonly<Record<string, string>> {
  const all = { gateway: gatewayAddress, console: consoleAddress, health: healthAddress };
  return Object.fromEntries(Object.entries(all).filter(([, address]) => address !== ''));
}

/** What lives in one process's directory cannot be shared. @throws AppError EYRIE_CONFIG_INVALID */
function refuseEmbedded(name: RoleName, config: Config): void {
  const wrong: string[] = [];
  if (config.EYRIE_BUS === 'embedded') wrong.push('EYRIE_BUS=kafka');
  if (needsStore(new Set([name])) && config.EYRIE_STORE === 'chdb') wrong.push('EYRIE_STORE=clickhouse');
  if (wrong.length === 0) return;
  throw new AppError(
    'EYRIE_CONFIG_INVALID',
    `\`eyrie ${name}\` needs ${wrong.join(' and ')}: roles in processes of their own share a log and tables; \`eyrie up\` runs all in one`,
  );
}
