import { globSync, readFileSync } from 'node:fs';
import { ACCESS, ACCESS_ROLES, type TopicName } from '@eyrie/schemas';
import { describe, expect, test } from 'vitest';

/** The sources of a role, tests left out. */
function sourceOf(role: string): string {
  const files = globSync(`services/${role}/src/**/*.ts`).filter(
    (file) => !/\.test\.ts$|test-support|\/testing\//.test(file),
  );
  expect(files.length).toBeGreaterThan(3);
  return files.map((file) => readFileSync(file, 'utf8')).join('\n');
}

describe('the table of who reads and writes what', () => {
  test('holds every group that a role joins, its inputs and its state', () => {
    let count = 0;
    for (const role of ACCESS_ROLES) {
      const {
        reads,
        writes,
        groups,
      }: { reads: readonly string[]; writes: readonly string[]; groups: readonly string[] } = ACCESS[role];
      const specs = sourceOf(role).matchAll(/group: '([^']+)', inputs: \[([^\]]+)\](?:, state: '([^']+)')?/g);
      for (const [, group, inputs = '', state] of specs) {
        count += 1;
        expect(groups, role).toContain(group);
        for (const topic of inputs.replaceAll("'", '').split(', ')) expect(reads, `${role} ${group}`).toContain(topic);
        if (state === undefined) continue;
        expect(reads, `${role} ${group}`).toContain(state);
        expect(writes, `${role} ${group}`).toContain(state);
      }
    }
    const all = ACCESS_ROLES.flatMap((role) => [...ACCESS[role].groups]).filter(
      (group) => group !== 'log-identity' && group !== 'input.',
    );
    expect(count).toBe(all.length);
  });

  test('holds every topic that a role is seen to write', () => {
    let count = 0;
    for (const role of ACCESS_ROLES) {
      const writes: readonly TopicName[] = ACCESS[role].writes;
      for (const [, topic] of sourceOf(role).matchAll(/\{\s*topic: '([^']+)',\s*partition\b[^{}]*\b(?:key|value)\b/g)) {
        count += 1;
        expect(writes, role).toContain(topic);
      }
    }
    expect(count).toBeGreaterThan(7);
  });
});
