/** A responder alone, to be killed: `responder-child.ts PLACE RULES SCRIPTS CONNECTIONS`; goes on until it is. */
import { systemClock } from '@eyrie/platform/clock';
import { createLogger, type LogLevel } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { createSigner } from '@eyrie/platform/sign';
import { createResponder } from '../../services/responder/src/main.ts';
import { openBus } from './kafka-child.ts';

const [place = '', rulesDir = '', scriptsDir = '', connectionsFile = ''] = process.argv.slice(2);
const responder = createResponder(
  {
    bus: await openBus(place),
    signer: createSigner(Buffer.alloc(32, 7)),
    metrics: createMetrics(),
    log: createLogger({ name: 'child', level: (process.env['EYRIE_TEST_LOG'] ?? 'silent') as LogLevel }),
    clock: systemClock,
    random: Math.random,
    onFailure: () => process.exit(3),
  },
  { rulesDir, scriptsDir, connectionsFile },
);
await responder.start();
