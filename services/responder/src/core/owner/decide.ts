import type { OwnerRequest } from '@eyrie/schemas';
import type { RuleSet } from '../rules/rule-set.ts';
import { admit } from './admit.ts';
import { approve } from './approve.ts';
import { begin } from './begin.ts';
import { countFailures, resetBreaker } from './breaker.ts';
import type { Decision, OwnerInput, OwnerOptions } from './decision.ts';
import { expire } from './expire.ts';
import { finish, recover } from './finish.ts';
import { overdue } from './overdue.ts';
import type { OwnerState } from './state.ts';
import { askUndo, finishUndo } from './undo.ts';

/** What the owner of a partition does with an input. Pure: the loop makes it durable, then calls. */
export function decide(
  state: OwnerState,
  input: OwnerInput,
  rules: RuleSet,
  now: number,
  options: OwnerOptions,
): Decision {
  const decision = answer(state, input, rules, now, options);
  return input.kind === 'result' || input.kind === 'recover' ? countFailures(state, decision, rules, now) : decision;
}

function answer(state: OwnerState, input: OwnerInput, rules: RuleSet, now: number, options: OwnerOptions): Decision {
  switch (input.kind) {
    case 'request':
      return take(state, input.request, rules, now, options);
    case 'overdue':
      return overdue(state, now, options);
    case 'start':
      return begin(state, rules, now, options);
    case 'result':
      return input.undo === true
        ? finishUndo(state, input.plan, input.step, input.result, now)
        : finish(state, input.plan, input.step, input.result, now, options);
    case 'recover':
      return recover(state, now, options);
    case 'expire':
      return expire(state, now, options);
  }
}

function take(state: OwnerState, request: OwnerRequest, rules: RuleSet, now: number, options: OwnerOptions): Decision {
  switch (request.kind) {
    case 'match':
      return admit(state, request, rules, now, options);
    case 'approval':
      return approve(state, request, rules, now);
    case 'undo':
      return askUndo(state, request, now);
    case 'breaker_reset':
      return resetBreaker(state, request);
  }
}
