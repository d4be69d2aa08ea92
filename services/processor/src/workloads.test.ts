import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { expect, it } from 'vitest';
import { Workloads } from './workloads.ts';

it('counts records nobody can take by their reason, and names their position', async () => {
  const lines: string[] = [];
  const log = createLogger({ name: 'test', destination: { write: (line) => void lines.push(line) } });
  const metrics = createMetrics();
  const workloads = new Workloads(log, metrics);
  const values = ['\u0000\u0001', 'null', '{}', '{"v":1}', '{"v":99,"containers":[]}'];
  for (const [offset, value] of values.entries()) workloads.put('k', Buffer.from(value), { partition: 2, offset });
  const shown = await metrics.text();
  expect(shown).toContain('eyrie_dead_letters_total{stage="workloads",reason="unreadable"} 4');
  expect(shown).toContain('eyrie_dead_letters_total{stage="workloads",reason="newer_format"} 1');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject(
    values.map((_, offset) => ({ topic: 'workloads', partition: 2, offset })),
  );
  expect(workloads.pods).toBe(0);
});

it('takes nothing that only looks like a pod, whatever is wrong with it', async () => {
  const metrics = createMetrics();
  const workloads = new Workloads(createLogger({ name: 'test', level: 'silent' }), metrics);
  const pod = {
    v: 1,
    tenant: 'acme',
    cluster: 'eu',
    uid: 'u1',
    namespace: 'shop',
    pod: 'web-1',
    owner: { kind: 'Deployment', name: 'web' },
    containers: [{ name: 'web', image: 'web' }],
    observed_at: 1,
  };
  const wrong = [null, true, [], {}, [null], [{}]];
  const spoiled = Object.keys({ ...pod, node: '', labels: {}, deleted_at: 1 }).flatMap((field) =>
    wrong
      // A pod may be without containers and without labels.
      .filter((value) => !(['containers', 'labels'].includes(field) && /^(\[\]|\{\})$/.test(JSON.stringify(value))))
      .map((value) => ({ ...pod, [field]: value })),
  );
  for (const one of spoiled) workloads.put('k', Buffer.from(JSON.stringify(one)), { partition: 0, offset: 0 });
  expect(workloads.pods).toBe(0);
  const shown = await metrics.text();
  expect(shown).toContain(`eyrie_dead_letters_total{stage="workloads",reason="unreadable"} ${spoiled.length}`);
  workloads.put('k', Buffer.from(JSON.stringify(pod)), { partition: 0, offset: 1 });
  expect(workloads.pods).toBe(1);
});
