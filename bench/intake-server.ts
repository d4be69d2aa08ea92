/**
 * One server of the intake benchmark, in its own process: `node bench/intake-server.ts MODE`. Tells its address, answers
 * `cpu` with the CPU seconds it has used, ends with its parent.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClusterId, TenantId } from '@eyrie/schemas';
import Fastify from 'fastify';
import { createGateway } from '../services/gateway/src/main.ts';
import type { Bus } from '../services/platform/src/bus/bus.ts';
import { systemClock } from '../services/platform/src/clock.ts';
import { createLogger } from '../services/platform/src/log.ts';
import { createMetrics } from '../services/platform/src/metrics.ts';
import { temporaryLog } from '../services/platform/src/testing/temporary-log.ts';
import { hashToken, type Principal } from '../services/platform/src/tokens.ts';
import { temporaryKafka } from '../test/kafka/temporary-bus.ts';

export type Mode = 'fastify-sink' | 'lines-sink' | 'gateway' | 'gateway-on-kafka';
export const TOKEN = 'eyrie_bench-bench-bench-bench-bench-bench-bench-b';

const servers: Record<Mode, () => Promise<{ address: string; stop: () => Promise<void> }>> = {
  'fastify-sink': startFastifySink,
  'lines-sink': startLinesSink,
  gateway: () => startGateway(temporaryLog({ sync: process.env['EYRIE_BUS_SYNC'] !== 'off' })),
  'gateway-on-kafka': async () => startGateway(await temporaryKafka(process.argv[3]?.split(',') ?? [])),
};

const start = servers[process.argv[2] as Mode];
if (process.send !== undefined && start !== undefined) {
  const { address, stop } = await start();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpu: (user + system) / 1e6, system: system / 1e6 });
  });
  process.on('disconnect', () => void stop().finally(() => process.exit(0)));
  process.send({ address });
}

/** Baseline of one event a post: parses by Fastify's own parser, answers, forgets. */
async function startFastifySink() {
  const app = Fastify({ logger: false });
  let seen = 0;
  app.post('/v1/events', async (request) => {
    if (typeof (request.body as { rule?: unknown }).rule === 'string') seen += 1;
    return { accepted: 1, rejected: [], seen: seen > 0 };
  });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  return { address, stop: () => app.close() };
}

/** Baseline of NDJSON: node:http, splits, parses each line, answers, forgets. */
async function startLinesSink() {
  let seen = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString('utf8').split('\n');
      for (const line of lines) if (line !== '' && typeof JSON.parse(line).rule === 'string') seen += 1;
      response.end(`{"accepted":${seen},"rejected":[]}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The gateway on a real log: embedded and synced (`EYRIE_BUS_SYNC=off` shows what durability costs), or on Kafka. */
async function startGateway(temporary: { readonly bus: Bus; remove(): Promise<void> }) {
  const principal: Principal = {
    name: 'bench',
    tenant: 'acme' as TenantId,
    cluster: 'prod' as ClusterId,
    scopes: ['intake'],
  };
  const tokens = new Map([[hashToken(TOKEN), principal]]);
  const gateway = createGateway(
    {
      bus: temporary.bus,
      clock: systemClock,
      metrics: createMetrics(),
      log: createLogger({ name: 'bench', level: 'warn', pretty: false }),
      authenticate: (token) => tokens.get(hashToken(token)),
    },
    { port: 0 },
  );
  await gateway.start();
  return {
    address: gateway.address,
    stop: async () => {
      await gateway.stop();
      await temporary.remove();
    },
  };
}
