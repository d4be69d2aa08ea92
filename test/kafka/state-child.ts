/** The process that is killed in the middle of changing state: `node state-child.ts PLACE`. */
import { randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openBus, STATE_GROUP } from './kafka-child.ts';

const KEYS = 200;

const bus = await openBus(process.argv[2] ?? '');
await bus.join(STATE_GROUP, async (assigned, signal) => {
  for (let step = 0; !signal.aborted; step += 1) {
    const state = Array.from({ length: 20 }, (_, i): readonly [string, Buffer | null] => [
      `key ${randomInt(KEYS)}`,
      randomInt(4) === 0 ? null : Buffer.from(`${step} ${i} ${'x'.repeat(randomInt(300))}`),
    ]);
    await assigned.transact({ positions: [], state });
    writeSync(1, `${assigned.partition}\n`);
  }
}).done;
