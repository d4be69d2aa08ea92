import type { Bus, BusRecord } from '@eyrie/platform/bus/bus';
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
const READ_BYTES = 1024 * 1024;
const WAIT_MS = 1_000;
/** Pause after a failed read, milliseconds. */
const RETRY_MS = 500;

interface Dependencies {
  readonly bus: Bus;
  readonly signer: Signer;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** `starts` gives the first offset to read in each partition. */
export function createAlertFeed(deps: Dependencies, starts: readonly { from: number; end: number }[]): AlertFeed {
  const { bus, log } = deps;
  const stopping = new AbortController();
  const positions = starts.map(({ from }) => from);
  const listeners = new Set<(partition: number, offset: number, fed: FedAlert | undefined) => void>();
  const followed = starts.map(({ end }, partition) => {
    let reached = () => {};
    const ready = new Promise<void>((resolve) => {
      reached = resolve;
    });
    return { ready, done: follow(partition, end, reached) };
  });

  async function follow(partition: number, end: number, reached: () => void): Promise<void> {
    while (!stopping.signal.aborted) {
      const next = positions[partition] ?? 0;
      if (next >= end) reached();
      try {
        const records = await bus.read(TOPIC, partition, next, { maxBytes: READ_BYTES });
        for (const record of records) give(record);
        if (records.length === 0) await bus.waitFor(TOPIC, partition, next, WAIT_MS, stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) break;
        log.warn({ err: error, topic: TOPIC, partition }, 'reading alerts failed, trying again');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    reached();
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
    ready: Promise.all(followed.map(({ ready }) => ready)).then(() => undefined),
    stop: async () => {
      stopping.abort();
      await Promise.all(followed.map(({ done }) => done));
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
