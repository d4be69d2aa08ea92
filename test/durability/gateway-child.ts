/** A gateway on an embedded log until a file appears; tells its address on stdout. `node gateway-child.ts DIR STOP BYTES` */
import { existsSync, writeSync } from 'node:fs';
import type { ClusterId, TenantId } from '@eyrie/schemas';
import { createGateway } from '../../services/gateway/src/main.ts';
import { systemClock } from '../../services/platform/src/clock.ts';
import { createLogger } from '../../services/platform/src/log.ts';
import { createMetrics } from '../../services/platform/src/metrics.ts';
import { openBus } from '../../services/platform/src/testing/log-child.ts';

const [directory = '', stopFile = '', eventBytes = ''] = process.argv.slice(2);
const bus = openBus(directory);
const gateway = createGateway(
  {
    bus,
    clock: systemClock,
    metrics: createMetrics(),
    log: createLogger({ name: 'test', level: 'warn', pretty: false }),
    authenticate: () => ({
      name: 'test',
      tenant: 'acme' as TenantId,
      cluster: 'prod' as ClusterId,
      scopes: ['intake'],
    }),
  },
  { port: 0, eventBytes: Number(eventBytes) },
);
await gateway.start();
writeSync(1, `${gateway.address}\n`);
const timer = setInterval(() => {
  if (!existsSync(stopFile)) return;
  clearInterval(timer);
  void gateway.stop().then(() => bus.close());
}, 20);
