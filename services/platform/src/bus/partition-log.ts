import { TOPICS, type TopicName } from '@eyrie/schemas';
import type { BusRecord, Output } from './bus.ts';
import { keys, offsetOf } from './keys.ts';
import type { Kv } from './kv.ts';
import { decodeRecord, encodeRecord, recordBytes, type StoredRecord } from './record.ts';
import { Tail } from './tail.ts';

interface Bounds {
  start: number;
  end: number;
  /** Bytes of all records ever written, and of those before `start`. */
  written: number;
  removed: number;
}

/**
 * One partition of one log. `append` and the removals run inside a transaction and prepare new bounds; `committed`
 * makes them and the appended records visible, `aborted` forgets them. The last record is never removed, so that the
 * bounds can always be read from the records.
 */
export class PartitionLog {
  readonly topic: TopicName;
  readonly partition: number;
  readonly compacted: boolean;
  readonly #kv: Kv;
  readonly #tail: Tail;
  #seen: Bounds;
  #next: Bounds;
  #appended: BusRecord[] = [];

  constructor(kv: Kv, topic: TopicName, partition: number, tailBytes: number) {
    this.#kv = kv;
    this.topic = topic;
    this.partition = partition;
    this.compacted = TOPICS[topic].cleanup === 'compact';
    // A compacted topic forgets a record at once; a tail would still show it.
    this.#tail = new Tail(this.compacted ? 0 : tailBytes);
    this.#seen = this.#readBounds();
    this.#next = { ...this.#seen };
  }

  /** The first offset kept (0 where gaps are normal). */
  get start(): number {
    return this.#seen.start;
  }

  get end(): number {
    return this.#seen.end;
  }

  get bytes(): number {
    return this.#seen.written - this.#seen.removed;
  }

  append(timestamp: number, { key, value, made }: Pick<Output, 'key' | 'value' | 'made'>): number {
    const { topic, partition } = this;
    const offset = this.#next.end;
    if (this.compacted && key !== undefined) this.#supersede(key, offset);
    this.#kv.put(keys.record(topic, partition, offset), encodeRecord(timestamp, this.#next.written, key, value));
    this.#next.end = offset + 1;
    this.#next.written += recordBytes(key, value);
    const record = { topic, partition, offset, timestamp, value, made };
    this.#appended.push(key === undefined ? record : { ...record, key });
    return offset;
  }

  /** Removes the records of a `delete` topic before `offset`, but never the last one. */
  removeBefore(offset: number): void {
    const end = Math.min(offset, this.#next.end - 1);
    if (end <= this.#next.start) return;
    for (let at = this.#next.start; at < end; at += 1) this.#kv.remove(keys.record(this.topic, this.partition, at));
    this.#next.start = end;
    this.#next.removed = this.stored(end)?.before ?? this.#next.removed;
  }

  /** Removes a tombstone and its key's index entry, unless the key was written again or it is the last record. */
  removeTombstone(offset: number, key: string): void {
    const index = keys.index(this.topic, this.partition, key);
    if (offset >= this.#next.end - 1 || this.#kv.get(index)?.readDoubleBE(0) !== offset) return;
    this.#kv.remove(index);
    this.#remove(offset, recordBytes(key, Buffer.alloc(0)));
  }

  /** True when something was appended. */
  committed(): boolean {
    const grew = this.#appended.length > 0;
    this.#seen = { ...this.#next };
    if (!this.compacted) for (const record of this.#appended) this.#tail.push(record);
    this.#appended = [];
    return grew;
  }

  aborted(): void {
    this.#next = { ...this.#seen };
    this.#appended = [];
  }

  /** One record as stored, read through the engine. */
  stored(offset: number): StoredRecord | undefined {
    const bytes = this.#kv.get(keys.record(this.topic, this.partition, offset));
    return bytes === undefined ? undefined : decodeRecord(this.topic, this.partition, offset, bytes);
  }

  /** Bytes of committed records from an offset on, of those written since the log was opened. */
  unread(from: number): number {
    return from >= this.#seen.end ? 0 : this.#tail.bytesFrom(from);
  }

  /** Committed records from an offset, at most `maxBytes` (at least one record where there is one). */
  read(from: number, maxBytes: number): BusRecord[] {
    const records: BusRecord[] = [];
    let bytes = 0;
    const take = (record: BusRecord) => {
      if (records.length > 0 && bytes + record.value.length > maxBytes) return false;
      records.push(record);
      bytes += record.value.length;
      return bytes < maxBytes;
    };
    let offset = Math.max(from, this.#seen.start);
    for (;;) {
      if (offset >= this.#seen.end) return records;
      const kept = this.#tail.get(offset);
      if (kept === undefined) break;
      if (!take(kept)) return records;
      offset += 1;
    }
    const first = keys.record(this.topic, this.partition, offset);
    const end = keys.record(this.topic, this.partition, this.#seen.end);
    this.#kv.scan(first, end, (key, stored) =>
      take(decodeRecord(this.topic, this.partition, offsetOf(key), stored).record),
    );
    return records;
  }

  #supersede(key: string, offset: number): void {
    const index = keys.index(this.topic, this.partition, key);
    const before = this.#kv.get(index)?.readDoubleBE(0);
    const old = before === undefined ? undefined : this.stored(before);
    if (old !== undefined) this.#remove(old.record.offset, recordBytes(key, old.record.value));
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleBE(offset);
    this.#kv.put(index, bytes);
  }

  #remove(offset: number, bytes: number): void {
    this.#kv.remove(keys.record(this.topic, this.partition, offset));
    this.#next.removed += bytes;
  }

  #readBounds(): Bounds {
    const [from, to] = keys.records(this.topic, this.partition);
    const lastKey = this.#kv.last(from, to);
    if (lastKey === undefined) return { start: 0, end: 0, written: 0, removed: 0 };
    const last = this.stored(offsetOf(lastKey));
    const written = (last?.before ?? 0) + (last === undefined ? 0 : recordBytes(last.record.key, last.record.value));
    const bounds = { start: 0, end: offsetOf(lastKey) + 1, written, removed: 0 };
    let kept = 0;
    this.#kv.scan(from, to, (key, bytes) => {
      const { record, before } = decodeRecord(this.topic, this.partition, offsetOf(key), bytes);
      if (!this.compacted) {
        bounds.start = record.offset;
        bounds.removed = before;
        return false;
      }
      kept += recordBytes(record.key, record.value);
      return true;
    });
    if (this.compacted) bounds.removed = written - kept;
    return bounds;
  }
}
