import type { TopicName } from '@eyrie/schemas';
import { keys } from './keys.ts';
import type { Kv } from './kv.ts';

export interface Position {
  readonly next: number;
  readonly note?: string;
}

/** The groups of the log and their committed positions, kept in memory beside the engine. */
export class Positions {
  readonly #kv: Kv;
  /** group → `topic/partition` → position. */
  readonly #groups = new Map<string, Map<string, Position>>();
  #staged: { readonly group: string; readonly slot: string; readonly position: Position }[] = [];

  constructor(kv: Kv) {
    this.#kv = kv;
    const [from, to] = keys.groups();
    const names: string[] = [];
    kv.scan(from, to, (key) => {
      names.push(key.toString('utf8', 1));
      return true;
    });
    for (const name of names) this.#groups.set(name, this.#load(name));
  }

  get(group: string, topic: TopicName, partition: number): Position | undefined {
    return this.#groups.get(group)?.get(`${topic}/${partition}`);
  }

  list(): { group: string; topic: TopicName; partition: number; next: number }[] {
    return [...this.#groups].flatMap(([group, slots]) =>
      [...slots].map(([slot, { next }]) => {
        const at = slot.lastIndexOf('/');
        return { group, topic: slot.slice(0, at) as TopicName, partition: Number(slot.slice(at + 1)), next };
      }),
    );
  }

  /** The lowest position any registered group has in a partition: nothing from there on may be removed. */
  lowest(topic: TopicName, partition: number): number | undefined {
    let lowest: number | undefined;
    for (const slots of this.#groups.values()) {
      const next = slots.get(`${topic}/${partition}`)?.next;
      if (next !== undefined && (lowest === undefined || next < lowest)) lowest = next;
    }
    return lowest;
  }

  /** Inside a transaction. */
  put(group: string, topic: TopicName, partition: number, position: Position): void {
    if (!this.#groups.has(group)) this.#kv.put(keys.group(group), Buffer.from('1'));
    this.#kv.put(keys.position(group, topic, partition), encode(position));
    this.#staged.push({ group, slot: `${topic}/${partition}`, position });
  }

  /** Inside a transaction that does nothing else with the group. */
  remove(group: string): void {
    for (const { topic, partition } of this.list().filter((entry) => entry.group === group)) {
      this.#kv.remove(keys.position(group, topic, partition));
    }
    this.#kv.remove(keys.group(group));
  }

  forget(group: string): void {
    this.#groups.delete(group);
  }

  committed(): void {
    for (const { group, slot, position } of this.#staged) {
      const slots = this.#groups.get(group) ?? new Map<string, Position>();
      slots.set(slot, position);
      this.#groups.set(group, slots);
    }
    this.#staged = [];
  }

  aborted(): void {
    this.#staged = [];
  }

  #load(group: string): Map<string, Position> {
    const slots = new Map<string, Position>();
    const [from, to] = keys.positions(group);
    this.#kv.scan(from, to, (key, value) => {
      const topic = key.toString('utf8', from.length, key.length - 3);
      slots.set(`${topic}/${key.readUInt16BE(key.length - 2)}`, decode(value));
      return true;
    });
    return slots;
  }
}

/** Offset (float64), then the note's text; one byte tells an empty note from none. */
function encode({ next, note }: Position): Buffer {
  const head = Buffer.allocUnsafe(9);
  head.writeDoubleBE(next);
  head.writeUInt8(note === undefined ? 0 : 1, 8);
  return note === undefined ? head : Buffer.concat([head, Buffer.from(note)]);
}

function decode(bytes: Buffer): Position {
  const next = bytes.readDoubleBE(0);
  return bytes[8] === 0 ? { next } : { next, note: bytes.toString('utf8', 9) };
}
