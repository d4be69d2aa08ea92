import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ImportedRule, TalonImport } from './core/talon/import.ts';
import { checkRules, importTalonRules } from './main.ts';
import { importTalonFiles, writeRuleFile } from './talon-files.ts';
import { testPlace } from './testing/place.ts';

const OURS =
  'kubernetes:terminate, kubernetes:label, kubernetes:annotation, kubernetes:networkpolicy, kubernetes:cordon, kubernetes:log, kubernetes:exec';
const ALL = new Set(OURS.replace('annotation', 'annotate').split(', '));

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'eyrie-talon-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

/** As a shell and Talon write it. */
const variable = (name: string) => `\${${name}}`;

/** Files `a.yaml`, `b.yaml`, …, in that order. */
function files(...texts: readonly string[]): string[] {
  return texts.map((text, i) => {
    const file = join(path, `${String.fromCharCode(97 + i)}.yaml`);
    writeFileSync(file, text);
    return file;
  });
}

function importTexts(...texts: readonly string[]): TalonImport {
  return importTalonFiles(files(...texts), ALL);
}

function shorten(text: string): string {
  return text.replaceAll(`${path}/`, '');
}

/** `file:line key: message` of what was refused. */
function refusals({ refused }: TalonImport): string[] {
  return refused.flatMap(({ problems }) =>
    problems.map(({ file, line, key, message }) => shorten(`${file}:${line} ${key}: ${message}`)),
  );
}

function flags({ imported, refused }: TalonImport): string[] {
  expect(refused).toEqual([]);
  return imported.flatMap((rule) =>
    rule.flags
      .filter(({ code }) => code !== 'generated')
      .map(({ code, file, line, key, message }) => shorten(`${code} ${file}:${line} ${key}: ${message}`)),
  );
}

function only({ imported, refused }: TalonImport): ImportedRule {
  expect(refused).toEqual([]);
  expect(imported).toHaveLength(1);
  return imported[0] as ImportedRule;
}

const CORDON = 'actions: [{action: Cordon, actionner: kubernetes:cordon}]';
const withMatch = (match: string) => `- rule: R\n  match:\n    ${match}\n  ${CORDON}\n`;
const withAction = (action: string) => `- rule: R\n  match: {rules: [X]}\n  actions:\n    - ${action}\n`;

