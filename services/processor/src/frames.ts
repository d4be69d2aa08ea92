import type { Output } from '@eyrie/platform/bus/bus';
import { type FrameKind, FrameWriter, LIMITS } from '@eyrie/schemas';

/** The entry that fills a frame usually fits without a copy. */
const SLACK_BYTES = 16 * 1024;

interface OpenFrame<Entry> {
  readonly writer: FrameWriter;
  made: Entry[];
}

/** Collects entries into frames of one topic, one open frame a partition. Readers in this process get the entries as they were made. */
export class Frames<Entry> {
  readonly #kind: FrameKind;
  readonly #topic: 'events' | 'judged';
  readonly #open = new Map<number, OpenFrame<Entry>>();

  constructor(topic: 'events' | 'judged') {
    this.#kind = topic;
    this.#topic = topic;
  }

  /** Adds one entry, `lines` being what it is made into; gives the frame it filled, if it did. */
  add(partition: number, made: Entry, ...lines: readonly (string | Buffer)[]): Output | undefined {
    let frame = this.#open.get(partition);
    if (frame === undefined) {
      frame = { writer: new FrameWriter(this.#kind, LIMITS.frameBytes + SLACK_BYTES), made: [] };
      this.#open.set(partition, frame);
    }
    frame.writer.add(...lines);
    frame.made.push(made);
    return frame.writer.bytes < LIMITS.frameBytes ? undefined : this.#output(partition, frame);
  }

  /** What is left: frames are never split across steps, so each step ends with this. */
  finish(): Output[] {
    return [...this.#open]
      .filter(([, { writer }]) => writer.entries > 0)
      .map(([partition, frame]) => this.#output(partition, frame));
  }

  #output(partition: number, frame: OpenFrame<Entry>): Output {
    const { made } = frame;
    frame.made = [];
    return { topic: this.#topic, partition, value: frame.writer.finish(), made };
  }
}
