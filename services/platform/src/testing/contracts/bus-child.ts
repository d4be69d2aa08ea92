/**
 * The process that the crash tests kill: `node bus-child.ts MODULE ARGUMENT`. It appends numbered events and copies
 * each into an alert with a step that counts, and tells on stdout, at once, what it was promised.
 */
import { writeSync } from 'node:fs';
import type { Bus, GroupSpec } from '../../bus/bus.ts';

export const CRASH_GROUP: GroupSpec = { group: 'crash', inputs: ['events'], state: 'alert-state' };
export const COUNT_KEY = 'count';

if (import.meta.main) await work();

async function work(): Promise<void> {
  const [module = '', argument = ''] = process.argv.slice(2);
  const { openBus } = (await import(module)) as { openBus: (argument: string) => Bus | Promise<Bus> };
  const bus = await openBus(argument);
  const membership = bus.join(CRASH_GROUP, async (assigned, signal) => {
    if (assigned.partition !== 0) return;
    let count = 0;
    for await (const [key, value] of assigned.restore()) if (key === COUNT_KEY) count = Number(value);
    while (!signal.aborted) {
      const records = await assigned.poll({ maxBytes: 2_000, maxWaitMs: 1_000 });
      const last = records.at(-1);
      if (last === undefined) continue;
      count += records.length;
      await assigned.transact({
        positions: [{ topic: 'events', next: last.offset + 1, note: String(count) }],
        state: [[COUNT_KEY, Buffer.from(String(count))]],
        outputs: records.map(({ value }) => ({ topic: 'alerts', partition: 0, key: String(value), value })),
      });
      writeSync(1, `counted ${count}\n`);
    }
  });
  membership.done.catch(() => process.exit(1));
  let number = Number(process.env['CRASH_FIRST'] ?? 0);
  for (;;) {
    await bus.append([{ topic: 'events', partition: 0, value: Buffer.from(String(number)) }]);
    number += 1;
    writeSync(1, `appended ${number}\n`);
  }
}
