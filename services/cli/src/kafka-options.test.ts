import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { kafkaOptions, principalsOf } from './kafka-options.ts';

const BROKERS = { EYRIE_KAFKA_BROKERS: 'one:9092,two:9092' };
const SASL = {
  EYRIE_KAFKA_SASL_MECHANISM: 'scram-sha-512',
  EYRIE_KAFKA_SASL_USERNAME: 'eyrie',
  EYRIE_KAFKA_SASL_PASSWORD: 'word-4711',
};

const optionsOf = (env: Readonly<Record<string, string>>) => kafkaOptions(readConfig({ ...BROKERS, ...env }));

describe('how to reach Kafka', () => {
  test('whole settings pass through', () => {
    expect(optionsOf({})).toMatchObject({ brokers: ['one:9092', 'two:9092'], prefix: 'eyrie.' });
    expect(optionsOf({})).not.toHaveProperty('tls');
    expect(optionsOf({ ...SASL, EYRIE_KAFKA_TLS: 'true', EYRIE_KAFKA_COMPRESSION: 'zstd' })).toMatchObject({
      tls: {},
      sasl: { mechanism: 'scram-sha-512', username: 'eyrie', password: 'word-4711' },
      compression: 'zstd',
    });
    const files = { EYRIE_KAFKA_TLS_CERT_FILE: 'c', EYRIE_KAFKA_TLS_KEY_FILE: 'k', EYRIE_KAFKA_TLS_CA_FILE: 'a' };
    expect(optionsOf({ ...files, EYRIE_KAFKA_TLS: '1' }).tls).toEqual({ caFile: 'a', certFile: 'c', keyFile: 'k' });
  });

  test.for([
    ['a password alone', { EYRIE_KAFKA_SASL_PASSWORD: 'word-4711' }, /MECHANISM and EYRIE_KAFKA_SASL_USERNAME missing/],
    ['a mechanism alone', { EYRIE_KAFKA_SASL_MECHANISM: 'plain' }, /USERNAME and EYRIE_KAFKA_SASL_PASSWORD missing/],
    ['a mechanism nobody knows', { ...SASL, EYRIE_KAFKA_SASL_MECHANISM: 'gssapi' }, /EYRIE_KAFKA_SASL_MECHANISM/],
    ['plain without TLS', { ...SASL, EYRIE_KAFKA_SASL_MECHANISM: 'plain' }, /set EYRIE_KAFKA_TLS/],
    [
      'a certificate without its key',
      { EYRIE_KAFKA_TLS: '1', EYRIE_KAFKA_TLS_CERT_FILE: 'c' },
      /TLS_KEY_FILE is missing/,
    ],
    [
      'a key without its certificate',
      { EYRIE_KAFKA_TLS: '1', EYRIE_KAFKA_TLS_KEY_FILE: 'k' },
      /TLS_CERT_FILE is missing/,
    ],
    ['an authority without TLS', { EYRIE_KAFKA_TLS_CA_FILE: 'a' }, /EYRIE_KAFKA_TLS must be true/],
    ['no broker', { EYRIE_KAFKA_BROKERS: '' }, /EYRIE_KAFKA_BROKERS is missing/],
  ] as const)('%s is refused', ([, env, message]) => {
    expect(() => optionsOf(env)).toThrow(message);
    expect(() => optionsOf(env)).toThrow(expect.objectContaining({ code: 'EYRIE_CONFIG_INVALID' }));
    expect(() => optionsOf(env)).not.toThrow(/word-4711/);
  });
});

describe('who the roles are to Kafka', () => {
  const of = (text?: string) => principalsOf(readConfig(text === undefined ? {} : { EYRIE_KAFKA_PRINCIPALS: text }));

  test('by name, one for all, or as given, commas in a name and all', () => {
    expect(of()).toMatchObject({ gateway: 'User:eyrie-gateway', console: 'User:eyrie-console' });
    expect(of('all=User:eyrie')).toMatchObject({ gateway: 'User:eyrie', responder: 'User:eyrie' });
    expect(of('gateway=User:CN=gw,O=example,console=User:c,all=User:rest')).toEqual({
      gateway: 'User:CN=gw,O=example',
      console: 'User:c',
      processor: 'User:rest',
      archiver: 'User:rest',
      responder: 'User:rest',
    });
  });

  test.for(['gatway=User:x', 'gateway', 'gateway=x', 'gateway='])('%s is refused', (text) => {
    expect(() => of(text)).toThrow(/EYRIE_KAFKA_PRINCIPALS/);
  });
});
