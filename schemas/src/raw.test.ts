import { expect, it } from 'vitest';
import { FrameError, FrameWriter } from './frame.ts';
import { decodeRawFrame, encodeRawFrame, type RawMeta } from './raw.ts';

const META = { tenant: 'acme', cluster: 'eu', received_at: 1, origin: 'http', lines: 2 } as RawMeta;
const BLOCK = Buffer.from('{"a":1}\n{"b":2}\n');

function frame(meta: unknown): Buffer {
  const writer = new FrameWriter('raw');
  writer.add(JSON.stringify(meta));
  writer.addBlock(BLOCK, 0);
  return writer.finish();
}

it('sections come back as they were written, with all that a gateway says', () => {
  const full: RawMeta = {
    ...META,
    cluster: '*',
    header_cluster: 'EU 1',
    cluster_field: 'x.y',
    origin: 'topic',
    over_quota: true,
    oversize: [{ index: 1, bytes: 9, sha256: 'ab' }],
    record: { topic: 'falco', partition: 0, first: 3, last: 4 },
    cursor: { agent: 'a', file: 'f', start: 0, end: 9 },
  };
  for (const meta of [META, full]) {
    const [section] = decodeRawFrame(encodeRawFrame([{ meta, block: BLOCK }]));
    expect(section?.meta).toEqual(meta);
    expect(section?.lines.map(String)).toEqual(['{"a":1}', '{"b":2}']);
  }
});

const NO_META: readonly unknown[][] = [
  [null],
  [[]],
  ['x'],
  [{}],
  ...Object.keys(META).map((key) => [{ ...META, [key]: undefined }]),
  ...[-1, 1.5, '2', null, 3, 1e9, Number.MAX_SAFE_INTEGER].map((lines) => [{ ...META, lines }]),
  ...['', 'A b', '../x', '*', 7, null].map((tenant) => [{ ...META, tenant }]),
  [{ ...META, cluster: 'a/b' }],
  [{ ...META, origin: 'elsewhere' }],
  [{ ...META, received_at: '1' }],
  [{ ...META, oversize: {} }],
  [{ ...META, oversize: [null] }],
  [{ ...META, record: 1 }],
  [{ ...META, cursor: { agent: 1 } }],
  [{ ...META, header_cluster: {} }],
];

it.each(NO_META)('meta data %j is refused as unreadable, whoever wrote it', (...args: unknown[]) => {
  const [meta] = args;
  expect(() => decodeRawFrame(frame(meta))).toThrow(FrameError);
});
