import { expect, it } from 'vitest';
import { describeActions, permissionsOf } from './describe-actions.ts';

it('every action says what it takes and what it asks of a cluster', async () => {
  const actions = await describeActions();
  expect(actions.map(({ name }) => name)).toEqual(actions.map(({ name }) => name).sort());
  for (const { name, summary, parameters, rbac } of actions) {
    expect(summary).toMatch(/^[A-Z].*\.$/);
    expect(parameters).toMatchObject({ type: 'object', additionalProperties: false });
    expect(rbac.length > 0).toBe(name.startsWith('kubernetes:'));
  }
});

it('what several actions need is asked for once, verbs together', async () => {
  const actions = (await describeActions()).filter(({ name }) => /terminate|label/.test(name));
  expect(permissionsOf(actions)).toEqual([
    { group: '', resource: 'pods', verbs: ['delete', 'get', 'patch'] },
    { group: '', resource: 'pods/eviction', verbs: ['create'] },
    { group: 'apps', resource: 'replicasets', verbs: ['get'] },
    { group: 'apps', resource: 'statefulsets', verbs: ['get'] },
  ]);
  expect(permissionsOf([])).toEqual([]);
});
