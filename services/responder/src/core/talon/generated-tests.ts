import { PRIORITIES, type Priority } from '@eyrie/schemas';
import { DEFAULT_POLICY } from '../policy/policy.ts';
import type { Conditions } from '../rules/conditions.ts';
import { failingFields, matchingFields, otherThan } from './example-fields.ts';
import type { TranslatedMatch } from './match.ts';

interface WrittenEvent {
  readonly rule: string;
  readonly priority: Priority;
  readonly source?: string;
  readonly tags?: readonly string[];
  readonly output_fields?: Readonly<Record<string, string>>;
}

export interface WrittenTest {
  readonly name: string;
  readonly given: { readonly event: WrittenEvent; readonly columns?: Readonly<Record<string, string>> };
  readonly expect: { readonly decision: string; readonly plan?: readonly string[]; readonly reason?: string };
}

export interface TestSubject {
  readonly match: TranslatedMatch;
  /** Names of the actions, in order. */
  readonly plan: readonly string[];
  /** Kinds of owner whose pods the rule spares. */
  readonly spared: readonly string[];
  /** It changes something in a cluster, so that a policy can forbid it. */
  readonly changes: boolean;
}

/**
 * Tests that show where an imported rule acts and where it does not, made of its own match; a text says why there are none.
 * They hold the translation against the engine each time the file is read.
 */
export function generateTests({ match, plan, spared, changes }: TestSubject): readonly WrittenTest[] | string {
  const fields = matchingFields(changes ? elsewhere(match.conditions) : match.conditions);
  if (fields === undefined) {
    return matchingFields(match.conditions) === undefined
      ? 'the conditions contradict one another: the rule never acts'
      : 'the namespaces it names are protected by the default policy: the rule never acts';
  }
  const { written, priorities, tags } = match;
  const event: WrittenEvent = {
    rule: written.rules?.[0] ?? 'A detection',
    priority: priorities.includes('Warning') ? 'Warning' : (priorities[0] ?? 'Warning'),
    ...(written.source !== undefined && { source: written.source }),
    ...(tags[0] !== undefined && { tags: tags[0] }),
    ...(Object.keys(fields.all).length > 0 && { output_fields: fields.all }),
  };
  const columns = spared.length === 0 ? {} : { columns: { workload_kind: 'Deployment' } };
  const test = (name: string, change: Partial<WrittenEvent>, expect: WrittenTest['expect']): WrittenTest => ({
    name,
    given: { event: { ...event, ...change }, ...columns },
    expect,
  });
  const acts = { decision: 'simulated', plan };
  const rests = (reason: string) => ({ decision: 'no_match', reason });
  const others = leftOut(match).map(({ reason, change }) => test(`not when ${reason} differs`, change, rests(reason)));
  if (others.length === 0) return 'no event is left out: its conditions hold for every event';
  return [
    test('acts', {}, acts),
    ...(fields.isOnPresence
      ? []
      : [test('acts where fields are absent, as in Talon', { output_fields: fields.needed }, acts)]),
    ...others,
    ...spared.map((kind): WrittenTest => {
      const { given } = test('', {}, acts);
      return {
        name: `spares pods of a ${kind}`,
        given: { ...given, columns: { workload_kind: kind } },
        expect: rests('unless'),
      };
    }),
  ];
}

const NAMESPACE = 'k8s.ns.name';

/** The conditions under which something may be changed: without those that ask for a protected namespace. */
function elsewhere(conditions: Conditions): Conditions {
  if (conditions.length === 0) return conditions;
  const left = conditions.filter(
    (all) =>
      !all.some(({ field, op, value }) => field === NAMESPACE && op === '=' && DEFAULT_POLICY.protectsNamespace(value)),
  );
  return left.length > 0 ? left : NEVER;
}

/** Contradicts itself. */
const NEVER: Conditions = [
  [
    { field: NAMESPACE, op: '=', value: 'a' },
    { field: NAMESPACE, op: '=', value: 'b' },
  ],
];

/** One change for each kind of condition that makes the match fail. */
function leftOut({ written, priorities, conditions }: TranslatedMatch): readonly {
  readonly reason: string;
  readonly change: Partial<WrittenEvent>;
}[] {
  const priority = PRIORITIES.find((word) => !priorities.includes(word));
  const fields = conditions.length === 0 ? undefined : failingFields(conditions);
  return [
    ...(written.rules === undefined
      ? []
      : [{ reason: 'rules', change: { rule: otherThan(written.rules, 'Another detection') } }]),
    ...(written.source === undefined
      ? []
      : [{ reason: 'source', change: { source: otherThan([written.source], 'another') } }]),
    ...(priority === undefined ? [] : [{ reason: 'priority', change: { priority } }]),
    ...(written.tags === undefined ? [] : [{ reason: 'tags', change: { tags: [] } }]),
    ...(fields === undefined ? [] : [{ reason: 'output_fields', change: { output_fields: fields } }]),
  ];
}
