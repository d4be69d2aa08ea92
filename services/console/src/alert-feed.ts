import type { Bus, BusRecord } from '@eyrie/platform/bus/bus';
import { keepFollowing } from '@eyrie/platform/bus/keep-following';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import { openSealed, type Signer } from '@eyrie/platform/sign';
import { type Alert, type AlertId, FORMATS, type TenantId } from '@eyrie/schemas';

/** One version of an alert as the log holds it; the text is read when someone asks: most versions nobody looks at. */
export class FedAlert {
  readonly partition: number;
  readonly offset: number;
  readonly text: string;
  readonly tenant: TenantId;
  readonly id: AlertId;
  readonly version: number;
  #alert: Alert | undefined;

  constructor(partition: number, offset: number, text: string) {
    this.partition = partition;
    this.offset = offset;
    this.text = text;
    const [, tenant, id, version] = HEAD.exec(text) ?? [];
    this.tenant = (tenant ?? this.alert.tenant) as TenantId;
    this.id = (id ?? this.alert.alert_id) as AlertId;
    this.version = version === undefined ? this.alert.version : Number(version);
  }

  get alert(): Alert {
    this.#alert ??= JSON.parse(this.text) as Alert;
    return this.#alert;
  }
}

/** How the judge begins an alert. Other orders of the members cost a parse. */
const HEAD = /^\{"v":1,"tenant":"([^"\\]*)","cluster":"[^"\\]*","alert_id":"([^"\\]*)","version":(\d+),/;

/** Follows the topic `alerts` once for all clients of this process. */
export interface AlertFeed {
  /** The next offset of a partition that was not given to listeners yet. */
  next(partition: number): number;
  readonly partitions: number;
  /** Called for every position, in order; `fed` is undefined for a record without effect. */
  onPosition(listener: (partition: number, offset: number, fed: FedAlert | undefined) => void): () => void;
  /** Resolves once everything that stood in the log at start was given to listeners. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

const TOPIC = 'alerts';

interface Dependencies {
  readonly bus: Bus;
  readonly signer: Signer;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** `starts` gives the first offset to read in each partition. */
export function createAlertFeed(deps: Dependencies, starts: readonly { from: number; end: number }[]): AlertFeed {
  const stopping = new AbortController();
  const positions = starts.map(({ from }) => from);
  const listeners = new Set<(partition: number, offset: number, fed: FedAlert | undefined) => void>();
  /** Partitions that have not been given up to the end there was at the start. */
  const behind = new Set([...starts.keys()].filter((partition) => !isReached(partition)));
  const ready = Promise.withResolvers<void>();
  if (behind.size === 0) ready.resolve();
  const followed = keepFollowing(deps, TOPIC, positions, take, stopping.signal).finally(ready.resolve);

  function isReached(partition: number): boolean {
    return (positions[partition] ?? 0) >= (starts[partition]?.end ?? 0);
  }

  function take(partition: number, records: readonly BusRecord[], next: number): void {
    for (const record of records) give(record);
    positions[partition] = next;
    if (isReached(partition) && behind.delete(partition) && behind.size === 0) ready.resolve();
  }

  function give(record: BusRecord): void {
    const { partition, offset } = record;
    positions[partition] = offset + 1;
    const fed = readAlert(deps, record);
    for (const listener of listeners) listener(partition, offset, fed);
  }

  return {
    next: (partition) => positions[partition] ?? 0,
    partitions: starts.length,
    onPosition: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ready: ready.promise,
    stop: async () => {
      stopping.abort();
      await followed;
    },
  };
}

/** An alert whose mac holds; anything else has no effect and is counted. */
export function readAlert({ signer, log, metrics }: Dependencies, record: BusRecord): FedAlert | undefined {
  const { partition, offset, value } = record;
  const text = value.toString('utf8');
  if (HEAD.test(text) && signer.isSealed(value)) return new FedAlert(partition, offset, text);
  const opened = openSealed<Alert>(signer, value, FORMATS.record);
  if (opened.ok) return new FedAlert(partition, offset, text);
  metrics.count('eyrie_dead_letters_total', { stage: 'console', reason: opened.reason });
  log.warn({ topic: TOPIC, partition, offset, reason: opened.reason }, 'alert record without effect');
  return undefined;
}
