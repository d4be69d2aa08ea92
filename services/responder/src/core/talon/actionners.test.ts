import { describe, expect, it } from 'vitest';
import {
  files,
  flags,
  importTexts,
  OURS,
  only,
  refusals,
  variable,
  withAction,
  withMatch,
} from '../../talon-files.test-support.ts';
import { importTalonFiles } from '../../talon-files.ts';

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
