import type { ActionMode } from '@eyrie/schemas';
import { ResponsePolicy } from '@eyrie/schemas/policy';
import type { ScopedLimit } from '../rules/compiled.ts';
import { globTest } from '../rules/glob.ts';

/** What a pod is, as far as protection asks. */
interface ProtectionSubject {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ownerKinds: readonly string[];
  readonly priorityClass: string;
}

/** What no rule may loosen. */
export interface Policy {
  readonly ceiling: ActionMode;
  /** Whose approval does not count. */
  readonly authors: readonly string[];
  /** Of actions of class 3 and above. */
  readonly limits: readonly ScopedLimit[];
  /** Failures in a span, milliseconds, after which a tenant's actions stop. */
  readonly breaker: { readonly count: number; readonly windowMs: number };
  protectsNamespace(namespace: string): boolean;
  protectsWorkload(subject: ProtectionSubject): boolean;
}

const MODES: readonly ActionMode[] = ['observe', 'dry_run', 'approve', 'enforce'];
const SCOPES = ['namespace', 'node', 'tenant', 'global'] as const;

/** The lower of two modes: the ceiling of the policy can only tighten. */
export function lowerMode(mode: ActionMode, ceiling: ActionMode): ActionMode {
  return MODES.indexOf(mode) <= MODES.indexOf(ceiling) ? mode : ceiling;
}

export function compilePolicy(written: ResponsePolicy): Policy {
  const namespaces = written.protected.namespaces.map(globTest);
  const workloads = written.protected.workloads.map(workloadTest);
  return {
    ceiling: written.mode_ceiling,
    authors: written.authors,
    limits: SCOPES.flatMap((scope) => {
      const limit = written.limits.disruptive[scope];
      return limit === undefined ? [] : [{ scope, ...limit }];
    }),
    breaker: written.breaker.failures,
    protectsNamespace: (namespace) => namespaces.some((test) => test(namespace)),
    protectsWorkload: (subject) => workloads.some((test) => test(subject)),
  };
}

export const DEFAULT_POLICY: Policy = compilePolicy(ResponsePolicy.parse({}));

function workloadTest({
  owner_kind: kind,
  priority_class: priority,
  labels = {},
}: ResponsePolicy['protected']['workloads'][number]): (subject: ProtectionSubject) => boolean {
  const hasPriority = priority === undefined ? undefined : globTest(priority);
  return (subject) =>
    (kind === undefined || subject.ownerKinds.includes(kind)) &&
    (hasPriority === undefined || hasPriority(subject.priorityClass)) &&
    Object.entries(labels).every(
      ([name, value]) => Object.hasOwn(subject.labels, name) && subject.labels[name] === value,
    );
}
