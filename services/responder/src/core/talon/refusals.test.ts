import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importTalonRules } from '../../main.ts';
import { CORDON, importTexts, path, refusals, withAction, withMatch } from '../../talon-files.test-support.ts';

describe('what is not said in Talon’s format', () => {
  it.each([
    [
      '- rule: R\n  matches: {rules: [X]}\n  actions: []\n',
      'a.yaml:2 matches: "matches" is no key of a rule (match?); there are rule, description, match, continue, dry_run, notifiers, actions. Talon ignores it',
    ],
    [
      '- rule: R\n  match: {rule: [X]}\n',
      'a.yaml:2 match.rule: "rule" is no key of match (rules?); there are rules, tags, output_fields, priority, source. Talon ignores it',
    ],
    ['- rul: R\n', 'a.yaml:1 : an item needs either `rule` or `action`; it has rul but neither'],
    ['- {rule: R, action: A}\n', 'a.yaml:1 : an item needs either `rule` or `action`; it has both'],
    ['- text\n', 'a.yaml:1 : an item needs either `rule` or `action`; it has neither'],
    [
      'version: 1\nrules: []\n',
      'a.yaml:1 : a Talon file is a list of `action:` and `rule:` items; a map with version: 1 is a rule file of Eyrie',
    ],
    ['- rule:\n', 'a.yaml:1 : needs `rule` with a name'],
    ['- action: ""\n', 'a.yaml:1 : needs `action` with a name'],
    [
      `- rule: R\n  ${CORDON}\n`,
      'a.yaml:1 rule: the rule has no condition; Talon acts on every event then. Say so if it is meant: match: {priority: ">=Debug"}',
    ],
    [withMatch('rules: X'), 'a.yaml:3 match.rules: must be a list'],
    [
      withMatch('tags: [a-b]'),
      'a.yaml:3 match.tags.0: "a-b" is no tag (letters, digits, "_" and ".", the last a letter or digit)',
    ],
    [withMatch('output_fields: [a=x]\n    source: ""'), 'a.yaml:4 match.source: is empty; leave it out'],
    [withMatch('priority: <Debug'), 'a.yaml:3 match.priority: no priority is <Debug: the rule never acts'],
    [
      withMatch('output_fields: ["a=x, a=y"]'),
      'a.yaml:1 rule: the conditions contradict one another: the rule never acts',
    ],
    [
      withMatch('output_fields: ["a!=x", "a!=y"]'),
      'a.yaml:1 rule: no event is left out: its conditions hold for every event',
    ],
    ['- rule: R\n  match: {rules: [X]}\n', 'a.yaml:1 rule: the rule has no action'],
    [`${withMatch('rules: [X]')}  continue: maybe\n`, 'a.yaml:5 continue: "maybe" must be true or false'],
    [`${withMatch('rules: [X]')}  dry_run: yes\n`, 'a.yaml:5 dry_run: "yes" must be true or false'],
    [
      `${withMatch('rules: [X]')}  notifiers: [slak]\n`,
      'a.yaml:5 notifiers.0: "slak" is no notifier of Talon (slack?); there are slack, webhook, k8sevents, smtp, loki, elasticsearch',
    ],
    [
      withAction('{action: A, actionner: foo:bar}'),
      expect.stringContaining(
        'a.yaml:4 actions.0.actionner: "foo:bar" is no actionner of Falco Talon; there are kubernetes:terminate, kubernetes:label,',
      ),
    ],
    [
      withAction('{action: A, actionner: kubernetes:labelize}'),
      expect.stringContaining('"kubernetes:labelize" is no actionner of Falco Talon (kubernetes:label?); there are'),
    ],
    [
      withAction('{action: A, actionner: kubernetes:cordon, output: {target: aws:s3}}'),
      'a.yaml:4 actions.0.output.target: kubernetes:cordon has no output',
    ],
    [
      withAction('{action: A, actionner: kubernetes:log, output: {target: s3}}'),
      'a.yaml:4 actions.0.output.target: "s3" is no output of Talon; there are local:file, aws:s3, minio:s3, gcp:gcs',
    ],
    [
      withAction('{action: A, actionner: kubernetes:cordon, additional_contexts: [gcp]}'),
      'a.yaml:4 actions.0.additional_contexts.0: "gcp" is no context of Talon; there are aws, k8snode',
    ],
    [
      '- rule: R\n  <<: {match: {rules: [X]}}\n',
      'a.yaml:2 <<: "<<" is no key of a rule; write out what it stands for; there are rule, description, match, continue, dry_run, notifiers, actions. Talon ignores it',
    ],
    [
      withMatch('rules: [X]').replace('rule: R', `rule: ${'R'.repeat(201)}`),
      'a.yaml:1 rule: it does not fit into our rule file: rule: Too big: expected string to have <=200 characters',
    ],
  ])('%j is refused', (text, message) => {
    expect(refusals(importTexts(text))).toEqual(expect.arrayContaining([message]));
  });

  it.each([
    ['- rule: [\n', 2],
    ['- rule: R\n  rule: R\n', 2],
    ['- rule: R\n---\n- rule: S\n', 2],
    ['- &a [*a]\n', 1],
    ['- rule: !!binary R\n', 1],
  ])('%j stops every file: what it overrides is not known', (text, line) => {
    const result = importTexts(withMatch('rules: [X]'), text);
    expect(result.imported).toEqual([]);
    expect(result.refused[0]?.problems[0]).toMatchObject({ file: join(path, 'b.yaml'), line });
  });

  it('many aliases of many end in a refusal', () => {
    const level = (n: number) => `  - &a${n} [${Array.from({ length: 10 }, () => `*a${n - 1}`).join(', ')}]\n`;
    const text = `- rule: R\n  actions:\n  - &a0 [x]\n${[1, 2, 3, 4, 5, 6, 7, 8].map(level).join('')}`;
    expect(refusals(importTexts(text))[0]).toContain('is nested too deeply, or too much');
  });

  it('a file that is not there is named', async () => {
    await expect(importTalonRules([join(path, 'none.yaml')])).rejects.toMatchObject({ code: 'EYRIE_INPUT_UNREADABLE' });
  });
});
