import type { RuleSet } from '../rules/rule-set.ts';
import { admit } from './admit.ts';
import { begin } from './begin.ts';
import type { Decision, OwnerInput, OwnerOptions } from './decision.ts';
import { expire } from './expire.ts';
import { finish, recover } from './finish.ts';
import { overdue } from './overdue.ts';
import type { OwnerState } from './state.ts';

/** What the owner of a partition does with an input. Pure: the loop makes it durable, then calls. */
export function decide(
  state: OwnerState,
  input: OwnerInput,
  rules: RuleSet,
  now: number,
  options: OwnerOptions,
): Decision {
  switch (input.kind) {
    case 'request':
      return admit(state, input.request, rules, now, options);
    case 'overdue':
      return overdue(state, now, options);
    case 'start':
      return begin(state, rules, now, options);
    case 'result':
      return finish(state, input.plan, input.step, input.result, now, options);
    case 'recover':
      return recover(state, now, options);
    case 'expire':
      return expire(state, now, options);
  }
}
