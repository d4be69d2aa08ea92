import { env } from 'node:process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FALCO_LINES, HEALTH_LINES, REJECTED_LINES } from '../../fixtures/index.ts';
import type { LineContext } from './event.ts';
import { readLine } from './read-line.ts';
import { falcoEventSchema } from './schema.ts';

const RUNS = 300 * Number(env['EYRIE_TEST_RUNS'] ?? 1);
const http = { cluster: 'c1', origin: 'http' } as LineContext;
const file = { cluster: 'c1', origin: 'file' } as LineContext;

describe('readLine', () => {
  it.each(Object.entries({ ...FALCO_LINES, ...HEALTH_LINES }))('takes an event: %s', (_form, line) => {
    const reading = readLine(Buffer.from(line), http);
    expect(reading).toMatchObject({ ok: true, cluster: 'c1' });
    expect(readLine(line, file)).toEqual(reading);
  });

  it.each(Object.entries(REJECTED_LINES))('refuses with a code: %s', (code, line) => {
    expect(readLine(Buffer.from(line), http)).toMatchObject({ ok: false, outcome: 'rejected', code });
  });

  it('refuses bytes that are no UTF-8', () => {
    const line = Buffer.concat([Buffer.from('{"rule":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    expect(readLine(line, http)).toMatchObject({ ok: false, code: 'invalid_utf8' });
  });

  it.each([
    ['start-up text', '2026-04-05T12:42:50+0000: Falco version: 0.43.0 (aarch64)'],
    ['start-up text with braces', '2026-04-05T12:42:50+0000: config {"a": 1} loaded'],
    ['a text alert', '12:42:50.123456789: Warning Sensitive file opened (file=/etc/shadow)'],
  ])('counts %s as log text by any way', (_what, line) => {
    expect(readLine(line, http)).toMatchObject({ ok: false, outcome: 'filtered', code: 'log_text' });
    expect(readLine(line, file)).toMatchObject({ ok: false, outcome: 'filtered', code: 'log_text' });
  });

  it('takes other text for a log line in a file only', () => {
    expect(readLine('hello', file)).toMatchObject({ outcome: 'filtered', code: 'log_text' });
    expect(readLine('hello', http)).toMatchObject({ outcome: 'rejected', code: 'not_json' });
    expect(readLine(' \t', http)).toMatchObject({ outcome: 'filtered', code: 'blank' });
  });

  it.each([
    ['text', '{"@timestamp":1.5,"log":"GET /healthz 200","kubernetes":{"pod_name":"cart-1"}}'],
    ['text in brackets', '{"message":"[INFO] listening {port=80}"}'],
    ['a list', '{"message":"[1,2]"}'],
    ['an object', JSON.stringify({ message: '{"level":"info","message":"{} done","time":1}' })],
    ['an object, parsed', '{"log_processed":{"level":"info","msg":"done"}}'],
  ])('counts what another program logged as log text where a shipper brings it: %s', (_what, line) => {
    expect(readLine(line, http)).toMatchObject({ ok: false, outcome: 'filtered', code: 'log_text' });
  });

  it.each([
    ['the beginning of an event', JSON.stringify({ log: FALCO_LINES.alphabetical.slice(0, 300), _p: 'P' }), 'not_json'],
    ['an event without a rule', '{"message":"{\\"priority\\":\\"Debug\\",\\"output\\":\\"x\\"}"}', 'missing_rule'],
    ['an event under a name nobody knows', `{"message":{"falco":${FALCO_LINES.alphabetical}}}`, 'missing_rule'],
    ['an event without a rule but with a message', '{"priority":"Debug","message":"x"}', 'missing_rule'],
    ['an event in three envelopes', envelope(envelope(envelope(FALCO_LINES.alphabetical))), 'missing_rule'],
    ['two events', envelope(`${FALCO_LINES.alphabetical}${FALCO_LINES.alphabetical}`), 'trailing_text'],
    ['a deep event', envelope(REJECTED_LINES.too_deep), 'too_deep'],
    ['bytes that lost their meaning', '{"@timestamp":1.5,"stream":"stdout"}', 'missing_rule'],
  ])('refuses in an envelope: %s', (_what, line, code) => {
    expect(readLine(line, http)).toMatchObject({ ok: false, outcome: 'rejected', code });
  });

  it('takes the cluster of a token for all from the event, then from the envelope, then from the header', () => {
    const any = { cluster: '*', origin: 'topic', header_cluster: 'header', cluster_field: 'region' } as const;
    const line = FALCO_LINES.alphabetical;
    const named = (name: string) => line.replace('"container.id"', `"${name}":"own","container.id"`);
    const wrapped = (text: string, name: string) => JSON.stringify({ log: text, [name]: 'outer' });
    expect(readLine(wrapped(named('region'), 'region'), any)).toMatchObject({ cluster: 'own' });
    expect(readLine(wrapped(named('cluster'), 'region'), any)).toMatchObject({ cluster: 'own' });
    expect(readLine(wrapped(line, 'region'), any)).toMatchObject({ cluster: 'outer' });
    expect(readLine(wrapped(line, 'cluster_name'), any)).toMatchObject({ cluster: 'outer' });
    expect(readLine(wrapped(line, 'place'), any)).toMatchObject({ cluster: 'header' });
    expect(readLine(wrapped(line, 'region'), http)).toMatchObject({ cluster: 'c1', claimed_cluster: undefined });
  });

  it('never takes half an event for log text', () => {
    const half = FALCO_LINES.cri_prefix.replace('stdout F', 'stdout P').slice(0, 300);
    expect(readLine(half, file)).toMatchObject({ outcome: 'rejected', code: 'not_json' });
    expect(readLine(FALCO_LINES.alphabetical.slice(0, 300), file)).toMatchObject({ code: 'not_json' });
  });

  it('lets the last of two equal keys win and keys of prototypes be keys', () => {
    const line =
      '{"rule":"a","rule":"b","time":"2025-01-01T00:00:00Z","priority":"info","__proto__":{"hostname":"x"},"output_fields":{"__proto__":"y","constructor":1e999}}';
    const reading = readLine(line, http);
    expect(reading).toMatchObject({ ok: true, falco: { rule: 'b', priority: 'Informational' } });
    expect(reading.ok && reading.falco.hostname).toBe(undefined);
    expect(({} as Record<string, unknown>)['hostname']).toBe(undefined);
  });

  it('asks the event, then the header, for the cluster of a token for all', () => {
    const any = { cluster: '*', origin: 'http' } as const;
    const claiming = FALCO_LINES.alphabetical.replace('"container.id"', '"static.cluster":"west","container.id"');
    expect(readLine(claiming, any)).toMatchObject({ ok: true, cluster: 'west' });
    expect(readLine(claiming, http)).toMatchObject({ cluster: 'c1', claimed_cluster: 'west' });
    expect(readLine(FALCO_LINES.alphabetical, { ...any, header_cluster: 'east' })).toMatchObject({ cluster: 'east' });
    expect(readLine(FALCO_LINES.alphabetical, any)).toMatchObject({ ok: false, code: 'cluster_missing' });
    expect(readLine(claiming.replace('west', 'W/est'), any)).toMatchObject({ ok: false, code: 'cluster_invalid' });
  });

  it('says of any object what the schema says of it', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.constant(''),
      fc.array(fc.string(), { maxLength: 2 }),
    );
    const event = fc.record(
      {
        rule: fc.oneof(fc.constant('a rule'), value),
        time: fc.oneof(fc.constant('2025-01-01T00:00:00.5Z'), fc.constant('2025-13-01T00:00:00Z'), value),
        priority: fc.oneof(fc.constantFrom('Warning', 'critical', 'info', 'loud'), value),
        hostname: value,
        source: value,
        tags: fc.oneof(fc.array(fc.string(), { maxLength: 3 }), value),
        output_fields: fc.oneof(fc.dictionary(fc.string(), value, { maxKeys: 4 }), value),
        extra: fc.jsonValue({ maxDepth: 2 }),
      },
      { requiredKeys: [] },
    );
    let taken = 0;
    fc.assert(
      fc.property(event, (object) => {
        const reading = readLine(JSON.stringify(object), http);
        taken += reading.ok ? 1 : 0;
        expect(reading.ok).toBe(falcoEventSchema.safeParse(object).success);
      }),
      { numRuns: RUNS },
    );
    // The property must have seen both kinds.
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(RUNS);
  });

  it('never throws, whatever the bytes', () => {
    const lines = Object.values(FALCO_LINES);
    const mangled = fc
      .tuple(fc.constantFrom(...lines), fc.nat(), fc.uint8Array({ maxLength: 8 }))
      .map(([line, at, bytes]) => {
        const buffer = Buffer.from(line);
        const cut = at % buffer.length;
        return Buffer.concat([buffer.subarray(0, cut), Buffer.from(bytes), buffer.subarray(cut + (bytes[0] ?? 0))]);
      });
    fc.assert(
      fc.property(mangled, (line) => typeof readLine(line, http).ok === 'boolean'),
      { numRuns: RUNS },
    );
  });
});

function envelope(line: string): string {
  return JSON.stringify({ log: line });
}
