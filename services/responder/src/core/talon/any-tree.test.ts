import { ResponseRule } from '@eyrie/schemas/rule';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileRule } from '../rules/compile.ts';
import type { ActionCatalog } from '../rules/compiled.ts';
import { ACTIONNERS } from './actionners.ts';
import { importTalon } from './import.ts';
import { nodeOf } from './nodes.test-support.ts';

// Whatever a file holds: no throw, and what is imported compiles. Names are Talon's, so that much of it is nearly right.
const SUPPORTED = Object.values(ACTIONNERS).flatMap(({ becomes }) => (typeof becomes === 'string' ? [] : [becomes]));
const CATALOG: ActionCatalog = Object.fromEntries(
  SUPPORTED.map(({ actionner, class: level }) => [
    actionner,
    {
      recovery: 'repeat',
      timeoutMs: { standard: 1_000, maximum: 1_000 },
      check: (parameters) => ({ ok: true, class: level, parameters, lane: { name: 'x', max: 1, intervalMs: 0 } }),
    },
  ]),
);

const scalar = fc.oneof(
  fc.constantFrom('true', 'false', true, false, null, 0, 5, '', '33%', '10.0.0.0/8', 'pod', 'slack', 'aws'),
  fc.constantFrom(
    'a=b',
    'a!=b',
    'a=b=c',
    'a="b, c"',
    '>=Error',
    '<Loud',
    'syscall',
    'x, y',
    '__proto__',
    'constructor',
  ),
  fc.string({ maxLength: 8 }),
);
const parameterNames = [...new Set(Object.values(ACTIONNERS).flatMap(({ parameters }) => Object.keys(parameters)))];
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom('labels', 'target', 'toString'), fc.string({ maxLength: 6 })), tie('tree')),
  ),
}));
const mostly = (good: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: tree });
const some = (shape: Record<string, fc.Arbitrary<unknown>>, required: string[]) =>
  fc.record(Object.fromEntries(Object.entries(shape).map(([key, of]) => [key, mostly(of)])), {
    requiredKeys: required,
  });
const bool = fc.constantFrom('true', 'false', true, false);
const name = fc.constantFrom('A', 'B', 'Terminate Pod', 'ß', '');
const noisyAction = some(
  {
    action: name,
    actionner: fc.constantFrom(...Object.keys(ACTIONNERS), 'foo:bar'),
    parameters: fc.dictionary(fc.constantFrom(...parameterNames, 'allow', 'force'), tree, { maxKeys: 3 }),
    continue: bool,
    ignore_errors: bool,
    additional_contexts: fc.array(fc.constantFrom('aws', 'k8snode', 'x'), { maxLength: 2 }),
    output: fc.record({ target: fc.constantFrom('aws:s3', 's3') }),
  },
  ['action', 'actionner'],
);
const plainAction = fc.record({
  action: fc.constantFrom('A', 'B', 'Terminate Pod', 'ß'),
  actionner: fc.constantFrom('kubernetes:cordon', 'kubernetes:log', 'kubernetes:terminate', 'kubernetes:networkpolicy'),
});
const action = fc.oneof({ weight: 3, arbitrary: plainAction }, { weight: 1, arbitrary: noisyAction });
const plainRule = fc.record(
  {
    rule: fc.constantFrom('A', 'B', 'a', 'ß', 'ss'),
    match: fc.record({ rules: fc.constantFrom(['X'], ['Y', 'X']), tags: fc.constantFrom(['a', 'b, c'], null) }),
    continue: bool,
    actions: fc.array(action, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ['rule', 'match', 'actions'] },
);
const noisyRule = some(
  {
    rule: name,
    description: fc.string({ maxLength: 20 }),
    match: some(
      { rules: fc.array(name), tags: fc.array(scalar), output_fields: fc.array(scalar), priority: scalar },
      [],
    ),
    actions: fc.array(action, { maxLength: 3 }),
    continue: bool,
    dry_run: bool,
    notifiers: fc.array(fc.constantFrom('slack', 'smtp', 'x'), { maxLength: 2 }),
  },
  ['rule', 'match', 'actions'],
);
const file = mostly(fc.array(fc.oneof(plainRule, noisyRule, action, tree), { maxLength: 5 }));

it('any tree is imported or refused, and what is imported compiles', () => {
  const seen = { imported: 0, refused: 0 };
  fc.assert(
    fc.property(fc.array(file, { maxLength: 2 }), (files) => {
      const nodes = files.map((one) => nodeOf(one));
      const result = importTalon(nodes, new Set(Object.keys(CATALOG)));
      expect(importTalon(nodes, new Set(Object.keys(CATALOG)))).toEqual(result);
      seen.imported += result.imported.length;
      seen.refused += result.refused.length;
      for (const { problems } of result.refused) expect(problems.length).toBeGreaterThan(0);
      expect(new Set(result.imported.map(({ id }) => id)).size).toBe(result.imported.length);
      for (const { written } of result.imported) {
        expect(written['mode']).toBe('dry_run');
        const compiled = compileRule(ResponseRule.parse(written), 'r.yaml', '', CATALOG);
        expect('problems' in compiled ? compiled.problems : []).toEqual([]);
      }
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(seen.imported, seen.refused)).toBeGreaterThan(30);
});
