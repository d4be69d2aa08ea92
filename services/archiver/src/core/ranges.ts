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
