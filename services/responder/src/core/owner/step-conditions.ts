import type { ActionReason } from '@eyrie/schemas';
import type { PlannedAction } from '../rules/compiled.ts';
import { evaluate } from '../rules/where/expression.ts';
import { parseWhere } from '../rules/where/parse.ts';
import type { Plan, Step } from './state.ts';

/** In dry run what would have been done stands for what was. */
const GOOD: ReadonlySet<Step['state']> = new Set(['succeeded', 'simulated', 'undo_scheduled', 'undone']);

/** Why an action is left out although its turn has come; those after it go on. */
export function missedCondition(plan: Plan, { needs = [], when }: PlannedAction): ActionReason | undefined {
  const stepOf = (name: string) => plan.steps.find(({ action }) => action === name);
  if (needs.some((name) => !GOOD.has(stepOf(name)?.state ?? 'failed'))) return 'need_failed';
  if (when === undefined) return undefined;
  const parsed = parseWhere(when);
  if (!('expression' in parsed)) return 'when_false';
  const fields = plan.todo?.context.fields ?? {};
  const lookup = (field: string): unknown => {
    const [, name, what] = /^results\.([a-z0-9._-]+)\.(state|reason)$/.exec(field) ?? [];
    if (name !== undefined) return stepOf(name)?.[what as 'state' | 'reason'];
    return Object.hasOwn(fields, field) ? fields[field] : undefined;
  };
  return evaluate(parsed.expression, lookup) ? undefined : 'when_false';
}
