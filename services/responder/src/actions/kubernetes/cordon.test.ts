import { expect, it } from 'vitest';
import { useCluster } from '../../testing/cluster.ts';
import type { KubernetesObject } from '../../testing/kubernetes-api.ts';
import { changes } from '../../testing/pods.ts';
import { kubernetesCordon } from './cordon.ts';

const cluster = useCluster();
const NODE = '/api/v1/nodes/node-1';

function node(labels: object = {}, spec: object = {}): void {
  const metadata = { name: 'node-1', uid: 'n1', resourceVersion: '3', labels };
  cluster.api.objects.set(NODE, { kind: 'Node', metadata, spec } as KubernetesObject);
}

const run = (options: Parameters<typeof cluster.run>[1] = {}) => cluster.run(kubernetesCordon, options);
const spec = () => cluster.api.objects.get(NODE)?.['spec'];

it('the node of the event takes no more pods; a dry run only asks', async () => {
  node();
  expect(await run({ dry: true })).toMatchObject({ kind: 'succeeded' });
  expect([changes(cluster.api).length, spec()]).toEqual([1, {}]);
  expect(await run()).toMatchObject({ kind: 'succeeded', detail: 'node-1 takes no more pods' });
  expect(spec()).toEqual({ unschedulable: true });
  expect(await run({ attempt: 2 })).toMatchObject({ kind: 'succeeded', detail: 'node-1 takes no pods already' });
  expect(changes(cluster.api)).toHaveLength(2);
});

it.each<[string, () => void, Record<string, string | undefined>, object]>([
  ['a node that is not there', () => {}, {}, { kind: 'denied', reason: 'no_node' }],
  ['an event without host', node, { host: undefined }, { kind: 'denied', reason: 'no_node' }],
  ['a host that is a path', node, { host: '../namespaces/x' }, { kind: 'denied', reason: 'no_node' }],
  [
    'the control plane',
    () => node({ 'node-role.kubernetes.io/control-plane': '' }),
    {},
    { kind: 'denied', reason: 'protected_workload' },
  ],
])('%s is left alone', async (_, put, fields, expected) => {
  put();
  expect(await run({ fields })).toMatchObject(expected);
  expect(changes(cluster.api)).toEqual([]);
});

it('the control plane too, where the rule says so; not without the right', async () => {
  node({ 'node-role.kubernetes.io/control-plane': '' });
  cluster.api.forbidden.add('patch nodes');
  const parameters = { control_plane: 'allow' };
  expect(await run({ parameters })).toMatchObject({ kind: 'denied', reason: 'forbidden' });
  cluster.api.forbidden.clear();
  expect(await run({ parameters })).toMatchObject({ kind: 'succeeded' });
});

it('an undo lets pods come again, but not to a node somebody else keeps from them', async () => {
  node();
  await run();
  expect(await cluster.undo(kubernetesCordon)).toMatchObject({ kind: 'succeeded', detail: 'node-1 takes pods again' });
  expect(spec()).toEqual({});
  expect(cluster.api.objects.get(NODE)?.metadata['annotations']).toEqual({});
  expect(await cluster.undo(kubernetesCordon)).toMatchObject({ kind: 'succeeded', reason: 'unchanged' });
  node({}, { unschedulable: true });
  expect(await run()).toMatchObject({ kind: 'succeeded', reason: 'unchanged' });
  expect(await cluster.undo(kubernetesCordon)).toMatchObject({ kind: 'denied', reason: 'drifted' });
  expect(spec()).toEqual({ unschedulable: true });
});
