import { createHash } from 'node:crypto';
import {
  type ClusterId,
  type Event,
  type EventId,
  type Nanos,
  nanosOfMs,
  type RoutingKey,
  type Score,
  type TenantId,
} from '@eyrie/schemas';
import { DEFAULTS, type JudgeDocuments, type JudgeOptions } from './judge.ts';

export const T0 = Date.UTC(2026, 4, 4, 10);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);

let made = 0;

/** An event with defaults; `atMs` is its time after T0, received at once unless said otherwise. */
export function anEvent(atMs: number, fields: Partial<Event> & { key?: string } = {}): Event {
  made += 1;
  const { key = 'k1', ...rest } = fields;
  return {
    v: 1,
    event_id: hash(`event ${made}`) as EventId,
    tenant: 'acme' as TenantId,
    cluster: 'c1' as ClusterId,
    source: 'syscall',
    rule: `rule ${key}`,
    priority: 'Warning',
    time: nanosOfMs(T0 + atMs) as Nanos,
    received_at: T0 + atMs,
    routing_key: hash(key) as RoutingKey,
    salient: key,
    raw_pos: { log: 'log', partition: 0, offset: made, index: 0 },
    host: 'node-1',
    container_id: 'host',
    ...rest,
  };
}

export function aScore(fields: Partial<Score> = {}): Score {
  return { fp_score: 0.7, p_attack: 0.3, band: 'review', reasons: [], unknown: [], model: 'test/1', ...fields };
}

export const NO_DOCUMENTS: JudgeDocuments = { version: 0, silences: new Map(), exceptions: new Map() };

export function someOptions(fields: Partial<JudgeOptions> = {}): JudgeOptions {
  return { ...DEFAULTS, score: () => aScore(), identify: () => undefined, hasInventory: () => true, ...fields };
}
