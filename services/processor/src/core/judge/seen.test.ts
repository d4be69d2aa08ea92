import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_IDS, SeenIds } from './seen.ts';

const idOf = (n: number) => createHash('sha256').update(String(n)).digest('hex').slice(0, 32);
const IDS = Array.from({ length: 8_000 }, (_, n) => idOf(n));

function restored(changes: Map<number, Buffer>): SeenIds {
  const seen = new SeenIds();
  seen.restore([...changes].sort(([a], [b]) => a - b));
  return seen;
}

describe('the redelivery memory', () => {
  it('holds what a list holds: whole blocks leave, by count, age and cap, across restarts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.nat({ max: 400 }), fc.boolean()), { maxLength: 9 }),
        (batches) => {
          const limits = { seenMin: 700, seenMs: 1_000, seenMax: 2_500 };
          let seen = new SeenIds();
          const changelog = new Map<number, Buffer>();
          let blocks: { ids: string[]; at: number }[] = [];
          let next = 0;
          let now = 0;
          for (const [count, ms, restarts] of batches) {
            now += ms;
            for (let i = 0; i < count; i += 1) {
              const id = IDS[next] ?? '';
              next += 1;
              seen.add(id, now, limits);
              const last = blocks.at(-1);
              if (last === undefined || last.ids.length === BLOCK_IDS) blocks.push({ ids: [id], at: now });
              else {
                last.ids.push(id);
                last.at = now;
              }
              const size = () => blocks.reduce((sum, block) => sum + block.ids.length, 0);
              for (
                let oldest = blocks[0];
                oldest !== undefined && size() - BLOCK_IDS >= limits.seenMin;
                oldest = blocks[0]
              ) {
                if (oldest.at >= now - limits.seenMs && size() <= limits.seenMax) break;
                blocks = blocks.slice(1);
              }
            }
            for (const [block, value] of seen.takeChanges()) {
              if (value === null) changelog.delete(block);
              else changelog.set(block, value);
            }
            if (restarts) seen = restored(changelog);
            const held = new Set(blocks.flatMap(({ ids }) => ids));
            expect(seen.size).toBe(held.size);
            expect(IDS.filter((id) => seen.has(id) !== held.has(id))).toEqual([]);
            expect(seen.spanMs).toBe((blocks.at(-1)?.at ?? 0) - (blocks[0]?.at ?? 0));
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('writes only the blocks that changed', () => {
    const seen = new SeenIds();
    const limits = { seenMin: 100_000, seenMs: 0, seenMax: 200_000 };
    for (const id of IDS.slice(0, 2_000)) seen.add(id, 1, limits);
    expect(seen.takeChanges().map(([block]) => block)).toEqual([0, 1, 2, 3]);
    seen.add(IDS[2_000] ?? '', 1, limits);
    expect(seen.takeChanges().map(([block]) => block)).toEqual([3]);
    expect(seen.takeChanges()).toEqual([]);
  });
});
