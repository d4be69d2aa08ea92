import {
  type ActionRecord,
  type Alert,
  type DeadLetter,
  type DocumentRecord,
  type Event,
  type HealthRecord,
  type Judgement,
  type TopicName,
  visitJudged,
} from '@eyrie/schemas';
import type { Batch } from './batch.ts';
import {
  recordKey,
  writeAction,
  writeAlertVersion,
  writeDeadLetter,
  writeDocument,
  writeEvent,
  writeHealth,
} from './rows.ts';
import { nameAction, nameAlert, nameDocument, nameEvent, nameHealth, type StoredRows } from './stored-rows.ts';

/** A record of the bus, as far as rows need it. */
export interface Taken {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number;
  readonly value: Buffer;
  readonly made?: unknown;
  /** Of the topic's partition. */
  readonly logIdentity: string;
}

const DAY_MS = 86_400_000;

/**
 * Turns one record into rows of the batch, without those that are stored already.
 * @throws for a record that cannot be read (FrameError, SyntaxError, TypeError)
 */
export function takeRecord(batch: Batch, record: Taken, stored?: StoredRows): void {
  switch (record.topic) {
    case 'judged':
      takeJudged(batch, record, stored);
      return;
    case 'alerts': {
      const alert = (record.made as Alert | undefined) ?? parse<Alert>(record.value);
      if (stored?.has(nameAlert(alert)) === true) return;
      one(batch, 'alert_versions', (writer) => writeAlertVersion(writer, alert, record.value));
      return;
    }
    case 'actions': {
      const action = parse<ActionRecord>(record.value);
      if (stored?.has(nameAction(action)) === true) return;
      one(batch, 'action_versions', (writer) => writeAction(writer, action, record.partition));
      return;
    }
    case 'documents': {
      if (record.value.length === 0) return;
      const document = parse<DocumentRecord>(record.value);
      if (stored?.has(nameDocument(document)) === true) return;
      one(batch, 'documents', (writer) => writeDocument(writer, document, record.offset));
      return;
    }
    case 'health': {
      const health = parse<HealthRecord>(record.value);
      const name = nameHealth(health);
      if (name !== undefined && stored?.has(name) === true) return;
      const key = recordKey(health.raw_pos ?? placeOf(record));
      one(batch, 'health_records', (writer) => writeHealth(writer, health, key));
      return;
    }
    case 'dead-letter':
      one(batch, 'dead_letter_records', (writer) => writeDeadLetter(writer, parse<DeadLetter>(record.value)));
      return;
    default:
      throw new TypeError(`no table for topic ${record.topic}`);
  }
}

function parse<T>(value: Buffer): T {
  return JSON.parse(value.toString('utf8')) as T;
}

function placeOf({ topic, partition, offset, logIdentity }: Taken) {
  return { log: `${logIdentity}/${topic}`, partition, offset, index: 0 };
}

function one(batch: Batch, name: Parameters<Batch['table']>[0], write: (writer: RowWriter) => void): void {
  const rows = batch.table(name);
  write(rows.writer);
  rows.rowCount += 1;
}
type RowWriter = ReturnType<Batch['table']>['writer'];

function takeJudged(batch: Batch, record: Taken, stored: StoredRows | undefined): void {
  const rows = batch.table('events');
  let seen = 0;
  let skipped = 0;
  let duplicates: Map<string, DuplicateCount> | undefined;
  visitJudged(record, ({ judgement, event }, raw) => {
    if (event.heartbeat === true) batch.heartbeats.push(event.received_at);
    else if (judgement.outcome === 'duplicate') {
      duplicates ??= new Map();
      countDuplicate(duplicates, judgement, event);
    } else {
      seen += 1;
      if (stored?.has(nameEvent(event)) === true) skipped += 1;
      else {
        writeEvent(rows.writer, judgement, event, raw);
        rows.rowCount += 1;
      }
    }
  });
  const areCounted = stored?.hasCounts(seen, skipped) === true;
  if (duplicates !== undefined && !areCounted) writeDuplicates(batch, duplicates);
}

interface DuplicateCount {
  readonly event: Event;
  readonly reason: string;
  readonly day: number;
  count: number;
}

function countDuplicate(counts: Map<string, DuplicateCount>, { reason, judged_at }: Judgement, event: Event): void {
  const day = Math.floor(judged_at / DAY_MS);
  const key = [event.tenant, event.cluster, event.rule, reason, day].join('\u0000');
  const found = counts.get(key);
  if (found === undefined) counts.set(key, { event, reason, day, count: 1 });
  else found.count += 1;
}

function writeDuplicates(batch: Batch, counts: ReadonlyMap<string, DuplicateCount>): void {
  const rows = batch.table('duplicates');
  for (const { event, reason, day, count } of counts.values()) {
    rows.writer.text(event.tenant);
    rows.writer.text(event.cluster);
    rows.writer.u16(day);
    rows.writer.text(event.rule);
    rows.writer.text(reason);
    rows.writer.i64(count);
    rows.rowCount += 1;
  }
}
