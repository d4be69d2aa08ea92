import { type Identity, MATCH_FIELDS, type Matcher } from '@eyrie/schemas';
import { expect, it } from 'vitest';
import { anEvent } from './building.test-support.ts';
import { matches } from './matching.ts';

const identity: Identity = { namespace: 'shop', workload: 'cart' };
const holds = (...matchers: Matcher[]) => matches(matchers, anEvent(0, { namespace: 'claimed' }), identity);

it('prefers what the workload says; an absent field differs from everything and equals nothing', () => {
  expect(holds({ field: 'namespace', op: '=', value: 'shop' })).toBe(true);
  expect(holds({ field: 'namespace', op: '=', value: 'claimed' })).toBe(false);
  expect(holds({ field: 'image', op: '!=', value: 'x' })).toBe(true);
  expect(holds({ field: 'image', op: '=', value: 'x' })).toBe(false);
  expect(holds()).toBe(false);
});

it.each(['nmespace', 'constructor', '__proto__', 'raw_pos'])('%s is no field and holds never', (field) => {
  expect(MATCH_FIELDS).not.toContain(field);
  expect(holds({ field, op: '!=', value: 'kube-system' })).toBe(false);
  expect(holds({ field, op: 'contains', value: '' })).toBe(false);
});
