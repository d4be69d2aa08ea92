import { type IncomingHttpHeaders, request } from 'node:http';
import type { Bus, Output } from '@eyrie/platform/bus/bus';
import { systemClock } from '@eyrie/platform/clock';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import type { Principal } from '@eyrie/platform/tokens';
import {
  type ClusterId,
  decodeRawFrame,
  type HealthRecord,
  type RawMeta,
  type Scope,
  type TenantId,
} from '@eyrie/schemas';
import { createGateway, type GatewayOptions } from './gateway.ts';

export const TOKEN = 'eyrie_one-cluster-one-cluster-one-cluster-one-clus';
export const ANY_CLUSTER = 'eyrie_any-cluster-any-cluster-any-cluster-any-clus';
export const READER = 'eyrie_reader-reader-reader-reader-reader-reader-re';

const principal = (name: string, cluster: string, scopes: readonly Scope[]): Principal => ({
  name,
  tenant: 'acme' as TenantId,
  cluster: cluster as ClusterId,
  scopes,
});
const tokens = new Map([
  [TOKEN, principal('sender', 'prod', ['intake'])],
  [ANY_CLUSTER, principal('sidekick', '*', ['intake'])],
  [READER, principal('reader', 'prod', ['read'])],
]);

/** A bus that keeps what was appended; `fail` makes the next appends fail. */
export function fakeBus() {
  const outputs: Output[] = [];
  const state: { error: Error | undefined; appends: number; waits: number; hold: Promise<void> | undefined } = {
    error: undefined,
    appends: 0,
    waits: 0,
    hold: undefined,
  };
  const bus = {
    partitions: () => 1,
    waitForReaders: async () => {
      state.waits += 1;
    },
    append: async (added: readonly Output[]) => {
      await state.hold;
      if (state.error !== undefined) throw state.error;
      state.appends += 1;
      outputs.push(...added);
      return [];
    },
  } as unknown as Bus;
  return {
    bus,
    state,
    sections: (): { meta: RawMeta; lines: string[] }[] =>
      outputs
        .filter(({ topic }) => topic === 'raw')
        .flatMap(({ value }) => decodeRawFrame(value))
        .map(({ meta, lines }) => ({ meta, lines: lines.map((line) => line.toString('latin1')) })),
    health: (): HealthRecord[] =>
      outputs.filter(({ topic }) => topic === 'health').map(({ value }) => JSON.parse(value.toString('utf8'))),
    records: () => outputs.filter(({ topic }) => topic === 'raw'),
  };
}

export async function startGateway(options: GatewayOptions = {}) {
  const log: string[] = [];
  const fake = fakeBus();
  const metrics = createMetrics();
  const gateway = createGateway(
    {
      bus: fake.bus,
      clock: systemClock,
      metrics,
      log: createLogger({ name: 'test', level: 'trace', pretty: false, destination: { write: (l) => log.push(l) } }),
      authenticate: (token) => tokens.get(token),
    },
    { port: 0, ...options },
  );
  await gateway.start();
  return { ...fake, gateway, metrics, log };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly accepted?: number;
    readonly rejected?: readonly { readonly index: number; readonly code: string; readonly message: string }[];
    readonly rejected_more?: number;
    readonly error?: { readonly code: string; readonly message: string; readonly requestId: string };
  };
}

export function post(
  address: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
  path = '/v1/events',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${address}${path}`,
      {
        method: 'POST',
        agent: false,
        headers: { 'x-eyrie-token': TOKEN, 'content-type': 'application/json', ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

let serial = 0;
/** A valid Falco event, another one each time. */
export function event(fields: Readonly<Record<string, unknown>> = {}, top: Readonly<Record<string, unknown>> = {}) {
  serial += 1;
  return {
    hostname: 'node-1',
    output: `A shell was started (serial=${serial})`,
    output_fields: { 'evt.time': 1_700_000_000_000_000_000, 'proc.name': 'bash', 'proc.pid': serial, ...fields },
    priority: 'Notice',
    rule: 'Terminal shell in container',
    source: 'syscall',
    tags: ['container', 'shell'],
    time: '2026-11-24T10:00:00.123456789Z',
    ...top,
  };
}
export const line = (...parts: Parameters<typeof event>) => JSON.stringify(event(...parts));