describe('the six traps of Talon', () => {
  it.each([
    [
      'proc.cmdline=curl --data=x',
      `"proc.cmdline=curl --data=x": has a second "="; Talon drops the condition without a word and the rule matches more. Write proc.cmdline="curl --data=x" in our format`,
    ],
    [
      'proc.cmdline!=a=b',
      `"proc.cmdline!=a=b": has a second "="; Talon drops the condition without a word and the rule matches more. Write proc.cmdline?!="a=b" in our format`,
    ],
    [
      'proc.name!=a!b',
      `"proc.name!=a!b": has a second "!"; Talon drops the condition without a word and the rule matches more. Write proc.name?!="a!b" in our format`,
    ],
    [
      'k8s.ns.name=x,proc.cmdline=a, b',
      `"b": is no condition. Talon cuts an item at every comma, also within quotes; write field="value, with a comma" in our format`,
    ],
    [
      'proc.cmdline="a,b=c"',
      `"proc.cmdline="a": ends within its quotes. Talon cuts an item at every comma, also within quotes; write field="value, with a comma" in our format`,
    ],
    [
      'proc.name = a',
      '"proc.name = a": "proc.name " is no name of a field (letters, digits, ".", "_", "-", "/", "[ ]", no space)',
    ],
    ['proc.name=a , b=c', '"proc.name=a ": has a space beside its value, which Talon compares too; take it away'],
    [
      'proc.name!=',
      `"proc.name!=": compares with what stands for an absent field; write where: 'exists(proc.name)' in our format`,
    ],
    [
      'proc.name=<NA>',
      `"proc.name=<NA>": compares with what stands for an absent field; write where: 'not exists(proc.name)' in our format`,
    ],
  ])('1: %s refuses the rule', (item, message) => {
    const [found] = refusals(importTexts(withMatch(`output_fields:\n      - ${JSON.stringify(item)}`)));
    expect(found).toBe(`a.yaml:4 match.output_fields.0: ${message}`);
  });

  it('2: keys that Talon rejects are taken, and flagged', () => {
    const result = importTexts(withMatch('output_fields: ["k8s.pod.label[app-name]=x", "container.start_ts=1"]'));
    expect(flags(result)).toEqual([
      'key_accepted a.yaml:3 match.output_fields.0: k8s.pod.label[app-name] is taken as it is written; Talon takes letters, digits, "." and "[ ]" in a key and rejects the rule',
      'key_accepted a.yaml:3 match.output_fields.1: container.start_ts is taken as it is written; Talon takes letters, digits, "." and "[ ]" in a key and rejects the rule',
    ]);
    expect(only(result).written['match']).toEqual({
      output_fields: ['k8s.pod.label[app-name]=x', 'container.start_ts=1'],
    });
  });

  it('3: an override clears neither priority nor source', () => {
    const first = withMatch('rules: [X]\n    priority: ">=Error"\n    source: syscall');
    const result = importTexts(first, '- rule: R\n  dry_run: true\n');
    expect(flags(result)).toEqual([
      'override_kept a.yaml:4 match.priority: priority >=Error is kept; in Talon the block at b.yaml:1 clears it, because it does not name it',
      'override_kept a.yaml:5 match.source: source syscall is kept; in Talon the block at b.yaml:1 clears it, because it does not name it',
      'dry_run b.yaml:2 dry_run: mode: dry_run, as it was in Talon',
    ]);
    expect(only(result).written['match']).toEqual({ rules: ['X'], priority: '>=Error', source: 'syscall' });
  });

  it.each([
    [
      'kubernetes:networkpolicy',
      'allow: [10.0.0.0/8]',
      '"allow" is no parameter of kubernetes:networkpolicy: Talon takes it and does nothing with it; write allow_cidr; there are allow_cidr, allow_namespaces',
    ],
    [
      'kubernetes:terminate',
      'ignore_daemonset: true',
      '"ignore_daemonset" is no parameter of kubernetes:terminate: Talon takes it and does nothing with it; write ignore_daemonsets; there are grace_period_seconds, ignore_standalone_pods, min_healthy_replicas, ignore_daemonsets, ignore_statefulsets',
    ],
    [
      'kubernetes:drain',
      'force: true',
      '"force" is no parameter of kubernetes:drain: Talon takes it and does nothing with it; a drain cannot be forced: leave it out; there are min_healthy_replicas, ignore_daemonsets, ignore_statefulsets, max_wait_period, wait_period_excluded_namespaces, ignore_errors',
    ],
    [
      'kubernetes:cordon',
      'node: x',
      '"node" is no parameter of kubernetes:cordon: Talon takes it and does nothing with it; it has none',
    ],
  ])('4: %s with %s is refused', (actionner, parameter, message) => {
    const text = withAction(`action: A\n      actionner: ${actionner}\n      parameters:\n        ${parameter}`);
    const key = parameter.split(':')[0];
    expect(refusals(importTexts(text))).toContain(`a.yaml:7 actions.0.parameters.${key}: ${message}`);
  });

  it.each(['>=Loud', 'Info', '=>Error', '>= Error', ''])('5: the priority "%s" is refused', (priority) => {
    expect(refusals(importTexts(withMatch(`priority: "${priority}"`)))).toContain(
      `a.yaml:3 match.priority: "${priority}" is no priority: [<|>][=] and one of Emergency, Alert, Critical, Error, Warning, Notice, Informational, Debug`,
    );
  });

  it('5: a comparison that unknown words pass in Talon is flagged', () => {
    expect(flags(importTexts(withMatch('priority: <Error')))).toEqual([
      "priority a.yaml:3 match.priority: an event whose priority is none of Falco's words is below all in Talon and so matches <Error; Eyrie takes no such event in",
    ]);
  });

  it('6: != still holds where the field is absent, and that is flagged', () => {
    const result = importTexts(withMatch('output_fields: [\'k8s.ns.name!=kube-system, proc.name="nc"\']'));
    expect(flags(result)).toEqual([
      'absent_passes a.yaml:3 match.output_fields.0: k8s.ns.name?!=kube-system also holds where k8s.ns.name is absent, as in Talon: events of hosts match too; k8s.ns.name!=kube-system would need the field',
    ]);
    expect(only(result).written['match']).toEqual({ output_fields: ['k8s.ns.name?!=kube-system, proc.name=nc'] });
  });
});

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
      'a.yaml:1 rule: no event is left out: any of its conditions holds for every event',
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

