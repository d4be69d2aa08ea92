import type { Clock } from '@eyrie/platform/clock';
import type { Metrics } from '@eyrie/platform/metrics';
import { NamespaceOwners, type OwnerUnresolved } from './namespace-owner.ts';
import { SlackThreads } from './slack-threads.ts';

/** What actions remember of the world, beyond a change of rules; lost with the process, and nothing hangs on it. */
export interface ActionMemory {
  readonly threads: SlackThreads;
  readonly owners: NamespaceOwners;
}

export function createActionMemory({
  clock,
  metrics,
}: {
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
}): ActionMemory {
  const onBound = (bound: string) => metrics?.count('eyrie_bound_reached_total', { bound });
  const onUnresolved = (reason: OwnerUnresolved) => metrics?.count('eyrie_owner_unresolved_total', { reason });
  return {
    threads: new SlackThreads(clock, () => onBound('responder_slack_threads')),
    owners: new NamespaceOwners(clock, () => onBound('responder_owner_namespaces'), onUnresolved),
  };
}
