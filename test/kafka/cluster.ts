import { freePort } from '@eyrie/platform/testing/free-port';
import { settings } from './broker.ts';
import { createNode, type Node } from './java.ts';

const NODES = 3;

/** Three nodes on this machine, each broker and controller; every topic of the cluster itself lies on all of them. */
export async function startCluster(): Promise<readonly Node[]> {
  const ports = await Promise.all(Array.from({ length: 2 * NODES }, () => freePort()));
  const controllers = ports.slice(NODES);
  const voters = controllers.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
  const nodes = controllers.map((controller, index) => {
    const { port, properties } = settings('127.0.0.1', ports[index] ?? 0, controller);
    return createNode({
      port,
      properties: {
        ...properties,
        'node.id': String(index + 1),
        'controller.quorum.voters': voters,
        'offsets.topic.replication.factor': '3',
        'transaction.state.log.replication.factor': '3',
        'transaction.state.log.min.isr': '2',
        // A dead one is given up within seconds, not within the default of nine.
        'broker.session.timeout.ms': '3000',
        'broker.heartbeat.interval.ms': '500',
      },
    });
  });
  await Promise.all(nodes.map((node) => node.start()));
  return nodes;
}
