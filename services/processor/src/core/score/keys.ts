import type { Event, Identity } from '@eyrie/schemas';
import type { Texts } from './texts.ts';

/** Names of the history an event touches: rule; + workload and image; + process, parent, executable. */
export interface Keys {
  readonly rule: string;
  readonly workload: string;
  readonly process: string;
  /** Where people work: namespace, or the hosts of the cluster. */
  readonly place: string;
}

const SEP = '\u001f';

export function keysOf(event: Event, identity: Identity, texts: Texts): Keys {
  const { cluster, rule } = event;
  const namespace = identity.namespace ?? '';
  const isHost = event.container_id === undefined || event.container_id === 'host';
  // Hosts of one cluster do the same work: node pools are not known yet.
  const image = isHost ? 'host' : texts.part(identity.image ?? event.image ?? event.container);
  const workload = `${rule}${SEP}${cluster}${SEP}${namespace}${SEP}${identity.workload ?? ''}${SEP}${image}`;
  const name = texts.part(event.process_name);
  const parent = texts.part(event.parent_name);
  const executable = texts.part(event.process_executable);
  return {
    rule,
    workload,
    process: `${workload}${SEP}${name}${SEP}${parent}${SEP}${executable}`,
    place: `${cluster}${SEP}${namespace}`,
  };
}
