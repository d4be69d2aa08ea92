import { keys } from './keys.ts';
import type { Kv } from './kv.ts';
import { type PartitionCounts, putLayout } from './layout.ts';
import type { StateLog } from './state-log.ts';

/** Entries moved at a time. */
const PORTION = 10_000;

/** Layout 1 kept each state entry under a key of its own: moves them into blocks, all or none. */
export function moveOldState(kv: Kv, states: readonly StateLog[], counts: PartitionCounts): void {
  kv.transact(() => {
    for (const state of states) while (movePortion(kv, state));
    putLayout(kv, counts);
  });
  for (const state of states) state.committed();
}

function movePortion(kv: Kv, state: StateLog): boolean {
  const found: [key: Buffer, value: Buffer][] = [];
  kv.scan(...keys.oldStates(state.topic, state.partition), (key, value) => {
    found.push([key, value]);
    return found.length < PORTION;
  });
  state.write(found.map(([key, value]) => [keys.oldStateKey(state.topic, key), value]));
  for (const [key] of found) kv.remove(key);
  return found.length === PORTION;
}