describe('each actionner', () => {
  const action = (actionner: string, parameters: string, more = '') =>
    withAction(`{action: Do it, actionner: "${actionner}", parameters: {${parameters}}${more}}`);

  it.each([
    [
      'kubernetes:terminate',
      '',
      'kubernetes:terminate',
      { method: 'delete', grace_period_seconds: 0, standalone: 'deny' },
    ],
    [
      'kubernetes:terminate',
      'grace_period_seconds: 5, ignore_daemonsets: true, ignore_statefulsets: true, min_healthy_replicas: "33%"',
      'kubernetes:terminate',
      { method: 'delete', grace_period_seconds: 5, standalone: 'deny', min_ready: '33%' },
    ],
    [
      'kubernetes:terminate',
      'grace_period_seconds: 5, ignore_standalone_pods: false, min_healthy_replicas: 2',
      'kubernetes:terminate',
      { method: 'delete', grace_period_seconds: 5, standalone: 'allow', min_ready: '2' },
    ],
    [
      'kubernetes:label',
      'level: pod, labels: {suspicious: true}',
      'kubernetes:label',
      { labels: { suspicious: 'true' } },
    ],
    ['kubernetes:label', 'labels: {app: ""}', 'kubernetes:label', { labels: { app: null } }],
    ['kubernetes:annotation', 'annotations: {a/b: "c d"}', 'kubernetes:annotate', { annotations: { 'a/b': 'c d' } }],
    ['kubernetes:networkpolicy', '', 'kubernetes:networkpolicy', {}],
    [
      'kubernetes:networkpolicy',
      'allow_cidr: ["10.0.0.0/8"], allow_namespaces: [green]',
      'kubernetes:networkpolicy',
      { allow_cidr: ['10.0.0.0/8'], allow_namespaces: ['green'] },
    ],
    ['kubernetes:cordon', '', 'kubernetes:cordon', {}],
    ['kubernetes:log', '', 'kubernetes:log', { tail_lines: 20 }],
    ['kubernetes:log', 'tail_lines: 200', 'kubernetes:log', { tail_lines: 200 }],
    ['kubernetes:exec', 'command: uname -a', 'kubernetes:exec', { command: ['/bin/sh', '-c', 'uname -a'] }],
    [
      'kubernetes:exec',
      'shell: /bin/bash, command: "echo $(date)"',
      'kubernetes:exec',
      { command: ['/bin/bash', '-c', 'echo $(date)'] },
    ],
  ])('%s {%s} becomes %s %j', (actionner, parameters, ours, translated) => {
    const { written } = only(importTexts(action(actionner, parameters)));
    expect(written).toMatchObject({ mode: 'dry_run', match: { rules: ['X'] } });
    expect(written['actions']).toEqual([{ action: 'do-it', actionner: ours, parameters: translated }]);
  });

  it.each([
    [
      'kubernetes:script',
      'script: ps',
      'a rule names a program, it never carries one. Put it into EYRIE_SCRIPTS_DIR and use shell:script (beside Eyrie, the event as JSON on standard input), or kubernetes:exec for one command in the pod',
      ':',
    ],
    [
      'kubernetes:download',
      'file: /etc/passwd',
      'shell:script can fetch a file of the pod with a program of your own',
      ';',
    ],
    [
      'kubernetes:tcpdump',
      'duration: 10, snaplen: 1024',
      'it puts a privileged container into the pod under attack',
      ':',
    ],
    [
      'kubernetes:sysdig',
      'duration: 5, scope: pod, buffer_size: 4096',
      "it runs a privileged job with the node's file system in the victim's namespace",
      ':',
    ],
    [
      'kubernetes:delete',
      '',
      'it deletes whatever the event names, namespaces and cluster roles included, and an event is text that others write',
      ':',
    ],
    [
      'kubernetes:drain',
      'ignore_daemonsets: true, max_wait_period: 90',
      'kubernetes:cordon keeps new pods away, kubernetes:terminate ends the pod of the event',
      ';',
    ],
    [
      'calico:networkpolicy',
      'order: 20, allow_cidr: ["10.0.0.0/8"]',
      'kubernetes:networkpolicy and kubernetes:quarantine use policies that every plugin enforces',
      ';',
    ],
    [
      'cilium:networkpolicy',
      'allow_namespaces: [green]',
      'kubernetes:networkpolicy and kubernetes:quarantine use policies that every plugin enforces',
      ';',
    ],
    [
      'aws:lambda',
      'aws_lambda_name: f, aws_lambda_alias_or_version: $LATEST',
      'give the function a URL and use webhook:post, which is signed',
      ';',
    ],
    [
      'gcp:function',
      'gcp_function_name: f, gcp_function_location: l',
      'give the function a URL and use webhook:post, which is signed',
      ';',
    ],
  ])('%s {%s} is refused', (actionner, parameters, reason, sign) => {
    expect(refusals(importTexts(action(actionner, parameters)))).toEqual([
      `a.yaml:4 actions.0.actionner: ${actionner} is not among our actions${sign} ${reason}. Ours, of those of Talon: ${OURS}`,
    ]);
  });

  it.each([
    [
      'kubernetes:terminate',
      'grace_period_seconds: soon',
      'parameters.grace_period_seconds: grace_period_seconds must be a whole number from 0',
    ],
    [
      'kubernetes:terminate',
      'grace_period_seconds: 3601',
      'parameters.grace_period_seconds: grace_period_seconds must be at most 3600',
    ],
    [
      'kubernetes:terminate',
      'ignore_daemonsets: "true"',
      'parameters.ignore_daemonsets: ignore_daemonsets must be true or false',
    ],
    [
      'kubernetes:terminate',
      'min_healthy_replicas: half',
      'parameters.min_healthy_replicas: min_healthy_replicas must be a number of pods such as "2", or a share such as "33%"',
    ],
    [
      'kubernetes:terminate',
      'min_healthy_replicas: "101%"',
      'parameters.min_healthy_replicas: min_healthy_replicas must be a number of pods such as "2", or a share such as "33%"',
    ],
    ['kubernetes:label', '', 'actionner: kubernetes:label needs labels'],
    [
      'kubernetes:label',
      'labels: {a: "1"}, level: node',
      'parameters.level: level node is not among our actions: labels are set on the pod of the event',
    ],
    [
      'kubernetes:annotation',
      'annotations: {a: [1]}',
      'parameters.annotations: annotations must be a map of names that Kubernetes takes and texts ("" takes one away)',
    ],
    [
      'kubernetes:networkpolicy',
      'allow_cidr: [10.0.0.1]',
      'parameters.allow_cidr: allow_cidr must be a list of networks such as 10.0.0.0/8',
    ],
    ['kubernetes:exec', '', 'actionner: kubernetes:exec needs command'],
    ['kubernetes:log', 'tail_lines: null', 'parameters.tail_lines: tail_lines must be a whole number from 0'],
  ])('%s {%s} is refused for its parameters', (actionner, parameters, message) => {
    expect(refusals(importTexts(action(actionner, parameters)))).toEqual([`a.yaml:4 actions.0.${message}`]);
  });

  it.each([
    `cat ${variable('FD_NAME')}`,
    'cat $FD_NAME',
    'kill $$',
    'echo ${',
    'echo $1',
    `cat "${variable('K8S_POD_NAME')}"`,
  ])('a command with text of the event is an injection: %s', (command) => {
    const [found] = refusals(importTexts(action('kubernetes:exec', `command: ${JSON.stringify(command)}`)));
    expect(found).toMatch(
      /^a\.yaml:4 actions\.0\.parameters\.command: \$\S+ would be replaced by text of the event, which attackers write: an injection into command\. Use shell:script, whose program reads the event as JSON on standard input$/,
    );
  });

  it('flags where its namesake differs, with Talon’s documented and real defaults', () => {
    expect(flags(importTexts(action('kubernetes:terminate', 'min_healthy_replicas: "33%"')))).toEqual([
      'default a.yaml:4 actions.0.actionner: grace_period_seconds 0 is what Talon uses without one: the pod has no time to end',
      'default a.yaml:4 actions.0.actionner: pods that nothing starts again are spared (standalone: deny), as Talon documents for ignore_standalone_pods; its code ends them',
      'differs a.yaml:4 actions.0.parameters.min_healthy_replicas: 33% of the wanted pods, as Talon documents; its code asks for 33 pods. 33% have to be ready without the pod that ends; Talon counts it too',
      'differs a.yaml:4 actions.0.actionner: method delete goes past disruption budgets, as Talon does; method: evict honours them',
    ]);
    const more = ', ignore_errors: true, additional_contexts: [k8snode], description: asks';
    expect(flags(importTexts(action('kubernetes:exec', 'command: id', more)))).toEqual([
      'description a.yaml:4 actions.0.description: "Do it": asks',
      'additional_contexts a.yaml:4 actions.0.additional_contexts.0: k8snode is left out: nothing puts text of events or contexts into a command here',
      'ignore_errors a.yaml:4 actions.0.ignore_errors: on_error: continue, the actions after it run whatever becomes of it',
      'differs a.yaml:4 actions.0.actionner: Talon runs the command in every container of the pod; ours in that of the event',
    ]);
  });

  it('says so when this version does not have the action', () => {
    const { imported } = importTalonFiles(files(withMatch('rules: [X]')), new Set());
    expect(imported[0]?.flags.map(({ code }) => code)).toEqual(['missing', 'generated']);
  });
});

