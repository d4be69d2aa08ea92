import { describe, expect, it } from 'vitest';
import { policyOf, useCluster } from '../../testing/cluster.ts';
import { aPod, changes, POD_PATH } from '../../testing/pods.ts';
import { kubernetesAnnotate, kubernetesLabel } from './metadata.ts';

const cluster = useCluster();
const metadata = () => cluster.api.objects.get(POD_PATH)?.metadata;

describe('kubernetes:label and kubernetes:annotate', () => {
  it('set and take away, on that pod alone', async () => {
    const labels = { 'eyrie.dev/suspect': 'yes', app: null };
    expect(await cluster.run(kubernetesLabel, { parameters: { labels } })).toMatchObject({ kind: 'succeeded' });
    expect(metadata()?.['labels']).toEqual({ 'pod-template-hash': 'abc', 'eyrie.dev/suspect': 'yes' });
    cluster.api.objects.set(POD_PATH, aPod());
    const annotations = { 'eyrie.dev/why': 'a shell;\nnobody knows' };
    expect(await cluster.run(kubernetesAnnotate, { parameters: { annotations } })).toMatchObject({ kind: 'succeeded' });
    expect(metadata()?.['annotations']).toMatchObject(annotations);
  });

  const setting = { 'eyrie.dev/suspect': 'yes', app: 'other' };

  it('an undo gives back what was there, once, also when the deed was repeated because its answer was lost', async () => {
    const options = { parameters: { labels: setting } };
    const before = metadata()?.['labels'];
    expect(await cluster.run(kubernetesLabel, options)).toMatchObject({ kind: 'succeeded' });
    expect(await cluster.run(kubernetesLabel, { ...options, attempt: 2 })).toEqual(
      expect.not.objectContaining({ reason: 'unchanged' }),
    );
    expect(metadata()?.['labels']).toMatchObject(setting);
    expect(await cluster.undo(kubernetesLabel, options)).toMatchObject({ kind: 'succeeded' });
    expect([metadata()?.['labels'], metadata()?.['annotations']]).toEqual([before, {}]);
    expect(await cluster.undo(kubernetesLabel, options)).toMatchObject({ kind: 'denied', reason: 'drifted' });
    expect(metadata()?.['labels']).toEqual(before);
  });

  it('an undo leaves what somebody set since, and another pod', async () => {
    const options = { parameters: { labels: setting } };
    await cluster.run(kubernetesLabel, options);
    const changed = cluster.api.objects.get(POD_PATH);
    if (changed === undefined) throw new Error('gone');
    const labels = { ...(changed.metadata['labels'] as object), app: 'third' };
    cluster.api.objects.set(POD_PATH, { ...changed, metadata: { ...changed.metadata, labels } });
    expect(await cluster.undo(kubernetesLabel, options)).toMatchObject({ kind: 'denied', reason: 'drifted' });
    expect(metadata()?.['labels']).toEqual(labels);
    cluster.api.objects.set(POD_PATH, aPod({ metadata: { uid: 'another', labels: setting } }));
    expect(await cluster.undo(kubernetesLabel, options)).toMatchObject({ kind: 'succeeded', reason: 'already_gone' });
    expect(metadata()?.['labels']).toEqual(setting);
  });

  it('what is so already is not changed, and has no undo', async () => {
    const options = { parameters: { labels: { app: 'web' } } };
    expect(await cluster.run(kubernetesLabel, options)).toMatchObject({ kind: 'succeeded', reason: 'unchanged' });
    expect(changes(cluster.api)).toEqual([]);
  });

  it('a dry run asks and changes nothing', async () => {
    const options = { dry: true, parameters: { labels: { app: 'x' } } };
    expect(await cluster.run(kubernetesLabel, options)).toMatchObject({ kind: 'succeeded' });
    expect(changes(cluster.api)).toHaveLength(1);
    expect(metadata()?.['labels']).toEqual({ app: 'web', 'pod-template-hash': 'abc' });
  });

  it('a pod made anew between look and change is refused by the server', async () => {
    const get = cluster.api.objects.get.bind(cluster.api.objects);
    let looks = 0;
    cluster.api.objects.get = (path) => {
      looks += 1;
      return looks > 1 ? aPod({ metadata: { uid: 'another' } }) : get(path);
    };
    const result = await cluster.run(kubernetesLabel, { parameters: { labels: { app: 'x' } } });
    cluster.api.objects.get = get;
    expect(result).toMatchObject({ kind: 'denied', reason: 'other_pod' });
  });

  it('nothing that is protected is touched', async () => {
    const options = { parameters: { labels: { app: 'x' } } };
    const policy = policyOf({ protected: { namespaces: ['shop'] } });
    expect(await cluster.run(kubernetesLabel, options, policy)).toMatchObject({ reason: 'protected_namespace' });
    expect(changes(cluster.api)).toEqual([]);
  });

  it.each([
    [{ labels: {} }],
    [{ labels: { 'bad key!': 'x' } }],
    [{ labels: { app: 'two words' } }],
    [{ labels: { app: 'x'.repeat(64) } }],
    [{ label: { app: 'x' } }],
    [{}],
  ])('%o is refused when the rule is read', (parameters) => {
    expect(kubernetesLabel({ ...cluster, policy: policyOf() }).check(parameters)).toMatchObject({ ok: false });
  });
});
