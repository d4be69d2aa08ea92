/** Appends and steps, each with a marker, and tells on stdout once the log promised them. `node append-child.ts DIR COUNT` */
import { writeSync } from 'node:fs';
import { openBus } from '../../services/platform/src/testing/log-child.ts';

const [directory = '', count = '0'] = process.argv.slice(2);
const AT_ONCE = 4;
const bus = openBus(directory);
let number = 0;

await bus.join({ group: 'durability', inputs: ['raw'], state: 'alert-state' }, async (assigned) => {
  const appending = Array.from({ length: AT_ONCE }, async () => {
    while (number < Number(count)) {
      number += 1;
      const marker = `marker-append-${number}-`;
      // Small records share a page, large ones get pages of their own.
      const value = Buffer.from(marker + 'x'.repeat(number % 3 === 0 ? 20_000 : 50));
      await bus.append([{ topic: 'raw', partition: 0, value }]);
      writeSync(1, `safe ${marker}\n`);
    }
  });
  const stepping = async () => {
    for (let step = 1; step <= Number(count) / AT_ONCE; step += 1) {
      const marker = `marker-step-${step}-`;
      await assigned.transact({ positions: [], state: [[`k${step}`, Buffer.from(marker)]] });
      writeSync(1, `safe ${marker}\n`);
    }
  };
  await Promise.all([...appending, stepping()]);
}).done;
await bus.close();
