/** The process that the zombie test stops and wakes: `node copy-child.ts PLACE`. */
import { writeSync } from 'node:fs';
import { copy } from './copy.ts';
import { openBus } from './kafka-child.ts';

const bus = await openBus(process.argv[2] ?? '');
await copy(bus, (count) => writeSync(1, `copied ${count}\n`)).done;
