import { expect, it } from 'vitest';
import { promotionRefusals } from './promotion.ts';
import { RuleTally } from './rule-tally.ts';
import { workloadKey } from './workload-key.ts';

const DAY = 86_400_000;
const LIMITS = { maxPerDay: 20, minHistoryMs: 7 * DAY, maxWorkloadShare: 0.25 };
const WEB = workloadKey(['t', 'c', 'shop', 'Deployment', 'web']);

function tallyOf({ perDay = 0, targets = 0 }): RuleTally {
  const tally = new RuleTally();
  for (let i = 0; i < perDay; i += 1) tally.perDay.add(DAY);
  if (targets > 0) tally.targets.set(WEB, new Set(Array.from({ length: targets }, (_, i) => `pod${i}`)));
  return tally;
}
const refusals = (tally: RuleTally, more: Partial<Parameters<typeof promotionRefusals>[0]> = {}) =>
  promotionRefusals({ class: 3, historyMs: 7 * DAY, pods: new Map(), tally, ...more }, LIMITS);

it('lets a rule enforce that kept to the limits', () => {
  expect(refusals(tallyOf({ perDay: 20, targets: 1 }), { pods: new Map([[WEB, 4]]) })).toEqual([]);
});

it('names every reason against it', () => {
  expect(refusals(tallyOf({ perDay: 21, targets: 2 }), { historyMs: 7 * DAY - 1, pods: new Map([[WEB, 4]]) })).toEqual([
    'the history found is 6.99 days long, less than 7',
    '21 actions on 1970-01-02, more than 20 a day',
    '2 of 4 pods of c/shop Deployment web: more than 25 % of a workload',
  ]);
});

it('refuses what it does not know from class 3 on, and asks nothing of notices', () => {
  const unknown = tallyOf({ targets: 2 });
  expect(refusals(unknown)).toEqual(['how many pods there are is not known: c/shop Deployment web']);
  expect(refusals(unknown, { class: 2 })).toEqual([]);
  expect(refusals(unknown, { class: 1, pods: new Map([[WEB, 2]]) })).toEqual([]);
  const nowhere = tallyOf({});
  nowhere.withoutWorkload = 3;
  expect(refusals(nowhere)).toEqual([
    'how many pods there are is not known: 3 actions on targets of no known workload',
  ]);
});
