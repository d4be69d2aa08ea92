import type { Bus } from '@eyrie/platform/bus/bus';
import { type AlertFeed, type FedAlert, readAlert } from './alert-feed.ts';
import { encodePosition } from './core/stream-position.ts';
import { type Audience, isToldTo } from './core/told.ts';

/** The connection under a stream, as far as a client needs it. */
export interface Sink {
  write(text: string): void;
  /** Bytes accepted and not yet taken by the other side. */
  readonly pendingBytes: number;
}

/** More than this unread, and the client is cut; it comes back with its last id and loses nothing. */
const STREAM_PENDING_BYTES = 1024 * 1024;
const READ_BYTES = 256 * 1024;
/** Catching up waits this long for a slow reader before it looks again, milliseconds. */
const PAUSE_MS = 20;

interface Dependencies {
  readonly bus: Bus;
  readonly feed: AlertFeed;
  /** Reads and verifies an alert record. */
  readonly read: Parameters<typeof readAlert>[0];
  readonly describe: (fed: FedAlert) => string;
  readonly onSlow: () => void;
}

/**
 * One reader of the stream. It takes what it missed from the log and everything new from the shared feed; each partition
 * changes over at the very offset where the feed stands, so nothing is lost and nothing comes twice.
 */
export class StreamClient {
  readonly #deps: Dependencies;
  readonly #sink: Sink;
  readonly #audience: Audience;
  readonly #log: string;
  readonly #next: number[];
  readonly #live: boolean[];
  readonly #closed = new AbortController();

  constructor(deps: Dependencies, sink: Sink, audience: Audience, start: { log: string; next: readonly number[] }) {
    this.#deps = deps;
    this.#sink = sink;
    this.#audience = audience;
    this.#log = start.log;
    this.#next = [...start.next];
    this.#live = start.next.map((next, partition) => next >= deps.feed.next(partition));
  }

  /** Follows the feed and catches up; resolves when closed. */
  async run(): Promise<void> {
    const off = this.#deps.feed.onPosition((partition, offset, fed) => {
      if (this.#live[partition] === true) this.#take(partition, offset, fed);
    });
    try {
      await Promise.all(this.#live.map((live, partition) => (live ? undefined : this.#catchUp(partition))));
      if (!this.#closed.signal.aborted) {
        await new Promise((resolve) => this.#closed.signal.addEventListener('abort', resolve, { once: true }));
      }
    } finally {
      off();
    }
  }

  /** Keeps the connection alive and lets a client that saw no alert for long come back near the end. */
  heartbeat(): void {
    this.#write(`: heartbeat\nid: ${this.#id()}\n\n`);
  }

  close(): void {
    this.#closed.abort();
  }

  async #catchUp(partition: number): Promise<void> {
    const { bus, feed, read } = this.#deps;
    while (!this.#closed.signal.aborted) {
      const next = this.#next[partition] ?? 0;
      if (next >= feed.next(partition)) {
        this.#live[partition] = true;
        return;
      }
      if (this.#sink.pendingBytes > STREAM_PENDING_BYTES / 2) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        continue;
      }
      const records = await bus.read('alerts', partition, next, { maxBytes: READ_BYTES });
      for (const record of records) this.#take(partition, record.offset, readAlert(read, record));
      // Nothing below the feed's position is left to read (removed by retention).
      if (records.length === 0) this.#next[partition] = Math.max(next, feed.next(partition));
    }
  }

  #take(partition: number, offset: number, fed: FedAlert | undefined): void {
    if (offset < (this.#next[partition] ?? 0)) return;
    this.#next[partition] = offset + 1;
    if (fed?.tenant !== this.#audience.tenant || !isToldTo(fed.alert, this.#audience)) return;
    this.#write(`id: ${this.#id()}\nevent: alert\ndata: ${this.#deps.describe(fed)}\n\n`);
  }

  #id(): string {
    return encodePosition({ log: this.#log, next: this.#next });
  }

  #write(text: string): void {
    if (this.#closed.signal.aborted) return;
    this.#sink.write(text);
    if (this.#sink.pendingBytes > STREAM_PENDING_BYTES) this.#deps.onSlow();
  }
}
