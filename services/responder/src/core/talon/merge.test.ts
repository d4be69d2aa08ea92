import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CORDON,
  flags,
  importTexts,
  only,
  path,
  refusals,
  withAction,
  withMatch,
} from '../../talon-files.test-support.ts';

describe('templates and overrides', () => {
  const TEMPLATE = `- action: Net
  actionner: kubernetes:networkpolicy
  parameters: {allow_cidr: [10.0.0.0/8]}
- action: Mark
  description: marks it
  actionner: kubernetes:label
  ignore_errors: true
  parameters: {labels: {a: "1", b: "2"}}
`;

  it('an action takes from its template what it lacks: lists concatenate, maps merge, scalars stay', () => {
    const rule = `- rule: R
  match: {rules: [X]}
  actions:
    - {action: Net, parameters: {allow_cidr: [192.168.0.0/16], allow_namespaces: [green]}}
    - {action: Mark, ignore_errors: false, parameters: {labels: {b: "3", c: ""}}}
`;
    expect(only(importTexts(TEMPLATE + rule)).written['actions']).toEqual([
      {
        action: 'net',
        actionner: 'kubernetes:networkpolicy',
        parameters: { allow_cidr: ['10.0.0.0/8', '192.168.0.0/16'], allow_namespaces: ['green'] },
      },
      { action: 'mark', actionner: 'kubernetes:label', parameters: { labels: { a: '1', b: '3', c: null } } },
    ]);
  });

  it('also the rest of a template is inherited: output, contexts, continue', () => {
    const text = `- {action: Log, actionner: kubernetes:log, continue: false, additional_contexts: [aws], parameters: {tail_lines: 1}}
- {action: Store, actionner: kubernetes:log, output: {target: aws:s3}}
- rule: R
  match: {rules: [X]}
  actions: [{action: Log, additional_contexts: [k8snode]}, {action: Cordon, actionner: kubernetes:cordon}]
- rule: S
  match: {rules: [Y]}
  actions: [{action: Store}]
`;
    const { imported, refused } = importTexts(text);
    expect(imported.map(({ written }) => written['actions'])).toMatchObject([[{ action: 'log' }]]);
    expect(imported[0]?.flags.map(({ code, key }) => [code, key])).toEqual([
      ['continue', 'actions.1'],
      ['additional_contexts', 'additional_contexts.0'],
      ['additional_contexts', 'actions.0.additional_contexts.0'],
      ['generated', 'rule'],
    ]);
    expect(refused).toMatchObject([{ name: 'S', problems: [{ line: 2, key: 'output.target' }] }]);
  });

  it.each([
    ['true', 'false', ['R']],
    ['false', 'true', ['R', 'S']],
  ])('continue: %s, then %s in a later block: the later holds', (first, later, names) => {
    const rule = (name: string, more: string) =>
      `${withMatch('rules: [X]').replace('rule: R', `rule: ${name}`)}${more}`;
    const text = rule('R', `  continue: ${first}\n`) + rule('S', '');
    const { imported } = importTexts(text, `- {rule: R, continue: ${later}}\n`);
    expect(imported.map(({ name }) => name)).toEqual(names);
  });

  it('later blocks of one name override scalars and append lists, over files', () => {
    const rule = (more: string) => `- rule: R\n${more}`;
    const { written } = only(
      importTexts(
        `${TEMPLATE}${rule('  match: {rules: [X], tags: [a], priority: Error}\n  actions: [{action: Mark}]\n')}`,
        `- {action: Mark, ignore_errors: false, parameters: {labels: {a: "9"}}}\n${rule('  match: {rules: [Y], tags: ["b, c"], priority: ">=Notice"}\n  actions: [{action: Net}]\n')}`,
      ),
    );
    expect(written).toMatchObject({
      match: { rules: ['X', 'Y'], tags: ['a', 'b, c'], priority: '>=Notice' },
      actions: [
        { action: 'mark', actionner: 'kubernetes:label', parameters: { labels: { a: '9', b: '2' } } },
        { action: 'net', actionner: 'kubernetes:networkpolicy' },
      ],
    });
    expect(written['actions']).not.toHaveProperty('0.on_error');
  });

  it.each([
    [
      'kinds that do not agree',
      `${TEMPLATE}- rule: R\n  match: {rules: [X]}\n  actions: [{action: Net, parameters: {allow_cidr: 10.0.0.0/8}}]\n`,
      'a.yaml:11 actions.0.parameters.allow_cidr: "allow_cidr" is of another kind at line 3; Talon drops one of them',
    ],
    [
      'a template that is not there',
      '- rule: R\n  match: {rules: [X]}\n  actions: [{action: Nett}]\n',
      'a.yaml:3 actions.0: "Nett" has no actionner, and there is no template of that name',
    ],
    [
      'what is wrong with a template, in each rule that uses it',
      `- {action: T, actioner: kubernetes:cordon}\n${withAction('action: T')}`,
      'a.yaml:1 actioner: "actioner" is no key of an action (actionner?); there are action, description, actionner, parameters, continue, ignore_errors, additional_contexts, output. Talon ignores it',
    ],
  ])('refuses %s', (_, text, message) => expect(refusals(importTexts(text))).toContain(message));

  it('an action that two blocks have runs twice, as in Talon, and is flagged', () => {
    const result = importTexts(withMatch('rules: [X]'), `- rule: R\n  ${CORDON}\n`);
    expect(flags(result)).toEqual([
      'twice b.yaml:2 actions.0: "Cordon" stands twice in the rule, once for each block that has it',
    ]);
    const { written } = only(result);
    expect(written['actions']).toMatchObject([
      { action: 'cordon' },
      { action: expect.stringMatching(/^cordon-[0-9a-f]{6}$/) },
    ]);
  });
});

