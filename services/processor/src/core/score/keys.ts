import type { Event, Identity } from '@eyrie/schemas';

/** Names of the history an event touches: rule; + workload and image; + process, parent, executable. */
export interface Keys {
  readonly rule: string;
  readonly workload: string;
  readonly process: string;
  /** Where people work: namespace, or the host's cluster. */
  readonly place: string;
}

const SEP = '\u001f';
const PART_MAX = 200;

export function keysOf(event: Event, identity: Identity): Keys {
  const { cluster, rule } = event;
  const namespace = identity.namespace ?? '';
  const isHost = event.container_id === undefined || event.container_id === 'host';
  // Hosts of one cluster do the same work: node pools are not known yet.
  const image = isHost ? 'host' : (identity.image ?? event.image ?? event.container ?? '');
  const workload = `${rule}${SEP}${cluster}${SEP}${namespace}${SEP}${identity.workload ?? ''}${SEP}${part(image)}`;
  const process = `${workload}${SEP}${part(event.process_name)}${SEP}${part(event.parent_name)}${SEP}${part(event.process_executable)}`;
  return { rule, workload, process, place: `${cluster}${SEP}${namespace}` };
}

const VOLATILE = /\d{3,}|[0-9a-f]{8,}/gi;
const DIGIT = /\d/;

/** Masked and cut: temporary names must not make every run a new one, long ones must not fill the table. */
function part(text: string | undefined): string {
  if (text === undefined) return '';
  const short = text.length > PART_MAX ? text.slice(0, PART_MAX) : text;
  return DIGIT.test(short) ? short.replace(VOLATILE, '*') : short;
}
