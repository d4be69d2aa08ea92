import type { TopicName } from '@eyrie/schemas';
import type { Bus, BusRecord } from './bus/bus.ts';
import type { Logger } from './log.ts';

const WAIT_MS = 1_000;

/** Stand-in for `bus/table.ts` until that lands. */
export function followTable(
  bus: Bus,
  topic: TopicName,
  { onRecord, log }: { onRecord: (key: string, value: Buffer | null, record: BusRecord) => void; log: Logger },
) {
  const stopping = new AbortController();
  const positions: number[] = [];
  const readies: Promise<void>[] = [];
  const loops: Promise<void>[] = [];
  for (let partition = 0; partition < bus.partitions(topic); partition += 1) {
    let resolve = () => {};
    readies.push(new Promise<void>((done) => (resolve = done)));
    loops.push(
      (async () => {
        const { start, end } = await bus.bounds(topic, partition);
        let next = start;
        for (;;) {
          positions[partition] = next;
          if (next >= end) resolve();
          if (stopping.signal.aborted) return;
          const records = await bus.read(topic, partition, next);
          for (const record of records) {
            onRecord(record.key ?? '', record.value.length === 0 ? null : record.value, record);
            next = record.offset + 1;
          }
          if (records.length === 0) {
            if (next < end) next = end;
            else await bus.waitFor(topic, partition, next, WAIT_MS, stopping.signal);
          }
        }
      })().catch((error: unknown) => log.error({ err: error, topic, partition }, 'table stopped')),
    );
  }
  return {
    ready: Promise.all(readies).then(() => undefined),
    position: (partition: number) => positions[partition] ?? 0,
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}
