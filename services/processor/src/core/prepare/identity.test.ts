import type { Event, RawMeta } from '@eyrie/schemas';
import { FALCO_LINES } from '@eyrie/schemas/fixtures';
import { describe, expect, it } from 'vitest';
import { SOURCES } from '../../sources/index.ts';
import { falcoFiles } from '../../testing/falco-files.ts';
import { SHIPPERS } from '../../testing/shippers.ts';
import { rewriteAsSidekick } from '../../testing/sidekick.ts';
import { createMemos } from './memo.ts';
import { prepareLine } from './prepare-line.ts';

const tools = { sources: SOURCES, memos: createMemos() };
const meta = { tenant: 't1', cluster: 'c1', received_at: 1_800_000_000_000, origin: 'http', lines: 1 } as RawMeta;

function prepare(line: string | Buffer): Event | undefined {
  const position = { log: 'l', partition: 0, offset: 0, index: 0 };
  const prepared = prepareLine({ line: Buffer.from(line), meta, index: 0, position }, tools);
  return prepared.kind === 'event' ? prepared.event : undefined;
}

const base = FALCO_LINES.alphabetical;
const events = [...falcoFiles()]
  .flatMap(([, lines]) => lines.map(String))
  .filter((line) => prepare(line) !== undefined);
const direct = events.filter((line) => line.startsWith('{"') && line.endsWith('}') && !line.startsWith('{"log"'));

/** The event with one field replaced (JSON text). */
function withField(name: string, json: string, line: string = base): string {
  const event = JSON.parse(line) as { output_fields: Record<string, unknown> };
  const output_fields = { ...event.output_fields, [name]: '@@' };
  return JSON.stringify({ ...event, output_fields }).replace('"@@"', json);
}

