export {
  ACCESS,
  ACCESS_ROLES,
  type AccessRole,
  type Acl,
  aclsOf,
  GUARDED_TOPICS,
  inputAcls,
  inputGroup,
  writersOf,
} from './access.ts';
export type * from './action.ts';
export { ACTION_REASONS, ACTION_STATES, UNDOABLE_STATES } from './action.ts';
export type * from './alert.ts';
export type * from './command.ts';
export type * from './document.ts';
export { SCOPES } from './document.ts';
export type * from './event.ts';
export { isEvent } from './event-shape.ts';
export type * from './falco/event.ts';
export { readLine } from './falco/read-line.ts';
export { FrameError, type FrameKind, FrameReader, FrameWriter, LINES_PER_ENTRY } from './frame.ts';
export type * from './health.ts';
export type * from './ids.ts';
export { isName, partitionOf } from './ids.ts';
export type * from './judged.ts';
export * from './judged-frame.ts';
export { LIMITS } from './limits.ts';
export { isMatchField, MATCH_FIELDS, type MatchField } from './match-fields.ts';
export { isoOfNanos, monthOfNanos, msOfNanos, type Nanos, nanosOfMs, parseNanos } from './nanos.ts';
export { OUTCOME_REASONS, type Outcome, type OutcomeName, type Reason, type Stage } from './outcome.ts';
export { PRIORITIES, type Priority, parsePriority, priorityRank } from './priority.ts';
export { decodeRawFrame, encodeRawFrame, type RawMeta, type RawSection } from './raw.ts';
export {
  ACTION_VERSION_COLUMNS,
  ALERT_VERSION_COLUMNS,
  type Column,
  DEAD_LETTER_COLUMNS,
  DOCUMENT_COLUMNS,
  DUPLICATE_COLUMNS,
  EVENT_COLUMNS,
  HEALTH_COLUMNS,
} from './tables.ts';
export { type Cleanup, TOPIC_NAMES, TOPICS, type TopicName, type TopicSpec } from './topics.ts';
export { FORMATS } from './versions.ts';
export type * from './workload.ts';
export { IDENTITY_FIELDS } from './workload.ts';
export { isWorkloadSnapshot } from './workload-shape.ts';
