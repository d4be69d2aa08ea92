import type { Notes } from './notes.ts';
import type { Specs, Values } from './parameters.ts';
import { exec, log, metadata, networkPolicy, terminate } from './translations.ts';

/**
 * Every actionner of Falco Talon: its parameters, what it does with the actions after it, and what becomes of it here.
 * This is the one place that changes when an action of ours is added or renamed.
 */
export interface Actionner {
  /** What Talon does with the actions after it, unless the action says otherwise. */
  readonly continues: boolean;
  readonly parameters: Specs;
  /** Names people write that are none, and what they mean. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Why it is not imported, or how it is. */
  readonly becomes: string | Translation;
}

export interface Translation {
  readonly actionner: string;
  /** The class of our action: 1 collects, 2 can be undone, 3 disrupts. */
  readonly class: 1 | 2 | 3;
  readonly hasOutput?: true;
  translate(values: Values, notes: Notes): Readonly<Record<string, unknown>>;
}

const HEALTHY: Specs = {
  min_healthy_replicas: { kind: 'replicas' },
  ignore_daemonsets: { kind: 'boolean' },
  ignore_statefulsets: { kind: 'boolean' },
};
const ALLOWED: Specs = { allow_cidr: { kind: 'networks' }, allow_namespaces: { kind: 'texts' } };
const ALLOW = { allow: 'allow_cidr', cidr: 'allow_cidr', namespaces: 'allow_namespaces' };
const SHELL: Specs = { shell: { kind: 'text' } };

export const ACTIONNERS: Readonly<Record<string, Actionner>> = {
  'kubernetes:terminate': {
    continues: false,
    parameters: {
      grace_period_seconds: { kind: 'whole number' },
      ignore_standalone_pods: { kind: 'boolean' },
      ...HEALTHY,
    },
    aliases: { grace_period: 'grace_period_seconds', gracePeriodSeconds: 'grace_period_seconds' },
    becomes: { actionner: 'kubernetes:terminate', class: 3, translate: terminate },
  },
  'kubernetes:label': {
    continues: true,
    parameters: { labels: { kind: 'labels', isRequired: true }, level: { kind: 'level' } },
    becomes: {
      actionner: 'kubernetes:label',
      class: 2,
      translate: (values, notes) => ({ labels: metadata('labels', values, notes) }),
    },
  },
  'kubernetes:annotation': {
    continues: true,
    parameters: { annotations: { kind: 'annotations', isRequired: true }, level: { kind: 'level' } },
    becomes: {
      actionner: 'kubernetes:annotate',
      class: 2,
      translate: (values, notes) => ({ annotations: metadata('annotations', values, notes) }),
    },
  },
  'kubernetes:networkpolicy': {
    continues: true,
    parameters: ALLOWED,
    aliases: ALLOW,
    becomes: { actionner: 'kubernetes:networkpolicy', class: 2, translate: networkPolicy },
  },
  'kubernetes:cordon': {
    continues: true,
    parameters: {},
    becomes: { actionner: 'kubernetes:cordon', class: 2, translate: () => ({}) },
  },
  'kubernetes:log': {
    continues: true,
    parameters: { tail_lines: { kind: 'whole number' } },
    becomes: { actionner: 'kubernetes:log', class: 1, hasOutput: true, translate: log },
  },
  'kubernetes:exec': {
    continues: true,
    parameters: { command: { kind: 'text', isRequired: true, takesEvent: true }, ...SHELL },
    becomes: { actionner: 'kubernetes:exec', class: 3, translate: exec },
  },
  'kubernetes:script': {
    continues: true,
    parameters: { script: { kind: 'text', takesEvent: true }, file: { kind: 'text' }, ...SHELL },
    becomes:
      'is not among our actions: a rule names a program, it never carries one. Put it into EYRIE_SCRIPTS_DIR and use shell:script (beside Eyrie, the event as JSON on standard input), or kubernetes:exec for one command in the pod',
  },
  'kubernetes:download': {
    continues: true,
    parameters: { file: { kind: 'text', isRequired: true, takesEvent: true } },
    becomes: 'is not among our actions; shell:script can fetch a file of the pod with a program of your own',
  },
  'kubernetes:tcpdump': {
    continues: false,
    parameters: { duration: { kind: 'whole number' }, snaplen: { kind: 'whole number' }, image: { kind: 'text' } },
    becomes: 'is not among our actions: it puts a privileged container into the pod under attack',
  },
  'kubernetes:sysdig': {
    continues: false,
    parameters: {
      duration: { kind: 'whole number' },
      buffer_size: { kind: 'whole number' },
      scope: { kind: 'level' },
      image: { kind: 'text' },
    },
    becomes: "is not among our actions: it runs a privileged job with the node's file system in the victim's namespace",
  },
  'kubernetes:delete': {
    continues: false,
    parameters: {},
    becomes:
      'is not among our actions: it deletes whatever the event names, namespaces and cluster roles included, and an event is text that others write',
  },
  'kubernetes:drain': {
    continues: true,
    parameters: {
      ...HEALTHY,
      max_wait_period: { kind: 'whole number' },
      wait_period_excluded_namespaces: { kind: 'texts' },
      ignore_errors: { kind: 'boolean' },
    },
    aliases: {
      force: 'a drain cannot be forced: leave it out',
      ignore_error: 'ignore_errors',
      grace_period_seconds: 'leave it out',
    },
    becomes:
      'is not among our actions; kubernetes:cordon keeps new pods away, kubernetes:terminate ends the pod of the event',
  },
  'calico:networkpolicy': {
    continues: true,
    parameters: { ...ALLOWED, order: { kind: 'whole number' } },
    aliases: ALLOW,
    becomes:
      'is not among our actions; kubernetes:networkpolicy and kubernetes:quarantine use policies that every plugin enforces',
  },
  'cilium:networkpolicy': {
    continues: true,
    parameters: ALLOWED,
    aliases: { ...ALLOW, order: 'Cilium has no order: leave it out' },
    becomes:
      'is not among our actions; kubernetes:networkpolicy and kubernetes:quarantine use policies that every plugin enforces',
  },
  'aws:lambda': {
    continues: true,
    parameters: {
      aws_lambda_name: { kind: 'text', isRequired: true },
      aws_lambda_alias_or_version: { kind: 'text' },
      aws_lambda_invocation_type: { kind: 'text' },
    },
    becomes: 'is not among our actions; give the function a URL and use webhook:post, which is signed',
  },
  'gcp:function': {
    continues: true,
    parameters: {
      gcp_function_name: { kind: 'text', isRequired: true },
      gcp_function_location: { kind: 'text', isRequired: true },
      gcp_function_timeout: { kind: 'whole number' },
    },
    becomes: 'is not among our actions; give the function a URL and use webhook:post, which is signed',
  },
};

/** Names that Talon had once, or that are ours. */
export const FORMER_NAMES: Readonly<Record<string, string>> = {
  'kubernetes:labelize': 'kubernetes:label',
  'kubernetes:annotate': 'kubernetes:annotation',
};
