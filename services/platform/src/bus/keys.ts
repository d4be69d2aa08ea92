import { createHash } from 'node:crypto';
import type { TopicName } from '@eyrie/schemas';

/**
 * How everything lies in one ordered map, so that a commit touches few pages and one transaction covers it all:
 *
 *     g <group>                           group: its inputs
 *     i <topic> 0 <partition> <key>       offset of the last record of a key (compacted topics)
 *     l <topic> 0 <partition> <offset>    record
 *     m <name>                            layout: format, partition counts
 *     p <group> 0 <topic> 0 <partition>   position and note
 *     s <topic> 0 <partition> <key>       state (changelog topics)
 */
const ZERO = Buffer.from([0]);
const AFTER_ZERO = Buffer.from([1]);

/** Beyond this the index holds a hash of the key instead. */
const LONG_KEY_BYTES = 1_024;

export const keys = {
  group: (group: string) => Buffer.from(`g${group}`),
  groups: () => [Buffer.from('g'), Buffer.from('h')] as const,
  layout: () => Buffer.from('mlayout'),
  /** Written when only the commit itself matters. */
  nudge: () => Buffer.from('mnudge'),
  position: (group: string, topic: TopicName, partition: number) =>
    Buffer.concat([Buffer.from(`p${group}\0${topic}\0`), u16(partition)]),
  positions: (group: string) => [Buffer.from(`p${group}\0`), Buffer.from(`p${group}\u0001`)] as const,
  record: recordKey,
  records: (topic: TopicName, partition: number) =>
    [recordKey(topic, partition, 0), recordKey(topic, partition, Number.MAX_SAFE_INTEGER)] as const,
  index: (topic: TopicName, partition: number, key: string) => {
    const bytes = Buffer.from(key);
    const short = bytes.length <= LONG_KEY_BYTES;
    return Buffer.concat([
      Buffer.from(`i${topic}\0`),
      u16(partition),
      short ? ZERO : AFTER_ZERO,
      short ? bytes : createHash('sha256').update(bytes).digest(),
    ]);
  },
  state: (topic: TopicName, partition: number, key: string) =>
    Buffer.concat([statePrefix(topic, partition), Buffer.from(key)]),
  /** Range of the state keys that start with `prefix`. */
  states: (topic: TopicName, partition: number, prefix: string) => {
    const from = Buffer.concat([statePrefix(topic, partition), Buffer.from(prefix)]);
    return [from, successor(from)] as const;
  },
  stateKey: (topic: TopicName, key: Buffer) => key.toString('utf8', topic.length + 4),
};

function recordKey(topic: TopicName, partition: number, offset: number): Buffer {
  const key = Buffer.allocUnsafe(topic.length + 12);
  let at = key.write('l', 0, 'latin1');
  at += key.write(topic, at, 'latin1');
  at = key.writeUInt8(0, at);
  at = key.writeUInt16BE(partition, at);
  at = key.writeUInt32BE(Math.floor(offset / 0x1_0000_0000), at);
  key.writeUInt32BE(offset >>> 0, at);
  return key;
}

/** The offset at the end of a record key. */
export function offsetOf(key: Buffer): number {
  return key.readUInt32BE(key.length - 8) * 0x1_0000_0000 + key.readUInt32BE(key.length - 4);
}

function statePrefix(topic: TopicName, partition: number): Buffer {
  return Buffer.concat([Buffer.from(`s${topic}\0`), u16(partition)]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** The smallest key above every key that starts with `prefix`. */
function successor(prefix: Buffer): Buffer {
  const next = Buffer.from(prefix);
  let last = next.length - 1;
  while (last > 0 && next[last] === 0xff) last -= 1;
  next.writeUInt8((next[last] ?? 0) + 1, last);
  return next.subarray(0, last + 1);
}
