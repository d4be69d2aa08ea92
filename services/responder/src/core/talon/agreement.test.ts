import type { Priority } from '@eyrie/schemas';
import { ResponseRule } from '@eyrie/schemas/rule';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileRule } from '../rules/compile.ts';
import type { ActionCatalog, CompiledRule } from '../rules/compiled.ts';
import { matchRule } from '../rules/match.ts';
import { runRuleTest } from '../rules/run-tests.ts';
import { importTalon } from './import.ts';
import { nodeOf } from './nodes.test-support.ts';

// An independent model of what Talon documents: a list, a loop, texts that are equal or not.
interface TalonMatch {
  rules?: string[];
  tags?: string[];
  priority?: string;
  source?: string;
  output_fields?: string[];
}
interface TalonEvent {
  rule: string;
  priority: string;
  source: string;
  tags: string[];
  output_fields: Record<string, unknown>;
}
const ORDER = ['debug', 'informational', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

function talonMatches(match: TalonMatch, event: TalonEvent, absentPasses = true): boolean {
  if (match.rules !== undefined && !match.rules.includes(event.rule)) return false;
  if (match.source !== undefined && match.source !== event.source) return false;
  if (match.tags !== undefined && !match.tags.some((item) => split(item).every((tag) => event.tags.includes(tag)))) {
    return false;
  }
  if (match.priority !== undefined) {
    const [, sign = '', word = ''] = /^([<>]?=?)(.*)$/.exec(match.priority) ?? [];
    const difference = ORDER.indexOf(event.priority.toLowerCase()) - ORDER.indexOf(word.toLowerCase());
    const allowed = { '': difference === 0, '=': difference === 0, '<': difference < 0, '<=': difference <= 0 };
    if (!{ ...allowed, '>': difference > 0, '>=': difference >= 0 }[sign as '<']) return false;
  }
  if (match.output_fields === undefined) return true;
  return match.output_fields.some((item) =>
    split(item).every((condition) => {
      const [field = '', value = ''] = condition.split(/!?=/);
      const found = event.output_fields[field];
      if (!condition.includes('!=')) return rendered(found) === value.replaceAll('"', '');
      if (!absentPasses && (found === undefined || found === null)) return false;
      return rendered(found) !== value.replaceAll('"', '');
    }),
  );
}

/** As Go prints it. */
function rendered(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return value === null ? '<nil>' : String(value);
}

function split(item: string): string[] {
  return item.split(',').map((part) => part.trim());
}

const FIELDS = ['k8s.ns.name', 'proc.name', 'fd.rport', 'container.start_ts', 'proc.aname[2]'];
const WORDS = ['kube-system', 'falco', 'nc', '443', 'true', 'a and b', "it's", 'x in (y)', 'back\\slash', '"quoted"'];
const list = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: 1, maxLength: 3 });
const joined = (of: fc.Arbitrary<string>) =>
  fc.tuple(list(of), fc.constantFrom(',', ', ')).map(([parts, comma]) => parts.join(comma));
const condition = fc
  .tuple(fc.constantFrom(...FIELDS), fc.constantFrom('=', '!='), fc.constantFrom(...WORDS))
  .map((parts) => parts.join(''));
const priorityWord = fc.constantFrom(...ORDER, 'Warning', 'EMERGENCY', 'Notice');
const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 });
const aMatch: fc.Arbitrary<TalonMatch> = fc
  .record({
    rules: optional(list(fc.constantFrom('Shell', 'Miner', 'Escape'))),
    tags: optional(list(joined(fc.constantFrom('shell', 'container', 'T1059')))),
    priority: optional(
      fc.tuple(fc.constantFrom('', '=', '<', '<=', '>', '>='), priorityWord).map((parts) => parts.join('')),
    ),
    source: optional(fc.constantFrom('syscall', 'k8s_audit')),
    output_fields: optional(list(joined(condition))),
  })
  .map((match) => Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined)))
  .filter((match) => Object.keys(match).length > 0);
const value = fc.constantFrom('', '<NA>', null, 443, 5, true, false, 'nc', 'quoted', ...WORDS);
const anEvent: fc.Arbitrary<TalonEvent> = fc.record({
  rule: fc.constantFrom('Shell', 'Miner', 'Other'),
  priority: fc.constantFrom('Emergency', 'Critical', 'Warning', 'Notice', 'Informational', 'Debug'),
  source: fc.constantFrom('syscall', 'k8s_audit'),
  tags: fc.subarray(['shell', 'container', 'T1059', 'other']),
  output_fields: fc
    .array(fc.tuple(fc.constantFrom(...FIELDS), value), { maxLength: 4 })
    .map((pairs) => Object.fromEntries(pairs)),
});

