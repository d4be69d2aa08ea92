import { createHash } from 'node:crypto';
import type { TopicName } from '@eyrie/schemas';

/**
 * How everything lies in one ordered map, so that a commit touches few pages and one transaction covers it all:
 *
 *     b <topic> 0 <partition> <sequence>  block of state changes (changelog topics)
 *     g <group>                           group: its inputs
 *     i <topic> 0 <partition> <key>       offset of the last record of a key (compacted topics)
 *     l <topic> 0 <partition> <offset>    record
 *     m <name>                            layout: format, partition counts
 *     p <group> 0 <topic> 0 <partition>   position and note
 *     s <topic> 0 <partition> <key>       state in layout 1, moved into blocks when such a log is opened
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
  record: (topic: TopicName, partition: number, offset: number) => numbered('l', topic, partition, offset),
  records: (topic: TopicName, partition: number) =>
    [numbered('l', topic, partition, 0), numbered('l', topic, partition, Number.MAX_SAFE_INTEGER)] as const,
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
  block: (topic: TopicName, partition: number, sequence: number) => numbered('b', topic, partition, sequence),
  blocks: (topic: TopicName, partition: number) =>
    [numbered('b', topic, partition, 0), numbered('b', topic, partition, Number.MAX_SAFE_INTEGER)] as const,
  oldStates: (topic: TopicName, partition: number) => {
    const prefix = Buffer.concat([Buffer.from(`s${topic}\0`), u16(partition)]);
    return [prefix, successor(prefix)] as const;
  },
  oldStateKey: (topic: TopicName, key: Buffer) => key.toString('utf8', topic.length + 4),
};

function numbered(kind: 'b' | 'l', topic: TopicName, partition: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(topic.length + 12);
  let at = key.write(kind, 0, 'latin1');
  at += key.write(topic, at, 'latin1');
  at = key.writeUInt8(0, at);
  at = key.writeUInt16BE(partition, at);
  at = key.writeUInt32BE(Math.floor(number / 0x1_0000_0000), at);
  key.writeUInt32BE(number >>> 0, at);
  return key;
}

/** The offset or sequence at the end of a key. */
export function offsetOf(key: Buffer): number {
  return key.readUInt32BE(key.length - 8) * 0x1_0000_0000 + key.readUInt32BE(key.length - 4);
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
