import type { Event, Score } from '@eyrie/schemas';
import { destinationOf } from './facts.ts';
import { isOfSensor, isWayOut } from './floors.ts';
import type { ProcessRow } from './history.ts';
import { hourOf, isStart } from './learn.ts';
import type { ScoreSubject } from './score.ts';
import type { Texts } from './texts.ts';

/** What an event was scored by, and the row it taught. Holds what later events are compared with, and nothing else. */
export interface Evidence {
  readonly score: Score;
  row: ProcessRow | undefined;
  readonly hour: number;
  readonly isStart: boolean;
  readonly isHost: boolean;
  readonly hasStart: boolean;
  readonly namespace: string | undefined;
  readonly workload: string | undefined;
  readonly image: string | undefined;
  readonly digest: string | undefined;
  readonly event: Pick<Event, (typeof COMPARED)[number]>;
  readonly command: string | undefined;
  readonly file: string | undefined;
  readonly ip: string | undefined;
  readonly port: number | undefined;
}

const COMPARED = [
  'rule',
  'priority',
  'maturity',
  'event_type',
  'process_name',
  'process_executable',
  'parent_name',
  'exe_flags',
  'privileged',
  'tty',
  'user_id',
] as const;

export function evidenceOf({ event, identity }: ScoreSubject, score: Score): Evidence {
  const { rule, priority, maturity, event_type, process_name, process_executable } = event;
  const { parent_name, exe_flags, privileged, tty, user_id } = event;
  return {
    score,
    row: undefined,
    hour: hourOf(event.time),
    isStart: isStart(event),
    isHost: isHost(event),
    hasStart: event.container_started_at !== undefined,
    namespace: identity.namespace,
    workload: identity.workload,
    image: identity.image ?? event.image ?? event.container,
    digest: identity.image_digest ?? event.image_digest,
    event: {
      rule,
      priority,
      maturity,
      event_type,
      process_name,
      process_executable,
      parent_name,
      exe_flags,
      privileged,
      tty,
      user_id,
    } as Evidence['event'],
    command: event.command_line,
    file: event.file_name,
    ip: event.remote_ip,
    port: event.remote_port,
  };
}

/** Whether an event of the same fingerprint tells the scorer nothing that one of the same hour has not told. */
export function isSameEvidence(held: Evidence, { event, identity }: ScoreSubject, texts: Texts): boolean {
  const one = held.event;
  return (
    held.hour === hourOf(event.time) &&
    held.workload === identity.workload &&
    held.namespace === identity.namespace &&
    held.image === (identity.image ?? event.image ?? event.container) &&
    held.digest === (identity.image_digest ?? event.image_digest) &&
    one.rule === event.rule &&
    one.priority === event.priority &&
    one.maturity === event.maturity &&
    one.event_type === event.event_type &&
    one.process_name === event.process_name &&
    one.process_executable === event.process_executable &&
    one.parent_name === event.parent_name &&
    one.exe_flags === event.exe_flags &&
    one.privileged === event.privileged &&
    one.tty === event.tty &&
    one.user_id === event.user_id &&
    held.isHost === isHost(event) &&
    held.hasStart === (event.container_started_at !== undefined) &&
    held.isStart === isStart(event) &&
    leadsAlike(held, event) &&
    // Of the host's own programs the scorer knows whole commands.
    (held.command === event.command_line || (!held.isHost && readsAlike(held.command, event.command_line, texts))) &&
    isSameFile(held.file, event.file_name, texts)
  );
}

function isHost(event: Event): boolean {
  return event.container_id === undefined || event.container_id === 'host';
}

function leadsAlike(held: Evidence, { remote_ip: ip, remote_port: port }: Event): boolean {
  if (held.ip === ip && held.port === port) return true;
  if (held.ip === undefined || ip === undefined) return false;
  return destinationOf(held.ip, held.port) === destinationOf(ip, port);
}

function isSameFile(held: string | undefined, file: string | undefined, texts: Texts): boolean {
  if (held === file) return true;
  return isWayOut(held) === isWayOut(file) && isOfSensor(held) === isOfSensor(file) && readsAlike(held, file, texts);
}

/** Temporary names differ from run to run; what the scorer reads in them does not. */
function readsAlike(held: string | undefined, text: string | undefined, texts: Texts): boolean {
  if (held === text) return true;
  if (held === undefined || text === undefined) return false;
  const one = texts.facts(held);
  const other = texts.facts(text);
  return one.floor === other.floor && one.gravity === other.gravity;
}