const CATALOG: ActionCatalog = {
  'kubernetes:terminate': {
    recovery: 'repeat',
    timeoutMs: { standard: 1_000, maximum: 1_000 },
    provable: true,
    check: (parameters) => ({ ok: true, class: 3, parameters, lane: { name: 'x', max: 1, intervalMs: 0 } }),
  },
};
const ALL = new Set(Object.keys(CATALOG));

function translated(match: TalonMatch): CompiledRule | string {
  const actions = [{ action: 'Kill it', actionner: 'kubernetes:terminate', parameters: { ignore_daemonsets: true } }];
  const { imported, refused } = importTalon([nodeOf([{ rule: 'R', match, actions }])], ALL);
  if (refused[0] !== undefined) return refused[0].problems.map(({ message }) => message).join('; ');
  const written = imported[0]?.written;
  const compiled = compileRule(ResponseRule.parse(written), 'r.yaml', JSON.stringify(written), CATALOG);
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  return compiled.rule;
}

function ourMatches(rule: CompiledRule, event: TalonEvent): boolean {
  const { output_fields, priority, ...rest } = event;
  const columns = () => ({ workload_kind: 'Deployment' });
  const subject = { ...rest, priority: priority as Priority, hidden: false, columns };
  return matchRule(rule, subject, () => output_fields) === 'matched';
}

const REFUSED =
  /^(?:the conditions contradict|the namespaces it names are protected|no event is left out|no priority is )/;

function agree(match: TalonMatch, event: TalonEvent, absentPasses = true): boolean {
  const rule = translated(match);
  if (typeof rule === 'string') return REFUSED.test(rule);
  return ourMatches(rule, event) === talonMatches(match, event, absentPasses);
}

it('imported matches and Talon’s documented ones agree over events', () => {
  const seen = { matched: 0, not: 0 };
  fc.assert(
    fc.property(aMatch, fc.array(anEvent, { minLength: 1, maxLength: 20 }), (match, events) => {
      for (const event of events) seen[talonMatches(match, event) ? 'matched' : 'not'] += 1;
      return events.every((event) => agree(match, event));
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(seen.matched, seen.not)).toBeGreaterThan(1_000);
});

it('a model in which != needs the field is found to differ', () => {
  const found = fc.check(
    fc.property(aMatch, anEvent, (match, event) => agree(match, event, false)),
    { numRuns: 3_000 },
  );
  expect(found.failed).toBe(true);
});

it('what is refused for never or always acting does so in the model too', () => {
  const seen = { never: 0, always: 0 };
  const fewFields = list(
    joined(
      fc
        .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('=', '!='), fc.constantFrom('x', 'y'))
        .map((parts) => parts.join('')),
    ),
  );
  const states = [undefined, 'x', 'y', 'z'];
  // Every event there is, as far as these conditions tell events apart.
  const events = states.flatMap((a) =>
    states.map((b): TalonEvent => {
      const fields = Object.entries({ a, b }).filter(([, value]) => value !== undefined);
      return { rule: 'R', priority: 'Error', source: '', tags: [], output_fields: Object.fromEntries(fields) };
    }),
  );
  fc.assert(
    fc.property(fewFields, (output_fields) => {
      const rule = translated({ output_fields });
      const matched = events.filter((event) => talonMatches({ output_fields }, event)).length;
      if (matched === 0) seen.never += 1;
      if (matched === events.length) seen.always += 1;
      if (typeof rule !== 'string') return matched > 0 && matched < events.length;
      return matched === (rule.startsWith('no event is left out') ? events.length : 0);
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(seen.never, seen.always)).toBeGreaterThan(10);
});

it('the tests that are written into an imported rule hold', () => {
  let seen = 0;
  fc.assert(
    fc.property(aMatch, (match) => {
      const rule = translated(match);
      if (typeof rule === 'string') return;
      for (const test of rule.tests) {
        if (test.given.event === undefined) throw new Error('no event');
        expect(runRuleTest(rule, test, test.given.event)).toBeUndefined();
        seen += 1;
      }
    }),
    { numRuns: 2_000 },
  );
  expect(seen).toBeGreaterThan(4_000);
});
