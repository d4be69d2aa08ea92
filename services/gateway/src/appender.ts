import type { Bus, Output } from '@eyrie/platform/bus/bus';
import { encodeRawFrame, FrameWriter, type RawSection } from '@eyrie/schemas';
import { groupSections } from './core/pack.ts';
import { partitionFor } from './partition.ts';

export interface Appender {
  /** Resolves once the sections are durable. Posts that come together share records and a sync. */
  append(sections: readonly RawSection[]): Promise<void>;
  /** Before a post of so many bytes is read: a large one waits a moment while the pipeline is behind. */
  waitForReaders(owner: Owner, bytes: number): Promise<void>;
}

type Owner = Pick<RawSection['meta'], 'tenant' | 'cluster'>;

interface Waiting {
  readonly sections: readonly RawSection[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Who posts this much at once keeps a queue of his own and can wait a little while the pipeline is behind: what waits
 * here need not be read from disk later. A sensor that posts event by event never waits.
 */
const BULK_BYTES = 64 * 1024;
const APPEND_BYTES = 2 * 1024 * 1024;
/** The first post waits no longer than this for others, milliseconds. */
const GATHER_MS = 2;

export function createAppender(bus: Bus, onCommit: (seconds: number) => void, onBound: () => void): Appender {
  const writer = new FrameWriter('raw');
  const waiting: Waiting[] = [];
  let gatherUntil = 0;

  /** One cluster, one partition: an agent's file stays in order. */
  function partition({ tenant, cluster }: Owner): number {
    return partitionFor(`${tenant}/${cluster}`, bus.partitions('raw'));
  }

  function encode(batch: readonly Waiting[]): Output[] {
    const byPartition = new Map<number, RawSection[]>();
    for (const { sections } of batch) {
      for (const section of sections) {
        const number = partition(section.meta);
        const list = byPartition.get(number);
        if (list === undefined) byPartition.set(number, [section]);
        else list.push(section);
      }
    }
    const outputs: Output[] = [];
    for (const [number, sections] of byPartition) {
      for (const group of groupSections(sections)) {
        const made = group.map(({ readings }) => readings);
        outputs.push({ topic: 'raw', partition: number, value: encodeRawFrame(group, writer), made });
      }
    }
    return outputs;
  }

  /** A lone post goes at once. While every turn brings more, one sync for all of them is cheaper than one a turn. */
  function schedule(known: number): void {
    setImmediate(() => {
      const grows = waiting.length > 1 && waiting.length > known;
      if (!grows) flush();
      else if (performance.now() < gatherUntil) schedule(waiting.length);
      else {
        onBound();
        flush();
      }
    });
  }

  /** What goes together: all that waits, but large posts in parts, so that no commit holds up the loop for long. */
  function take(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < waiting.length && (count === 0 || bytes < APPEND_BYTES)) bytes += bytesOf(waiting[count++]);
    return waiting.splice(0, count);
  }

  function flush(): void {
    while (waiting.length > 0) void write(take());
  }

  async function write(batch: readonly Waiting[]): Promise<void> {
    const start = performance.now();
    try {
      await bus.append(encode(batch));
      onCommit((performance.now() - start) / 1000);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return {
    waitForReaders: async (meta, bytes) => {
      if (bytes >= BULK_BYTES) await bus.waitForReaders('raw', partition(meta));
    },
    append: (sections) => {
      if (sections.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiting.push({ sections, resolve, reject });
        if (waiting.length > 1) return;
        gatherUntil = performance.now() + GATHER_MS;
        schedule(0);
      });
    },
  };
}

function bytesOf(post: Waiting | undefined): number {
  return (post?.sections ?? []).reduce((sum, { block }) => sum + block.length, 0);
}