describe('event identity', () => {
  // Stored ids must mean the same tomorrow: another spelling of the hashed text is a new version, never a change.
  it.each([
    ['alphabetical', '7b153e9ce67aaa045f4681a3a0290aac', '6d68c97990683bae8147ccd8229cdb79'],
    ['k8s_audit', '4fd1fe6f01ce63068a1023af6b066077', '8988a34ef50614057edf793b20ec97f2'],
    ['k8s_audit_before_plugins', '99b276e7216e2b1c1c5cb5cf0a431586', 'e583cacb5c5f287c0057649eba88926c'],
    ['plugin', '5b77837acc00c7107173db3c2c52f0fe', '345624321b4c19cdbd7534eda0675580'],
    ['before_0_30', 'a3a3fa3901c1709af1a7802a1d4faa99', '6d68c97990683bae8147ccd8229cdb79'],
  ] as const)('is what it always was: %s', (form, event_id, routing_key) => {
    expect(prepare(FALCO_LINES[form])).toMatchObject({ event_id, routing_key });
  });

  it('is the same for every form of one observation', () => {
    const forms = [
      'alphabetical',
      'output_fields_last',
      'iso8601_time',
      'null_metadata',
      'na_metadata',
      'k8smeta',
      'falcosidekick',
      'cri_prefix',
      'journald_prefix',
      'suffix',
      'docker_json_file',
    ] as const;
    const seen = new Set(
      forms.map((form) => prepare(FALCO_LINES[form])).map((event) => `${event?.event_id} ${event?.routing_key}`),
    );
    expect(seen.size).toBe(1);
  });

  it.each(Object.entries(SHIPPERS))('is the same through %s', (_shipper, ship) => {
    for (const line of direct) {
      const { raw_pos: _, ...shipped } = prepare(ship(line)) ?? {};
      const { raw_pos: __, ...original } = prepare(line) ?? {};
      expect(shipped).toEqual(original);
    }
    expect(direct.length).toBeGreaterThan(10);
  });

  it.each([
    ['another field', withField('proc.cmdline', '"sh -c whoami"')],
    ['a field more', withField('fd.name', '"/etc/shadow"')],
    ['another number', withField('user.uid', '1000')],
    ['another argument field', withField('proc.aname[2]', '"runc"')],
    ['another container', withField('container.id', '"aaaaaaaaaaaa"')],
    ['another nanosecond', base.replace('.123456789Z', '.123456788Z')],
    ['another host', base.replace('node-1', 'node-2')],
    ['another rule', base.replace('Terminal shell in container', 'Terminal shell')],
  ])('differs with %s', (_what, line) => {
    expect(prepare(line)?.event_id).not.toBe(prepare(base)?.event_id);
  });

  it('keeps a value from passing for two', () => {
    const one = withField('proc.cwd', JSON.stringify('a","proc.env","b'));
    const two = withField('proc.env', '"b"', withField('proc.cwd', '"a"'));
    expect(prepare(one)?.event_id).not.toBe(prepare(two)?.event_id);
  });

  it('takes numbers and their text, and lists in any order, for the same', () => {
    expect(prepare(withField('user.uid', '"0"'))?.event_id).toBe(prepare(base)?.event_id);
    const long = withField('proc.exe_ino.ctime', '1760000000123456789');
    expect(prepare(withField('proc.exe_ino.ctime', '"1760000000123456789"'))?.event_id).toBe(prepare(long)?.event_id);
    expect(prepare(withField('fd.types', '["a","b"]'))?.event_id).toBe(
      prepare(withField('fd.types', '["b","a"]'))?.event_id,
    );
  });

  it.each([
    ['ASCII', 'x'.repeat(5_000)],
    ['a character torn by the cut', `${'x'.repeat(506)}€${'y'.repeat(4_000)}`],
    ['a character of four bytes torn by the cut', `${'x'.repeat(505)}😀${'y'.repeat(4_000)}`],
    ['two bytes of three torn by the cut', `${'x'.repeat(505)}€${'y'.repeat(4_000)}`],
    ['three bytes of four torn by the cut', `${'x'.repeat(504)}😀${'y'.repeat(4_000)}`],
    ['a replacement character before the cut', `${'x'.repeat(504)}\ufffd${'y'.repeat(4_000)}`],
    ['513 bytes', 'x'.repeat(513)],
    ['512 bytes', 'x'.repeat(512)],
  ])('survives the cut of falcosidekick: %s', (_what, text) => {
    const line = withField(
      'proc.env',
      JSON.stringify('e'.repeat(4_000)),
      withField('proc.cmdline', JSON.stringify(text)),
    );
    const rewritten = rewriteAsSidekick(line, { uuid: '1' }) ?? '';
    expect(rewritten.includes('[...]')).toBe(true);
    const [one, other] = [prepare(line), prepare(rewritten)];
    expect([other?.event_id, other?.routing_key]).toEqual([one?.event_id, one?.routing_key]);
  });

  it('is the same direct, through falcosidekick and shuffled, for all data at hand', () => {
    expect(direct.length).toBeGreaterThan(10);
    for (const line of direct) {
      const original = prepare(line);
      const rewritten = rewriteAsSidekick(line, {
        uuid: 'c0ffee00-0000-4000-8000-000000000000',
        customFields: { environment: 'prod', 'team.name': 'shop', templated: '42' },
        customTags: ['', 'zone-a'],
        bracketReplacer: '_',
      });
      for (const copy of [rewritten, shuffled(line)]) {
        if (copy === undefined) continue;
        const prepared = prepare(copy);
        expect([prepared?.event_id, prepared?.routing_key, prepared?.time]).toEqual([
          original?.event_id,
          original?.routing_key,
          original?.time,
        ]);
      }
    }
  });

  it('keeps different observations apart, for all data at hand', () => {
    const bodies = new Set(direct.map((line) => JSON.stringify(JSON.parse(line))));
    const ids = new Set(direct.map((line) => prepare(line)?.event_id));
    // Among the written forms several lines are one observation.
    const written = Object.values(FALCO_LINES).filter((line) => direct.includes(line) && !line.startsWith('{"log"'));
    const forms = new Set(written.map((line) => prepare(line)?.event_id));
    expect(ids.size).toBe(bodies.size - written.length + forms.size);
  });
});

/** Keys of the event and of its fields backwards. */
function shuffled(line: string): string {
  const event = JSON.parse(line.replace(/:\s*(\d{16,})(?=[,}\s])/g, ':"@$1@"')) as Record<string, unknown>;
  const backwards = (object: object) => Object.fromEntries(Object.entries(object).reverse());
  const fields = event['output_fields'];
  const reversed =
    typeof fields === 'object' && fields !== null ? { ...event, output_fields: backwards(fields) } : event;
  return JSON.stringify(backwards(reversed)).replace(/"@(\d+)@"/g, '$1');
}
