import type { Place } from './node.ts';
import type { Notes } from './notes.ts';
import type { Values } from './parameters.ts';

/** Parameters of Talon's actionners as those of our actions. */
type Parameters = Readonly<Record<string, unknown>>;

export function terminate(values: Values, notes: Notes): Parameters {
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

export function metadata(name: string, values: Values, notes: Notes): Readonly<Record<string, string | null>> {
  if (values.get<string>('level') === 'node') {
    notes.refuse(
      values.placeOf('level'),
      `level node is not among our actions: ${name} are set on the pod of the event`,
    );
  }
  const written = values.get<Readonly<Record<string, string>>>(name) ?? {};
  return Object.fromEntries(Object.entries(written).map(([key, text]) => [key, text === '' ? null : text]));
}

export function networkPolicy(values: Values, notes: Notes): Parameters {
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

export function log(values: Values, notes: Notes): Parameters {
  const lines = values.get<number>('tail_lines');
  if (lines === undefined) notes.flag(values.place, 'default', 'tail_lines 20 is what Talon uses without one');
  return { tail_lines: lines ?? 20 };
}

export function exec(values: Values, notes: Notes): Parameters {
  const shell = values.get<string>('shell') ?? '/bin/sh';
  notes.flag(
    values.place,
    'differs',
    'Talon runs the command in every container of the pod; ours in that of the event',
  );
  return { command: [shell, '-c', values.get<string>('command') ?? ''] };
}