describe('templates that no rule uses', () => {
  it('are named', () => {
    const { unused, refused } = importTexts(`- {action: T, actionner: kubernetes:cordon}\n${withMatch('rules: [X]')}`);
    expect(refused).toEqual([]);
    expect(unused).toEqual([{ name: 'T', file: join(path, 'a.yaml'), line: 1 }]);
  });

  it('are refused for what is wrong with them', () => {
    expect(refusals(importTexts('- {action: T, actionner: kubernetes:cordon, paramaters: {}}\n'))[0]).toContain(
      '"paramaters" is no key of an action (parameters?)',
    );
  });
});

describe('how far Talon goes on', () => {
  it('actions after one that ends the rule are left out', () => {
    const result = importTexts(
      `- rule: R\n  match: {rules: [X]}\n  actions:\n    - {action: Kill, actionner: kubernetes:terminate, parameters: {grace_period_seconds: 1, ignore_standalone_pods: true}}\n    - {action: Cordon, actionner: kubernetes:cordon}\n`,
    );
    expect(flags(result)).toContain(
      'continue a.yaml:5 actions.1: "Cordon" is left out: Talon never reaches it, "Kill" before it ends the actions of the rule (continue: false)',
    );
    expect(only(result).written['actions']).toMatchObject([{ action: 'kill' }]);
  });

  it('unless it says that it goes on', () => {
    const text = `- rule: R\n  match: {rules: [X]}\n  actions:\n    - {action: Kill, actionner: kubernetes:terminate, continue: true}\n    - {action: Cordon, actionner: kubernetes:cordon, continue: false}\n    - {action: Log, actionner: kubernetes:log}\n`;
    expect(only(importTexts(text)).written['actions']).toMatchObject([{ action: 'kill' }, { action: 'cordon' }]);
  });

  it('an action that is never reached is refused for what is wrong with it all the same', () => {
    const text = `- rule: R\n  match: {rules: [X]}\n  actions:\n    - {action: Kill, actionner: kubernetes:terminate}\n    - {action: Drop, actionner: kubernetes:delete}\n`;
    expect(refusals(importTexts(text))[0]).toContain('kubernetes:delete is not among our actions');
  });

  it('a rule that another keeps events from is refused, also where that one is refused', () => {
    const rule = (name: string, match: string, more = '') => `- rule: ${name}\n  match: ${match}\n  ${CORDON}\n${more}`;
    const result = importTexts(
      rule('First', '{rules: [X], output_fields: ["a=b=c"]}', '  continue: false\n') +
        rule('Other', '{rules: [Y]}') +
        rule('Same', '{rules: [X, Z]}') +
        rule('Any', '{tags: [a]}'),
    );
    expect(result.imported.map(({ name }) => name)).toEqual(['Other']);
    const hidden = (line: number) =>
      `a.yaml:${line} rule: "First" at a.yaml:1 (continue: false) keeps events from this rule in Talon, and would not here: write what it matches as \`unless\`, and take its \`continue: false\` away`;
    expect(refusals(result).slice(1)).toEqual([hidden(8), hidden(11)]);
  });
});
