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
