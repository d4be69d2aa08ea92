import type { TopicName } from '@eyrie/schemas';
import type { Bus, BusRecord } from '../../bus/bus.ts';

/** Everything a partition holds. */
export async function readAll(bus: Bus, topic: TopicName, partition: number): Promise<BusRecord[]> {
  const records: BusRecord[] = [];
  let { start } = await bus.bounds(topic, partition);
  for (;;) {
    const part = await bus.read(topic, partition, start);
    const last = part.at(-1);
    if (last === undefined) return records;
    records.push(...part);
    start = last.offset + 1;
  }
}
