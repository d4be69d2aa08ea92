import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readInputs, refuseMissing } from './inputs-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'eyrie-inputs-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function read(text: string, prefix = 'eyrie.') {
  const file = join(directory, 'inputs.yaml');
  writeFileSync(file, text);
  return readInputs(file, prefix);
}

const GOOD = '{topic: falco, tenant: acme, cluster: prod}';

describe('EYRIE_INPUTS_FILE', () => {
  it('holds a list of topics with their owners', () => {
    expect(
      read(`[${GOOD}, {topic: logs.all, tenant: acme, cluster: "*", cluster_header: cluster, format: vector}]`),
    ).toEqual([
      { topic: 'falco', tenant: 'acme', cluster: 'prod', format: 'auto', start: 'earliest' },
      {
        topic: 'logs.all',
        tenant: 'acme',
        cluster: '*',
        cluster_header: 'cluster',
        format: 'vector',
        start: 'earliest',
      },
    ]);
  });

  it.each([
    ['no YAML', '[{', /is no YAML/],
    ['no list', 'topic: falco', /must be a list/],
    ['a missing key', '[{topic: falco, cluster: prod}]', /entry 1 \(topic falco\): tenant: must be 1 to 63/],
    ['a wrong name', `[${GOOD}, {topic: b, tenant: Acme!, cluster: prod}]`, /entry 2 \(topic b\): tenant: must be/],
    ['a wrong cluster', '[{topic: b, tenant: a, cluster: "**"}]', /entry 1 \(topic b\): cluster: .*"\*"/],
    ['a wrong format', '[{topic: b, tenant: a, cluster: c, format: avro}]', /format: must be one of auto, falco,/],
    ['a wrong start', '[{topic: b, tenant: a, cluster: c, start: now}]', /start: must be earliest or latest/],
    ['a key nobody knows', '[{topic: b, tenant: a, cluster: c, tennant: a}]', /entry 1 \(topic b\): .*tennant/],
    ['no topic', '[{tenant: a, cluster: c}]', /entry 1: topic: must be the name of a topic/],
    ['a field beside a fixed cluster', '[{topic: b, tenant: a, cluster: c, cluster_field: d}]', /cluster_field: needs/],
    [
      'a header beside a fixed cluster',
      '[{topic: b, tenant: a, cluster: c, cluster_header: d}]',
      /cluster_header: needs/,
    ],
    ['a topic twice', `[${GOOD}, ${GOOD}]`, /entry 2 \(topic falco\): topic: is named twice/],
    ['our own topic', '[{topic: eyrie.raw, tenant: a, cluster: c}]', /entry 1 \(topic eyrie.raw\): .*feed on itself/],
    ['a topic of Kafka', '[{topic: __consumer_offsets, tenant: a, cluster: c}]', /feed on itself/],
  ])('says which entry and key is wrong: %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'EYRIE_CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('tells all problems at once', () => {
    expect(() => read('[{topic: "", tenant: a, cluster: c}, {topic: b, tenant: A, cluster: c}]')).toThrow(
      /entry 1.*entry 2/,
    );
  });

  it('knows our own topics without a prefix', () => {
    expect(() => read('[{topic: raw, tenant: a, cluster: c}]', '')).toThrow(/feed on itself/);
    expect(read('[{topic: falco, tenant: a, cluster: c}]', '')).toHaveLength(1);
  });

  it('names a file that cannot be read, and topics that are missing', () => {
    expect(() => readInputs(join(directory, 'none'), 'eyrie.')).toThrow(/none: cannot be read/);
    expect(() => refuseMissing(read(`[${GOOD}]`), ['falco'])).toThrow(
      /entry 1 \(topic falco\): Kafka has no such topic/,
    );
    refuseMissing(read(`[${GOOD}]`), []);
  });
});
