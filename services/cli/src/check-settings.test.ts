import { describe, expect, it } from 'vitest';
import { checkSettings } from './check-settings.ts';
import { readConfig, unknownSettings } from './config.ts';
import type { RoleName } from './role-names.ts';

const ON_KAFKA = { EYRIE_BUS: 'kafka', EYRIE_STORE: 'clickhouse' };
const WHOLE = {
  ...ON_KAFKA,
  EYRIE_KAFKA_BROKERS: 'kafka:9092',
  EYRIE_SIGNING_KEY: '5a'.repeat(32),
  EYRIE_CLICKHOUSE_URL: 'http://clickhouse:8123',
};

function check(env: Record<string, string>, ...roles: readonly RoleName[]): void {
  checkSettings(readConfig(env), new Set(roles), env);
}

describe('settings, before anything is opened', () => {
  it('are told all at once, each by its name, with what is no setting', () => {
    const env = {
      ...ON_KAFKA,
      EYRIE_INPUTS_FILE: '/nowhere',
      EYRIE_CONSOLE_TLS_KEY_FILE: 'k',
      EYRIE_KAFKA_BROKER: 'b:1',
    };
    expect(() => check(env, 'gateway', 'console')).toThrow(
      /EYRIE_KAFKA_BROKERS .*EYRIE_SIGNING_KEY .*EYRIE_CLICKHOUSE_URL .*EYRIE_INPUTS_FILE.*EYRIE_CONSOLE_TLS_CERT_FILE .*EYRIE_KAFKA_BROKER is no setting$/,
    );
  });

  it('of roles that do not run here are not asked', () => {
    const { EYRIE_CLICKHOUSE_URL: _, ...env } = { ...WHOLE, EYRIE_CONSOLE_TLS_KEY_FILE: 'k' };
    expect(() => check(env, 'gateway', 'processor', 'responder')).not.toThrow();
    expect(() => check(env, 'archiver')).toThrow(/EYRIE_CLICKHOUSE_URL/);
  });

  it('that nobody knows are found by name; secrets in files, settings of verbs and of tests are known', () => {
    const known = { ...WHOLE, EYRIE_API_TOKEN_FILE: '', EYRIE_DATA_DIR: '', EYRIE_TEST_KAFKA: '', PATH: '' };
    expect(unknownSettings(known)).toEqual([]);
    expect(unknownSettings({ ...known, EYRIE_BUSS: 'kafka', EYRIE_KAFKA_TLS_CAFILE: '' })).toEqual([
      'EYRIE_BUSS',
      'EYRIE_KAFKA_TLS_CAFILE',
    ]);
  });
});
