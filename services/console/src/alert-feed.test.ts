import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAlertFeed } from './alert-feed.ts';
import { anAlert } from './test-support/alert.ts';
import { signer } from './test-support/harness.ts';

let temporary: TemporaryLog;
beforeEach(() => {
  temporary = temporaryLog({ partitions: { alerts: 2 } });
});
afterEach(() => temporary.remove());

it('what stood in the log reaches who listens from the turn it was made in, and ready means all of it', async () => {
  const { bus } = temporary;
  const value = (name: string) => signer.seal(anAlert(name));
  await bus.append([
    { topic: 'alerts', partition: 0, key: 'a', value: value('a') },
    { topic: 'alerts', partition: 1, key: 'b', value: value('b') },
    { topic: 'alerts', partition: 1, key: 'c', value: value('c') },
  ]);
  const log = createLogger({ name: 'test', level: 'silent' });
  const starts = [
    { from: 0, end: 1 },
    { from: 0, end: 2 },
  ];
  const feed = createAlertFeed({ bus, signer, log, metrics: createMetrics() }, starts);
  const seen: string[] = [];
  feed.onPosition((partition, offset, fed) => seen.push(`${partition}/${offset} ${fed?.id === undefined}`));
  await feed.ready;
  expect(seen.sort()).toEqual(['0/0 false', '1/0 false', '1/1 false']);
  await feed.stop();
});
