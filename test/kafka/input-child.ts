/** The process that the tests of inputs kill: `node input-child.ts PLACE INPUTS`, a gateway without posts. */
import { writeSync } from 'node:fs';
import { createGateway } from '@eyrie/gateway';
import type { Bus } from '@eyrie/platform/bus/bus';
import type { ForeignAssigned } from '@eyrie/platform/bus/foreign';
import { systemClock } from '@eyrie/platform/clock';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import type { InputEntry } from '@eyrie/schemas/inputs';
import { openBus } from './kafka-child.ts';

/** @param isApart writes lines and position one after the other: what the tests must be able to tell from one step */
export async function startInputs(bus: Bus, inputs: readonly InputEntry[], isApart = false) {
  const log = createLogger({ name: 'inputs', level: 'silent' });
  const gateway = createGateway(
    {
      bus: isApart ? apart(bus) : bus,
      clock: systemClock,
      log,
      metrics: createMetrics(),
      authenticate: () => {
        throw new Error('nobody posts here');
      },
    },
    { port: 0, inputs, eventBytes: 10_000 },
  );
  await gateway.start();
  return gateway;
}

function apart(bus: Bus): Bus {
  const { foreign } = bus;
  if (foreign === undefined) throw new TypeError('not on Kafka');
  const join: typeof foreign.join = (spec, run) =>
    foreign.join(spec, (assigned, signal) => {
      const loose: ForeignAssigned = {
        group: assigned.group,
        topic: assigned.topic,
        partition: assigned.partition,
        poll: (options) => assigned.poll(options),
        transact: async ({ next, outputs }) => {
          const appended = await bus.append(outputs);
          writeSync(1, 'appended\n');
          await systemClock.sleep(200);
          await assigned.transact({ next, outputs: [] });
          return appended;
        },
      };
      return run(loose, signal);
    });
  return { ...bus, foreign: { ...foreign, join } };
}

if (import.meta.main) {
  const [place = '', inputs = '[]', isApart] = process.argv.slice(2);
  const bus = await openBus(place);
  await startInputs(bus, JSON.parse(inputs) as readonly InputEntry[], isApart === 'apart');
  writeSync(1, 'started\n');
}
