import { openDataDirectory } from '@eyrie/platform/bus/data-directory';
import { openLog } from '@eyrie/platform/bus/log';
import { systemClock } from '@eyrie/platform/clock';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { createSigner } from '@eyrie/platform/sign';
import { createResponder } from '../main.ts';

/** A process with nothing but a log and a responder, to be killed: `crash-child.ts DATA RULES SCRIPTS CONNECTIONS`. */
const [data = '', rulesDir = '', scriptsDir = '', connectionsFile = ''] = process.argv.slice(2);
const log = createLogger({ name: 'child', level: 'silent' });
const metrics = createMetrics();
const directory = openDataDirectory(data);
const bus = openLog({ dataDir: directory, clock: systemClock, log, metrics });
const responder = createResponder(
  {
    bus,
    signer: createSigner(Buffer.alloc(32, 7)),
    metrics,
    log,
    clock: systemClock,
    random: Math.random,
    onFailure: () => process.exit(3),
  },
  { rulesDir, scriptsDir, ...(connectionsFile !== '' && { connectionsFile }) },
);
await responder.start();
await responder.caughtUp();
await responder.stop();
await bus.close();
directory.close();
