import { env } from 'node:process';
import { decodeRawFrame, encodeRawFrame, LIMITS, type RawMeta, readLine } from '@eyrie/schemas';
import { FALCO_LINES } from '@eyrie/schemas/fixtures';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { admit } from './admit.ts';
import { cutBody } from './lines.ts';
import { groupSections } from './pack.ts';

const RUNS = 200 * Number(env['EYRIE_TEST_RUNS'] ?? 1);
const OPTIONS = { eventBytes: 4_000, listed: 10, handsOn: true };
const META = { tenant: 't1', cluster: 'c1', received_at: 1, origin: 'http' } as Omit<RawMeta, 'lines'>;

const event = JSON.parse(FALCO_LINES.alphabetical) as { readonly output_fields: object };
const withField = (value: unknown) =>
  JSON.stringify({ ...event, output_fields: { ...event.output_fields, extra: value } });
const line = fc.oneof(
  fc.constantFrom(...Object.values(FALCO_LINES).map((text) => text.trim())),
  fc.constantFrom('', '   ', 'not json', '{"rule":', '[]', 'x'.repeat(5_000), withField('y'.repeat(3_000))),
  fc.jsonValue().map(withField),
);

/** Every section of every frame with what was read of its lines, as `prepare` meets them. */
function frames(body: Buffer) {
  const cut = cutBody(body, 'lines', 10_000);
  if (!cut.ok) return [];
  const { sections } = admit(cut.lines, META, readLine, OPTIONS);
  return groupSections(sections).flatMap((group) => {
    const decoded = decodeRawFrame(encodeRawFrame(group));
    expect(decoded).toHaveLength(group.length);
    return decoded.map((section, number) => ({ ...section, readings: group[number]?.readings }));
  });
}

it('hands on for each line what reading its bytes gives, or nothing', () => {
  let handedOn = 0;
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const body = Buffer.from(`${lines.map((text) => text.replaceAll('\n', ' ')).join('\n')}\n\n`);
      for (const { meta, lines: stored, readings } of frames(body)) {
        expect(readings).toHaveLength(stored.length);
        for (const [index, bytes] of stored.entries()) {
          const reading = readings?.[index];
          if (reading === undefined) continue;
          expect(meta.oversize?.some((entry) => entry.index === index)).not.toBe(true);
          expect(reading).toEqual(readLine(bytes, meta));
          handedOn += 1;
        }
      }
    }),
    { numRuns: RUNS },
  );
  expect(handedOn).toBeGreaterThan(RUNS);
});

it('hands on nothing that takes far more memory than its line', () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, 1]));
  const lists = Array.from({ length: 200 }, () => []);
  const texts = [withField(lists), withField({ a: {} }), JSON.stringify({ ...event, output_fields: many })];
  for (const text of [...texts, withField(['a', 'b'])]) expect(text.length).toBeLessThan(OPTIONS.eventBytes);
  const [section] = frames(Buffer.from(`${[...texts, withField(['a', 'b'])].join('\n')}\n\n`));
  expect(section?.readings?.slice(0, 4).map((reading) => reading !== undefined)).toEqual([false, false, false, true]);
});

it('splits what does not fit one frame, readings with their lines', () => {
  const text = withField('z'.repeat(3_000));
  const count = Math.ceil((3 * LIMITS.frameBytes) / text.length);
  const found = frames(Buffer.from(`${`${text}\n`.repeat(count)}\n`));
  expect(found.length).toBeGreaterThan(2);
  expect(found.flatMap(({ readings }) => readings ?? []).filter((reading) => reading?.ok === true)).toHaveLength(count);
});
