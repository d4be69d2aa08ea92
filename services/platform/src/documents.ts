import { type DocumentBodies, type DocumentKind, type DocumentRecord, FORMATS, type TenantId } from '@eyrie/schemas';
import type { Bus, BusRecord } from './bus/bus.ts';
import { followTable } from './bus/table.ts';
import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { openSealed, type Signer } from './sign.ts';

/**
 * Silences, exceptions, rules and tokens as they stand now: a view of the topic `documents`, and the way to change them.
 * Many may read; one process writes (the console owns documents): a compacted log keeps the last record of a key, so a
 * second writer could take the place of the first.
 */
export interface Documents {
  /** `documents_version`: the next offset of the topic this view has not taken yet. Grows with every change; 0 = none. */
  readonly version: number;
  /** Resolves once the view holds everything written before it was made. */
  ready(): Promise<void>;
  /** Records are there, and the signature of each is another key's: who goes on would trust nobody and be trusted by nobody. */
  isOfAnotherKey(): boolean;
  /** Documents of a kind that were not removed, of every tenant. */
  list<K extends DocumentKind>(kind: K): readonly DocumentRecord<K>[];
  /** The latest record, also when it says that the document was removed (`body` null). */
  get<K extends DocumentKind>(tenant: TenantId, kind: K, id: string): DocumentRecord<K> | undefined;
  /**
   * Writes the next version; resolves when it is durable and this view has taken it. A null body removes the document.
   * `expectedVersion` is the version the author saw (0 = none yet).
   * @throws AppError EYRIE_HTTP_CONFLICT when another change came first, or what `Bus.append` throws
   */
  put<K extends DocumentKind>(change: DocumentChange<K>): Promise<DocumentRecord<K>>;
  /** Called after each record taken; gives the function that ends it. */
  onChange(callback: (record: DocumentRecord) => void): () => void;
  stop(): Promise<void>;
}

export interface DocumentChange<K extends DocumentKind = DocumentKind> {
  readonly tenant: TenantId;
  readonly kind: K;
  readonly id: string;
  readonly body: DocumentBodies[K] | null;
  readonly author: string;
  readonly revoked_sha256?: string;
  readonly expectedVersion?: number;
}

interface Dependencies {
  readonly bus: Bus;
  readonly signer: Signer;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics?: Metrics;
}

const TOPIC = 'documents';
/** Repeats of an unconditional change that lost a race. */
const ATTEMPTS = 5;
/** How long `put` waits for its own view after the append, milliseconds. */
const VIEW_WAIT_MS = 10_000;

