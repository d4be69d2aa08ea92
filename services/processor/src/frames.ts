import type { Output } from '@eyrie/platform/bus/bus';
import { type FrameKind, FrameWriter, LIMITS } from '@eyrie/schemas';

/** The entry that fills a frame usually fits without a copy. */
const SLACK_BYTES = 16 * 1024;

/** Collects entries into frames of one topic, one open frame a partition. */
export class Frames {
  readonly #kind: FrameKind;
  readonly #topic: 'events' | 'judged';
  readonly #writers = new Map<number, FrameWriter>();

  constructor(topic: 'events' | 'judged') {
    this.#kind = topic;
    this.#topic = topic;
  }

  /** Adds one entry; gives the frame it filled, if it did. */
  add(partition: number, ...lines: readonly (string | Buffer)[]): Output | undefined {
    let writer = this.#writers.get(partition);
    if (writer === undefined) {
      writer = new FrameWriter(this.#kind, LIMITS.frameBytes + SLACK_BYTES);
      this.#writers.set(partition, writer);
    }
    writer.add(...lines);
    return writer.bytes < LIMITS.frameBytes ? undefined : this.#output(partition, writer);
  }

  /** What is left: frames are never split across steps, so each step ends with this. */
  finish(): Output[] {
    return [...this.#writers]
      .filter(([, writer]) => writer.entries > 0)
      .map(([partition, writer]) => this.#output(partition, writer));
  }

  #output(partition: number, writer: FrameWriter): Output {
    return { topic: this.#topic, partition, value: writer.finish() };
  }
}
