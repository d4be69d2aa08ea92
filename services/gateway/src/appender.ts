import type { Bus, Output } from '@eyrie/platform/bus/bus';
import { encodeRawFrame, FrameWriter, type RawSection } from '@eyrie/schemas';
import { groupSections } from './core/pack.ts';
import { partitionFor } from './partition.ts';

export interface Appender {
  /** Resolves once the sections are durable. Posts that come together share records and a sync. */
  append(sections: readonly RawSection[]): Promise<void>;
}

interface Waiting {
  readonly sections: readonly RawSection[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The first post waits no longer than this for others, milliseconds. */
const GATHER_MS = 2;

export function createAppender(bus: Bus, onCommit: (seconds: number) => void, onBound: () => void): Appender {
  const writer = new FrameWriter('raw');
  let waiting: Waiting[] = [];
  let gatherUntil = 0;

  function encode(batch: readonly Waiting[]): Output[] {
    const byPartition = new Map<number, RawSection[]>();
    for (const { sections } of batch) {
      for (const section of sections) {
        // One cluster, one partition: an agent's file stays in order.
        const partition = partitionFor(`${section.meta.tenant}/${section.meta.cluster}`, bus.partitions('raw'));
        const list = byPartition.get(partition);
        if (list === undefined) byPartition.set(partition, [section]);
        else list.push(section);
      }
    }
    const outputs: Output[] = [];
    for (const [partition, sections] of byPartition) {
      for (const group of groupSections(sections)) {
        outputs.push({ topic: 'raw', partition, value: encodeRawFrame(group, writer) });
      }
    }
    return outputs;
  }

  /** A lone post goes at once. While every turn brings more, one sync for all of them is cheaper than one a turn. */
  function schedule(known: number): void {
    setImmediate(() => {
      const grows = waiting.length > 1 && waiting.length > known;
      if (!grows) void flush();
      else if (performance.now() < gatherUntil) schedule(waiting.length);
      else {
        onBound();
        void flush();
      }
    });
  }

  async function flush(): Promise<void> {
    const batch = waiting;
    waiting = [];
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
