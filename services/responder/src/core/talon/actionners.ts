import { type FlagCode, flagAt, type Place, problemAt, type TalonFlag, type TalonProblem } from './node.ts';
import type { Specs, Values } from './parameters.ts';

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

/** What a translation has to say about its parameters. */
export class Notes {
  readonly flags: TalonFlag[] = [];
  readonly problems: TalonProblem[] = [];
  /** Kinds of owner whose pods the rule has to spare. */
  readonly spared: { readonly kind: string; readonly place: Place }[] = [];

  flag(place: Place, code: FlagCode, message: string): void {
    this.flags.push(flagAt(place, code, message));
  }

  refuse(place: Place, message: string): void {
    this.problems.push(problemAt(place, message));
  }
}

const HEALTHY: Specs = {
  min_healthy_replicas: { kind: 'replicas' },
  ignore_daemonsets: { kind: 'boolean' },
  ignore_statefulsets: { kind: 'boolean' },
};
const ALLOWED: Specs = { allow_cidr: { kind: 'networks' }, allow_namespaces: { kind: 'texts' } };
const ALLOW = { allow: 'allow_cidr', cidr: 'allow_cidr', namespaces: 'allow_namespaces' };
const SHELL: Specs = { shell: { kind: 'text' } };

/** What `os.ExpandEnv` replaces: `$NAME`, `${NAME}`, `$1`, `$$`; `$(command)` stays. */
const SUBSTITUTION = /\$(?:\{[^}]*\}?|[A-Za-z_][A-Za-z0-9_]*|[0-9*#$@!?-])/;

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
    parameters: { command: { kind: 'text', isRequired: true }, ...SHELL },
    becomes: { actionner: 'kubernetes:exec', class: 3, translate: exec },
  },
  'kubernetes:script': {
    continues: true,
    parameters: { script: { kind: 'text' }, file: { kind: 'text' }, ...SHELL },
    becomes:
      'is not among our actions: a rule names a program, it never carries one. Put it into EYRIE_SCRIPTS_DIR and use shell:script (beside Eyrie, the event as JSON on standard input), or kubernetes:exec for one command in the pod',
  },
  'kubernetes:download': {
    continues: true,
    parameters: { file: { kind: 'text', isRequired: true } },
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

/** Parameters whose text Talon runs or looks up after it has put the event's text into it. */
export const SUBSTITUTED: Readonly<Record<string, readonly string[]>> = {
  'kubernetes:exec': ['command'],
  'kubernetes:script': ['script'],
  'kubernetes:download': ['file'],
};

/** What Talon would replace in a text, if anything. */
export function substitutionIn(text: string): string | undefined {
  return SUBSTITUTION.exec(text)?.[0];
}

function terminate(values: Values, notes: Notes): Readonly<Record<string, unknown>> {
  const grace = values.get<number>('grace_period_seconds');
  const isIgnored = values.get<boolean>('ignore_standalone_pods');
  const healthy = values.get<string>('min_healthy_replicas');
  if (grace === undefined) {
    notes.flag(
      values.place,
      'default',
      'grace_period_seconds 0 is what Talon uses without one: the pod has no time to end',
    );
  } else if (grace > 3_600) {
    notes.refuse(values.placeOf('grace_period_seconds'), 'grace_period_seconds must be at most 3600');
  }
  if (isIgnored === undefined) {
    const message =
      'pods that nothing starts again are spared (standalone: deny), as Talon documents for ignore_standalone_pods; its code ends them';
    notes.flag(values.place, 'default', message);
  }
  if (healthy !== undefined) flagHealthy(healthy, values.placeOf('min_healthy_replicas'), notes);
  for (const [name, kind] of [
    ['ignore_daemonsets', 'DaemonSet'],
    ['ignore_statefulsets', 'StatefulSet'],
  ] as const) {
    if (values.get<boolean>(name) === true) notes.spared.push({ kind, place: values.placeOf(name) });
  }
  notes.flag(
    values.place,
    'differs',
    'method delete goes past disruption budgets, as Talon does; method: evict honours them',
  );
  return {
    method: 'delete',
    grace_period_seconds: grace ?? 0,
    standalone: isIgnored === false ? 'allow' : 'deny',
    ...(healthy !== undefined && { min_ready: healthy }),
  };
}

function flagHealthy(healthy: string, place: Place, notes: Notes): void {
  const count = healthy.replace('%', '');
  const share = healthy.endsWith('%')
    ? `${healthy} of the wanted pods, as Talon documents; its code asks for ${count} pods. `
    : '';
  const message = `${share}${healthy} have to be ready without the pod that ends; Talon counts it too`;
  notes.flag(place, 'differs', message);
}

function metadata(name: string, values: Values, notes: Notes): Readonly<Record<string, string | null>> {
  if (values.get<string>('level') === 'node') {
    notes.refuse(
      values.placeOf('level'),
      `level node is not among our actions: ${name} are set on the pod of the event`,
    );
  }
  const written = values.get<Readonly<Record<string, string>>>(name) ?? {};
  return Object.fromEntries(Object.entries(written).map(([key, text]) => [key, text === '' ? null : text]));
}

function networkPolicy(values: Values, notes: Notes): Readonly<Record<string, unknown>> {
  const message =
    'Talon selects all pods of the owner and overwrites a policy of its name; ours is of the pod of the event and never overwrites one of others';
  notes.flag(values.place, 'differs', message);
  const networks = values.get<readonly string[]>('allow_cidr');
  const namespaces = values.get<readonly string[]>('allow_namespaces');
  return {
    ...(networks !== undefined && { allow_cidr: [...new Set(networks)] }),
    ...(namespaces !== undefined && { allow_namespaces: [...new Set(namespaces)] }),
  };
}

function log(values: Values, notes: Notes): Readonly<Record<string, unknown>> {
  const lines = values.get<number>('tail_lines');
  if (lines === undefined) notes.flag(values.place, 'default', 'tail_lines 20 is what Talon uses without one');
  return { tail_lines: lines ?? 20 };
}

function exec(values: Values, notes: Notes): Readonly<Record<string, unknown>> {
  const shell = values.get<string>('shell') ?? '/bin/sh';
  notes.flag(
    values.place,
    'differs',
    'Talon runs the command in every container of the pod; ours in that of the event',
  );
  return { command: [shell, '-c', values.get<string>('command') ?? ''] };
}
