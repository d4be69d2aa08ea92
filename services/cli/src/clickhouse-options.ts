import { readFileSync } from 'node:fs';
import { AppError } from '@eyrie/platform/errors';
import type { ClickhouseOptions } from '@eyrie/platform/store/server';
import type { Config } from './config.ts';

/** How to reach the server. @throws AppError EYRIE_CONFIG_INVALID with everything that is missing or does not fit */
export function clickhouseOptions(config: Config): Omit<ClickhouseOptions, 'log' | 'metrics'> {
  const problems: string[] = [];
  const url = config.EYRIE_CLICKHOUSE_URL;
  if (url === undefined) {
    problems.push('EYRIE_CLICKHOUSE_URL is missing: EYRIE_STORE=clickhouse needs http(s)://host:port');
  }
  const [cert, key] = [config.EYRIE_CLICKHOUSE_TLS_CERT_FILE, config.EYRIE_CLICKHOUSE_TLS_KEY_FILE];
  if (cert !== undefined && key === undefined)
    problems.push('EYRIE_CLICKHOUSE_TLS_KEY_FILE is missing beside the certificate');
  if (cert === undefined && key !== undefined)
    problems.push('EYRIE_CLICKHOUSE_TLS_CERT_FILE is missing beside the key');
  const user = config.EYRIE_CLICKHOUSE_ANALYST_USER;
  const password = config.EYRIE_CLICKHOUSE_ANALYST_PASSWORD;
  if (user === undefined && password !== '') {
    problems.push('EYRIE_CLICKHOUSE_ANALYST_USER is missing beside its password');
  }
  const tls = readPems(config, problems);
  if (Object.keys(tls).length > 0 && url?.startsWith('http:') === true) {
    problems.push('EYRIE_CLICKHOUSE_TLS_*: certificates need https:// in EYRIE_CLICKHOUSE_URL');
  }
  if (problems.length > 0 || url === undefined) throw new AppError('EYRIE_CONFIG_INVALID', problems.join('; '));
  return {
    url,
    user: config.EYRIE_CLICKHOUSE_USER,
    password: config.EYRIE_CLICKHOUSE_PASSWORD,
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(config.EYRIE_CLICKHOUSE_CLUSTER !== undefined && { cluster: config.EYRIE_CLICKHOUSE_CLUSTER }),
    ...(user !== undefined && { analyst: { user, password } }),
  };
}

function readPems(config: Config, problems: string[]): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  const found: { ca?: Buffer; cert?: Buffer; key?: Buffer } = {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    const setting = `EYRIE_CLICKHOUSE_TLS_${part.toUpperCase() as Uppercase<typeof part>}_FILE` as const;
    const path = config[setting];
    if (path === undefined) continue;
    try {
      found[part] = readFileSync(path);
    } catch {
      problems.push(`${setting}: cannot read ${path}`);
    }
  }
  return found;
}
