import { openDataDirectory } from '@eyrie/platform/bus/data-directory';
import { openLog } from '@eyrie/platform/bus/log';
import { systemClock } from '@eyrie/platform/clock';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { openChdb } from '@eyrie/platform/store/chdb';
import type { Store } from '@eyrie/platform/store/store';
import { createArchiver } from './main.ts';

/**
 * For tests: archives a data directory to its end and exits, or dies on the way where a failpoint is armed.
 * `node crash-child.ts DIRECTORY BATCH_ROWS [forget]`; `forget` makes every token new, the bug these tests must find.
 */
const [directory = '', batchRows = '100', control] = process.argv.slice(2);
const log = createLogger({ name: 'test', level: 'error' });
const metrics = createMetrics();
const clock = systemClock;
const dataDir = openDataDirectory(directory);
const bus = openLog({ dataDir, log, metrics, clock });
const store = await openChdb({ dataDir: directory, log, metrics });
await store.migrate();
const forgetful: Store = {
  ...store,
  insert: (batch) => store.insert({ ...batch, token: `${batch.token}/${process.pid}` }),
};
const archiver = createArchiver(
  { bus, store: control === 'forget' ? forgetful : store, log, metrics, clock, onFailure: () => process.exit(1) },
  { batchRows: Number(batchRows), batchAgeMs: 20, pollBytes: 16 * 1024 },
);
await archiver.start();
await archiver.caughtUp();
await archiver.stop();
await store.close();
await bus.close();
dataDir.close();
