import type { Bus } from '../bus/bus.ts';
import { openDataDirectory } from '../bus/data-directory.ts';
import { openLog } from '../bus/log.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';

/** Opens the embedded log of a directory in a process of its own; `EYRIE_BUS_SYNC=off` is the negative control. */
export function openBus(path: string): Bus {
  return openLog({
    dataDir: openDataDirectory(path),
    sync: process.env['EYRIE_BUS_SYNC'] !== 'off',
    log: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
    clock: systemClock,
  });
}
