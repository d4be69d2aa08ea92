import type { TopicName } from '@eyrie/schemas';
import type { Cluster } from './internals.ts';
import type { Names } from './names.ts';

export interface Position {
  readonly next: number;
  readonly note?: string;
}

/** What stands beside a committed offset: a format version, then the note if there is one. */
const VERSION = '1';

export function encodeNote(note: string | undefined): string {
  return note === undefined ? VERSION : `${VERSION}:${note}`;
}

/** Undefined too for an offset that some other tool committed. */
export function decodeNote(metadata: string | null): string | undefined {
  return metadata?.startsWith(`${VERSION}:`) ? metadata.slice(VERSION.length + 1) : undefined;
}

/** Committed positions of a group; never asked before the fence, because offsets of an open step do not show. */
export async function readPositions(
  cluster: Cluster,
  names: Names,
  kafkaGroup: string,
  topics: readonly { readonly topic: TopicName; readonly partitions: readonly number[] }[],
): Promise<(Position & { readonly topic: TopicName; readonly partition: number })[]> {
  const asked = topics.map(({ topic, partitions }) => ({ topic: names.topic(topic), partitions }));
  return (await readOffsets(cluster, kafkaGroup, asked)).flatMap(({ topic: name, ...position }) => {
    const topic = names.topicOf(name);
    return topic === undefined ? [] : [{ topic, ...position }];
  });
}

/** The same by Kafka's names of topics. */
export async function readOffsets(
  cluster: Cluster,
  kafkaGroup: string,
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): Promise<(Position & { readonly topic: string; readonly partition: number })[]> {
  const coordinator = await cluster.findGroupCoordinator({ groupId: kafkaGroup });
  const { responses } = await coordinator.offsetFetch({
    groupId: kafkaGroup,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => ({ partition })),
    })),
  });
  return responses.flatMap(({ topic, partitions }) =>
    partitions
      .filter(({ offset }) => Number(offset) >= 0)
      .map(({ partition, offset, metadata }) => {
        const note = decodeNote(metadata);
        return { topic, partition, next: Number(offset), ...(note !== undefined && { note }) };
      }),
  );
}
