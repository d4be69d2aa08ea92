import type { Event, Score } from '@eyrie/schemas';
import type { Words } from '../words.ts';
import { type Destination, destinationOf } from './facts.ts';
import { isOfSensor, isWayOut } from './floors.ts';
import type { ProcessRow } from './history.ts';
import { hourOf, isStart } from './learn.ts';
import type { ScoreSubject } from './score.ts';
import { factsOf, type TextFacts } from './texts.ts';

/**
 * What an event was scored by, and the row it taught. Holds what later events are compared with, and nothing else: words
 * shared by all evidence, and of texts that differ from run to run only what the scorer reads in them.
 */
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
  readonly rule: string;
  readonly priority: string;
  readonly maturity: string | undefined;
  readonly eventType: string | undefined;
  readonly processName: string | undefined;
  readonly executable: string | undefined;
  readonly parentName: string | undefined;
  readonly exeFlags: string | undefined;
  readonly privileged: boolean | undefined;
  readonly tty: number | undefined;
  readonly userId: number | undefined;
  /** Of the host's own programs the scorer knows whole commands. */
  readonly hostCommand: string | undefined;
  readonly command: TextFacts | undefined;
  readonly file: FileFacts | undefined;
  readonly destination: Destination | undefined;
}

interface FileFacts extends TextFacts {
  readonly isWayOut: boolean;
  readonly isOfSensor: boolean;
}

export function evidenceOf({ event, identity }: ScoreSubject, score: Score, words: Words): Evidence {
  return {
    score,
    row: undefined,
    hour: hourOf(event.time),
    isStart: isStart(event),
    isHost: isHost(event),
    hasStart: event.container_started_at !== undefined,
    namespace: identity.namespace,
    workload: identity.workload,
    image: words.of(identity.image ?? event.image ?? event.container),
    digest: words.of(identity.image_digest ?? event.image_digest),
    rule: words.of(event.rule),
    priority: words.of(event.priority),
    maturity: words.of(event.maturity),
    eventType: words.of(event.event_type),
    processName: words.of(event.process_name),
    executable: words.of(event.process_executable),
    parentName: words.of(event.parent_name),
    exeFlags: words.of(event.exe_flags),
    privileged: event.privileged,
    tty: event.tty,
    userId: event.user_id,
    hostCommand: isHost(event) ? event.command_line : undefined,
    command: isHost(event) ? undefined : commandFacts(event),
    file: fileFacts(event.file_name),
    destination: destination(event),
  };
}

/** Whether an event of the same fingerprint tells the scorer nothing that one of the same hour has not told. */
export function isSameEvidence(held: Evidence, { event, identity }: ScoreSubject): boolean {
  return (
    held.hour === hourOf(event.time) &&
    held.workload === identity.workload &&
    held.namespace === identity.namespace &&
    held.image === (identity.image ?? event.image ?? event.container) &&
    held.digest === (identity.image_digest ?? event.image_digest) &&
    held.rule === event.rule &&
    held.priority === event.priority &&
    held.maturity === event.maturity &&
    held.eventType === event.event_type &&
    held.processName === event.process_name &&
    held.executable === event.process_executable &&
    held.parentName === event.parent_name &&
    held.exeFlags === event.exe_flags &&
    held.privileged === event.privileged &&
    held.tty === event.tty &&
    held.userId === event.user_id &&
    held.isHost === isHost(event) &&
    held.hasStart === (event.container_started_at !== undefined) &&
    held.isStart === isStart(event) &&
    held.destination === destination(event) &&
    (held.isHost ? held.hostCommand === event.command_line : readsAlike(held.command, commandFacts(event))) &&
    isSameFile(held.file, event.file_name)
  );
}

function isHost(event: Event): boolean {
  return event.container_id === undefined || event.container_id === 'host';
}

function destination({ remote_ip: ip, remote_port: port }: Event): Destination | undefined {
  return ip === undefined ? undefined : destinationOf(ip, port);
}

function commandFacts({ command_line: text }: Event): TextFacts | undefined {
  return text === undefined ? undefined : factsOf(text);
}

function fileFacts(file: string | undefined): FileFacts | undefined {
  return file === undefined ? undefined : { ...factsOf(file), isWayOut: isWayOut(file), isOfSensor: isOfSensor(file) };
}

function isSameFile(held: FileFacts | undefined, file: string | undefined): boolean {
  if (held === undefined || file === undefined) return held === undefined && file === undefined;
  return held.isWayOut === isWayOut(file) && held.isOfSensor === isOfSensor(file) && readsAlike(held, factsOf(file));
}

/** Temporary names differ from run to run; what the scorer reads in them does not. */
function readsAlike(one: TextFacts | undefined, other: TextFacts | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.floor === other.floor && one.gravity === other.gravity;
}