export function createDocuments({ bus, signer, log, clock, metrics }: Dependencies): Documents {
  const records = new Map<DocumentKind, Map<string, DocumentRecord>>();
  const callbacks = new Set<(record: DocumentRecord) => void>();
  let version = 0;
  let ofThisKey = 0;
  let ofAnotherKey = 0;
  /** The change this process is appending: whether this view took it, once it came back. */
  let own: { readonly mac: string; isTaken?: boolean } | undefined;
  const waiters = new Set<() => void>();
  /** Changes of one process go one after the other, so that they never lose a race against each other. */
  let queue: Promise<unknown> = Promise.resolve();

  const table = followTable(bus, TOPIC, { onRecord: (_key, value, record) => take(value, record), log });

  function take(value: Buffer | null, { offset }: BusRecord): void {
    const record = value === null ? undefined : read(value, offset);
    const accepted = record !== undefined && accept(record);
    version = offset + 1;
    if (accepted) for (const callback of callbacks) callback(record);
    if (record !== undefined && record.mac === own?.mac) own.isTaken ??= accepted;
    for (const waiter of waiters) waiter();
  }

  function read(value: Buffer, offset: number): DocumentRecord | undefined {
    const opened = openSealed<DocumentRecord>(signer, value, FORMATS.record);
    if (opened.ok) ofThisKey += 1;
    if (opened.ok && typeof opened.record.kind === 'string') return opened.record;
    const reason = opened.ok ? 'unreadable' : opened.reason;
    if (reason === 'bad_signature') ofAnotherKey += 1;
    metrics?.count('eyrie_dead_letters_total', { stage: 'documents', reason });
    log.warn({ topic: TOPIC, offset, reason }, 'document record without effect');
    return undefined;
  }

  /** A version that is not higher has no effect: an old record that comes again, or a second writer. */
  function accept(record: DocumentRecord): boolean {
    const held = latest(record.tenant, record.kind, record.id);
    if (held !== undefined && record.version <= held.version) return false;
    let byKey = records.get(record.kind);
    if (byKey === undefined) {
      byKey = new Map();
      records.set(record.kind, byKey);
    }
    byKey.set(`${record.tenant}/${record.id}`, record);
    return true;
  }

  function latest<K extends DocumentKind>(tenant: TenantId, kind: K, id: string): DocumentRecord<K> | undefined {
    return records.get(kind)?.get(`${tenant}/${id}`) as DocumentRecord<K> | undefined;
  }

  async function change<K extends DocumentKind>(wanted: DocumentChange<K>): Promise<DocumentRecord<K>> {
    await table.ready;
    const { tenant, kind, id, body, author, revoked_sha256, expectedVersion } = wanted;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const seen = latest(tenant, kind, id)?.version ?? 0;
      if (expectedVersion !== undefined && expectedVersion !== seen) {
        throw new AppError('EYRIE_HTTP_CONFLICT', `${kind} ${id} has version ${seen}, not ${expectedVersion}`);
      }
      const revoked = revoked_sha256 === undefined ? {} : { revoked_sha256 };
      const unsigned = {
        v: 1 as const,
        tenant,
        kind,
        id,
        version: seen + 1,
        author,
        at: clock.now(),
        body,
        ...revoked,
      };
      const value = signer.seal(unsigned);
      const record = JSON.parse(value.toString('utf8')) as DocumentRecord<K>;
      if (await append(`${tenant}/${kind}/${id}`, record.mac, value)) return record;
      if (expectedVersion !== undefined) break;
    }
    throw new AppError('EYRIE_HTTP_CONFLICT', `${kind} ${id} was changed by someone else at the same time`);
  }

  /** Appends, and waits until this view took the record. False when another process's change came first. */
  async function append(key: string, mac: string, value: Buffer): Promise<boolean> {
    const change: { readonly mac: string; isTaken?: boolean } = { mac };
    own = change;
    try {
      const [appended] = await bus.append([{ topic: TOPIC, partition: 0, key, value }]);
      await reach(appended?.offset ?? 0);
    } finally {
      own = undefined;
    }
    return change.isTaken === true;
  }

  /** Resolves once this view has taken an offset. @throws AppError EYRIE_BUS_UNAVAILABLE */
  async function reach(offset: number): Promise<void> {
    if (version > offset) return;
    const done = new AbortController();
    const waiter = () => {
      if (version > offset) done.abort();
    };
    waiters.add(waiter);
    await clock.sleep(VIEW_WAIT_MS, done.signal);
    waiters.delete(waiter);
    if (version > offset) return;
    throw new AppError('EYRIE_BUS_UNAVAILABLE', 'the change is stored, but did not come back from the log in time');
  }

  return {
    get version() {
      return version;
    },
    ready: () => table.ready,
    isOfAnotherKey: () => ofThisKey === 0 && ofAnotherKey > 0,
    list: <K extends DocumentKind>(kind: K) =>
      [...(records.get(kind)?.values() ?? [])].filter(({ body }) => body !== null) as DocumentRecord<K>[],
    get: latest,
    put: (wanted) => {
      const done = queue.then(() => change(wanted));
      queue = done.catch(() => undefined);
      return done;
    },
    onChange: (callback) => {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    stop: () => table.stop(),
  };
}