it.each([
  'labels: {a: "no spaces"}',
  'labels: {"-a": "1"}',
  'labels: {a: "$' + '{X}"}',
  'labels: {}',
  'labels: {a: null}',
])('kubernetes:label {%s} is refused: Kubernetes would', (parameters) => {
  const text = withAction(`{action: A, actionner: "kubernetes:label", parameters: {${parameters}}}`);
  expect(refusals(importTexts(text))).toEqual([
    'a.yaml:4 actions.0.parameters.labels: labels must be a map of names and values that Kubernetes takes for labels ("" takes one away)',
  ]);
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

describe('what is written', () => {
  it('ids come from names; those that collide carry a hash of the name', () => {
    const named = (name: string) => withMatch('rules: [X]').replace('rule: R', `rule: ${JSON.stringify(name)}`);
    const names = ['Shell in Pod!', 'shell in pod', 'Écrit un fichier', '検知', 'x'.repeat(150)];
    const ids = importTexts(names.map(named).join('')).imported.map(({ id }) => id);
    expect(ids).toEqual([
      'shell-in-pod',
      expect.stringMatching(/^shell-in-pod-[0-9a-f]{6}$/),
      'ecrit-un-fichier',
      expect.stringMatching(/^rule-[0-9a-f]{6}$/),
      expect.stringMatching(/^x{56}-[0-9a-f]{6}$/),
    ]);
    expect(importTexts(names.map(named).join('')).imported.map(({ id }) => id)).toEqual(ids);
  });

  it('flags stand above the rule, and text of the files cannot leave its comment', () => {
    const text = `- rule: R\n  match: {output_fields: ["a!=x"]}\n  actions:\n    - {action: "A\\n- rule: evil\\u2028b", actionner: kubernetes:cordon, description: "one\\ntwo: three"}\n`;
    const result = importTexts(text);
    const yaml = writeRuleFile(result, ['a.yaml']);
    expect(parse(yaml)).toEqual({ version: 1, rules: [only(result).written] });
    expect(yaml).toContain('\n  # absent_passes: a?!=x also holds where a is absent');
    expect(yaml).toContain('one two: three\n');
  });

  it('passes `eyrie rules check` with every action that this version has', async () => {
    const actions: Readonly<Record<string, string>> = {
      'kubernetes:terminate': 'ignore_daemonsets: true, ignore_statefulsets: true, min_healthy_replicas: "33%"',
      'kubernetes:label': 'labels: {suspicious: "true", app: ""}',
      'kubernetes:annotation': 'annotations: {eyrie.dev/seen: "yes"}',
      'kubernetes:networkpolicy': 'allow_cidr: ["10.0.0.0/8"], allow_namespaces: [green]',
      'kubernetes:cordon': '',
      'kubernetes:log': 'tail_lines: 200',
      'kubernetes:exec': 'command: uname -a',
    };
    const text = Object.entries(actions).map(
      ([name, parameters]) =>
        `- rule: Uses ${name}\n  match: {rules: [X], tags: ["a, b"], priority: ">=Notice", source: syscalls, output_fields: ["k8s.ns.name!=a, k8s.ns.name!=b", "proc.name=nc"]}\n  actions: [{action: A, actionner: "${name}", parameters: {${parameters}}}]\n`,
    );
    const report = await importTalonRules(files(text.join('')));
    expect(report.refused).toEqual([]);
    const missing = new Set(
      report.imported.filter(({ flags }) => flags.some(({ code }) => code === 'missing')).map(({ id }) => id),
    );
    expect(report.imported.length - missing.size).toBeGreaterThan(0);
    const written = parse(report.yaml) as { rules: { id: string }[] };
    const place = testPlace();
    try {
      place.connections('clusters: [{cluster: lab, server: "https://10.0.0.1:6443", token_file: token}]\n', {
        token: 't',
      });
      const there = { version: 1, rules: written.rules.filter(({ id }) => !missing.has(id)) };
      place.rule('imported.yaml', JSON.stringify(there));
      const { problems, rules, tests } = await checkRules(place.rulesDir, { connectionsFile: place.connectionsFile });
      expect(problems).toEqual([]);
      expect(rules.map(({ mode, ok }) => [mode, ok])).toEqual(there.rules.map(() => ['dry_run', true]));
      expect(tests).toMatchObject({ failed: 0 });
    } finally {
      place.remove();
    }
  });
});

it('the documented migration from falcosidekick is right', async () => {
  const page = readFileSync(new URL('../../../docs/response.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split('## Coming from falcosidekick');
  const [connections = '', rules = ''] = [...section.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text);
  const place = testPlace();
  try {
    const secrets = { 'slack-url': 'https://hooks.slack.com/services/a', 'siem-secret': `whsec_${'A'.repeat(32)}` };
    place.connections(connections.replace('version: 1\n', ''), secrets);
    place.rule('notices.yaml', rules);
    const { problems } = await checkRules(place.rulesDir, { connectionsFile: place.connectionsFile });
    expect(problems).toEqual([]);
  } finally {
    place.remove();
  }
});

const data = join(env['EYRIE_TEST_DATA'] ?? '../shared/data', 'talon');
describe.skipIf(!existsSync(data))('Talon’s own rules', () => {
  const names = ['rules.yaml', 'rules_override.yaml'];
  const notOurs = (actionner: string, reason: string) =>
    `${actionner} is not among our actions${reason}. Ours, of those of Talon: ${OURS}`;
  const network = '; kubernetes:networkpolicy and kubernetes:quarantine use policies that every plugin enforces';
  const deletes =
    ': it deletes whatever the event names, namespaces and cluster roles included, and an event is text that others write';
  const injection = (found: string, key: string) =>
    `${found} would be replaced by text of the event, which attackers write: an injection into ${key}. Use shell:script, whose program reads the event as JSON on standard input`;
  const output = 'the output aws:s3 is not among ours; take `output` away to import the rule without it';

  it('are imported, or refused with the exact reason', () => {
    const { imported, refused, unused } = importTalonFiles(
      names.map((name) => join(data, name)),
      ALL,
    );
    expect(imported.map(({ name }) => name)).toEqual(['Terminal shell in container']);
    expect(unused.map(({ name }) => name)).toEqual([
      'Label Pod as Suspicious',
      'Invoke Lambda function',
      'Invoke GCP function',
    ]);
    expect(imported[0]?.written).toMatchObject({
      id: 'terminal-shell-in-container',
      mode: 'dry_run',
      match: {
        rules: ['Terminal shell in container'],
        output_fields: ['k8s.ns.name?!=kube-system, k8s.ns.name?!=falco'],
      },
      unless: ['not exists(workload_kind) or workload_kind in ("DaemonSet", "StatefulSet")'],
      limits: { rule: '5/1h', target: '1/30m' },
      cooldown: '30m',
      actions: [
        {
          action: 'terminate-pod',
          actionner: 'kubernetes:terminate',
          parameters: { method: 'delete', grace_period_seconds: 2, standalone: 'deny' },
        },
      ],
    });
    expect(imported[0]?.flags.map(({ code }) => code)).toEqual([
      'absent_passes',
      'absent_passes',
      'differs',
      'guarded',
      'guarded',
      'generated',
    ]);
    expect(refused.map(({ name, problems }) => [name, ...problems.map(({ message }) => message)])).toEqual([
      ['Suspicious outbound connection', notOurs('cilium:networkpolicy', network)],
      ['Delete unknown namespace', notOurs('kubernetes:delete', deletes)],
      [
        'Calico netpol',
        '"allow" is no parameter of kubernetes:networkpolicy: Talon takes it and does nothing with it; write allow_cidr; there are allow_cidr, allow_namespaces',
        notOurs('calico:networkpolicy', network),
      ],
      [
        'Test node drain',
        '"force" is no parameter of kubernetes:drain: Talon takes it and does nothing with it; a drain cannot be forced: leave it out; there are min_healthy_replicas, ignore_daemonsets, ignore_statefulsets, max_wait_period, wait_period_excluded_namespaces, ignore_errors',
        notOurs(
          'kubernetes:drain',
          '; kubernetes:cordon keeps new pods away, kubernetes:terminate ends the pod of the event',
        ),
      ],
      ['Delete namespace', notOurs('kubernetes:delete', deletes)],
      ['Test exec', injection(variable('NODE_HOSTNAME'), 'command')],
      [
        'Test download',
        output,
        injection(variable('FD_NAME'), 'file'),
        notOurs('kubernetes:download', '; shell:script can fetch a file of the pod with a program of your own'),
      ],
      ['Test tcpdump', notOurs('kubernetes:tcpdump', ': it puts a privileged container into the pod under attack')],
      [
        'Test sysdig',
        notOurs(
          'kubernetes:sysdig',
          ": it runs a privileged job with the node's file system in the victim's namespace",
        ),
      ],
      ['Test log', output],
    ]);
  });

  it('name the line of what is refused', () => {
    const { refused } = importTalonFiles([join(data, 'rules.yaml')], ALL);
    const lines = readFileSync(join(data, 'rules.yaml'), 'utf8').split('\n');
    for (const { problems } of refused) {
      for (const { line, key } of problems) {
        expect(lines[line - 1]).toContain(
          `${key
            .split('.')
            .filter((part) => !/^\d+$/.test(part))
            .at(-1)}:`,
        );
      }
    }
  });
});
