import { AppError } from '@eyrie/platform/errors';
import { maskSecrets } from '@eyrie/platform/mask';
import { isMatchField, readLine } from '@eyrie/schemas';
import { ResponseRule, RuleTest } from '@eyrie/schemas/rule';
import type { z } from 'zod';
import type { CompiledRule } from './core/rules/compiled.ts';
import { ruleSet } from './core/rules/rule-set.ts';
import { decideTest } from './core/rules/run-tests.ts';
import { type Opening, readOpening } from './history/opening.ts';
import type { Select } from './history/select.ts';
import { explainRules } from './matching.ts';
import { readRuleDirectory } from './rule-directory.ts';
import { findRule, readRules, type SimulateOptions } from './simulate.ts';

export interface MadeTest {
  /** As a rule's `tests` has it. */
  readonly test: z.input<typeof RuleTest>;
  readonly alert_id: string;
  readonly opened_at: string;
  /** What people said of the alert; absent where nobody did. */
  readonly verdict?: string;
  /** What the test cannot hold: it decides otherwise than the event itself. */
  readonly differs?: string;
}

type Columns = Readonly<Record<string, string | number | boolean>>;

/**
 * An alert's opening event as a test of a rule, which expects what the engine decides of it now. Secrets in it are masked:
 * rules lie in repositories.
 * @throws AppError EYRIE_USAGE (no such rule, alert or event), EYRIE_RULE_INVALID, and what asking the tables throws
 */
export async function testFromAlert(
  directory: string,
  ruleId: string,
  alertId: string,
  select: Select,
  paths: SimulateOptions['paths'],
): Promise<MadeTest> {
  const rules = await readRules(directory, paths);
  const rule = asWritten(directory, findRule(rules, ruleId));
  const opening = await readOpening(select, alertId);
  const [told] = explainRules(ruleSet([rule], rules.policy), { ...opening, alert: undefined });
  const found = told?.fired === false ? (told.first_false ?? '') : 'matched';
  const name = `alert ${alertId}, opened ${opening.openedAt.slice(0, 10)}`;
  const make = (columns: Columns) => {
    const given = givenOf(opening, columns);
    const decided = decideTest(rule, given, given.event, rules.policy);
    return { given, decided, matches: decided.decision === 'no_match' ? decided.reason : 'matched' };
  };
  const short = make(scalars(opening.judgement.identity ?? {}));
  // Columns of the event are many: they come only where the rule asks for them.
  const made = short.matches === found ? short : make(scalars({ ...opening.event, ...opening.judgement.identity }));
  const { decision, reason, plan } = made.decided;
  const acts = decision === 'simulated' || decision === 'executing' || decision === 'planned';
  return {
    test: {
      name,
      given: written(made.given),
      expect: { decision: decision as RuleTest['expect']['decision'], ...(acts ? { plan: [...plan] } : { reason }) },
    },
    alert_id: alertId,
    opened_at: opening.openedAt,
    ...(opening.verdict !== '' && { verdict: opening.verdict }),
    ...(made.matches !== found && { differs: `the event: ${found}, the test: ${made.matches}` }),
  };
}

/** Tests judge a rule by the mode it is written in, whatever the policy lets it do. */
function asWritten(directory: string, rule: CompiledRule): CompiledRule {
  for (const entry of readRuleDirectory(directory).files.flatMap(({ rules }) => rules)) {
    const parsed = ResponseRule.safeParse(entry);
    if (parsed.success && parsed.data.id === rule.id) return { ...rule, mode: parsed.data.mode ?? 'dry_run' };
  }
  return rule;
}

function givenOf({ event, judgement, raw }: Opening, columns: Columns) {
  const reading = readLine(raw, { cluster: event.cluster, origin: 'http' });
  if (!reading.ok) throw new AppError('EYRIE_USAGE', `the stored line of the event cannot be read: ${reading.message}`);
  const { rule, priority, tags = [], hostname, output_fields: fields } = reading.falco;
  const given = RuleTest.shape.given.safeParse({
    event: {
      rule,
      priority,
      source: event.source,
      tags: [...tags],
      ...(hostname !== undefined && { hostname }),
      output_fields: masked(fields),
    },
    columns,
    ...(judgement.fp_score !== undefined && { score: judgement.fp_score }),
    suppressed: judgement.outcome === 'suppressed' || judgement.outcome === 'silenced',
  });
  if (!given.success || given.data.event === undefined) {
    throw new AppError('EYRIE_USAGE', 'the event is larger than a test may be: write one with what matters of it');
  }
  return { ...given.data, event: given.data.event };
}

/** Without what a test says by saying nothing. */
function written({ event, columns, score, suppressed }: ReturnType<typeof givenOf>): z.input<typeof RuleTest>['given'] {
  const { output: _, ...said } = event;
  return {
    event: said,
    ...(Object.keys(columns).length > 0 && { columns }),
    ...(score !== undefined && { score }),
    ...(suppressed && { suppressed }),
  };
}

/** What `where` may ask for. */
function scalars(values: object): Columns {
  const found: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(values)) {
    if (!isMatchField(name)) continue;
    if (typeof value === 'string') found[name] = maskSecrets(value);
    else if (typeof value === 'number' || typeof value === 'boolean') found[name] = value;
  }
  return found;
}

function masked(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    typeof part === 'string' ? maskSecrets(part) : part,
  );
}
