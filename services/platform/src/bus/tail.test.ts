import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TopicName } from '@eyrie/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tail } from './tail.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const MAX = 100;
const record = (offset: number, bytes: number) => ({
  topic: 'events' as TopicName,
  partition: 0,
  offset,
  timestamp: 0,
  value: Buffer.alloc(bytes),
});

describe('tail', () => {
  it('lets go of what it no longer holds', async () => {
    const tail = new Tail(MAX);
    const values = Array.from({ length: 20 }, (_, offset) => {
      const kept = record(offset, 60);
      tail.push(kept);
      return new WeakRef(kept);
    });
    // A reference is kept alive until its turn ends.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(values.map((value) => value.deref() !== undefined)).toEqual(values.map((_, at) => at === 19));
    expect(tail.get(19)).toBeDefined();
  });

  it('holds the newest records up to its bytes, and knows how much lies behind an offset', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 300 }), (sizes) => {
        const tail = new Tail(MAX);
        sizes.forEach((bytes, offset) => {
          tail.push(record(offset, bytes));
        });
        const bytesFrom = (offset: number) => sizes.slice(offset).reduce((sum, bytes) => sum + bytes, 0);
        sizes.forEach((bytes, offset) => {
          const kept = tail.get(offset);
          if (bytesFrom(offset) > MAX) expect(kept).toBeUndefined();
          else expect(kept).toMatchObject({ offset, value: { length: bytes } });
          expect(tail.bytesFrom(offset)).toBe(kept === undefined ? bytesFrom(0) : bytesFrom(offset));
        });
        expect(tail.bytesFrom(sizes.length)).toBe(0);
      }),
    );
  });
});
