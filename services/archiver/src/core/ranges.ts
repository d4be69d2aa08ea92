import type { Column, TopicName } from '@eyrie/schemas';
import type { TableName } from './tables.ts';

/** Records of a topic, both ends included. */
export interface BusRange {
  readonly topic: TopicName;
  readonly min: number;
  readonly max: number;
}

export interface TableBatch {
  readonly table: TableName;
  readonly columns: readonly Column[];
  readonly rows: Buffer;
  readonly rowCount: number;
  readonly range: BusRange;
}

/** Names exactly these records in exactly this table: the same after any crash, and of no other log. */
export function insertToken(logIdentity: string, table: TableName, partition: number, range: BusRange): string {
  return `${logIdentity}/${table}/${range.topic}-${partition}-${range.min}-${range.max}`;
}

/** What is noted beside a position before an insert: which records it holds. */
export function encodeBounds({ min, max }: BusRange): string {
  return JSON.stringify({ min, max });
}

/** Undefined where nothing was under way. @throws when the note is none of ours */
export function decodeBounds(topic: TopicName, note: string | undefined): BusRange | undefined {
  if (note === undefined || note === '') return undefined;
  const { min, max } = JSON.parse(note) as Partial<BusRange>;
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max)) throw new Error(`not a note of the archiver: ${note}`);
  return { topic, min: min ?? 0, max: max ?? 0 };
}
