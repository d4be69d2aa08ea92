import { systemClock } from '@eyrie/platform/clock';
import { createDocuments, type Documents } from '@eyrie/platform/documents';
import { createLogger } from '@eyrie/platform/log';
import { maskSecrets } from '@eyrie/platform/mask';
import { createSigner } from '@eyrie/platform/sign';
import type { Store } from '@eyrie/platform/store/store';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { authenticate, hashToken, mintToken } from '@eyrie/platform/tokens';
import { type Alert, partitionOf, SCOPES, type Scope, type TenantId } from '@eyrie/schemas';
import { type Console, type ConsoleDependencies, createConsole } from '../main.ts';

export const signer = createSigner(Buffer.alloc(32, 1));

export interface Harness extends TemporaryLog {
  readonly console: Console;
  readonly documents: Documents;
  /** Log lines written so far. */
  readonly lines: string[];
  token(tenant: string, scopes?: readonly Scope[], cluster?: string): Promise<string>;
  /** Writes alert versions to the log, as the judge does. */
  publish(...alerts: readonly Alert[]): Promise<void>;
  call(token: string, method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }>;
  stop(): Promise<void>;
}

// Tests read answers as a client without our types would.
// biome-ignore lint/suspicious/noExplicitAny: answers of any shape
export type Json = any;

/** A store nothing may ask. */
const noStore: Store = {
  migrate: async () => [],
  selfTest: async () => {},
  insert: async () => {},
  query: async () => [],
  select: async () => ({ columns: [], rows: [], truncated: false }),
  close: async () => {},
};

/** A console over a real embedded log. */
export async function startConsole(
  options: {
    store?: (dataDir: string) => Promise<Store>;
    partitions?: number;
  } & Partial<Pick<ConsoleDependencies, 'explain' | 'operator'>> = {},
): Promise<Harness> {
  const { store: openStore, partitions = 1, ...over } = options;
  const lines: string[] = [];
  const log = createLogger({ name: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
  const temporary = temporaryLog({ partitions: { alerts: partitions } });
  const { bus, metrics } = temporary;
  const store = (await openStore?.(temporary.dataDir.path)) ?? noStore;
  const documents = createDocuments({ bus, signer, log, clock: systemClock, metrics });
  const server = createConsole(
    {
      bus,
      store,
      documents,
      signer,
      authenticate: (token) => authenticate(documents, token, Date.now()),
      clock: systemClock,
      log,
      metrics,
      mask: maskSecrets,
      ...over,
    },
    { host: '127.0.0.1', port: 0 },
  );
  await server.start();
  let tokens = 0;

  return {
    ...temporary,
    bus,
    console: server,
    documents,
    lines,
    token: async (tenant, scopes = SCOPES, cluster = '*') => {
      const text = mintToken();
      tokens += 1;
      await documents.put({
        tenant: tenant as TenantId,
        kind: 'token',
        id: `t${tokens}`,
        author: 'test',
        body: { name: `t${tokens}`, sha256: hashToken(text), cluster, scopes },
      });
      return text;
    },
    publish: async (...alerts) => {
      await bus.append(
        alerts.map((alert) => ({
          topic: 'alerts' as const,
          partition: partitionOf(alert.routing_key, bus.partitions('alerts')),
          key: alert.alert_id,
          value: signer.seal(alert),
        })),
      );
    },
    call: async (token, method, path, body) => {
      const response = await fetch(new URL(path, server.address), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined
            ? {}
            : { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json().catch(() => undefined) };
    },
    stop: async () => {
      await server.stop();
      await documents.stop();
      await store.close();
      await temporary.remove();
    },
  };
}
