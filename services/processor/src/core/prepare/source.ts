import type { Event } from '@eyrie/schemas';

export type Fields = Readonly<Record<string, unknown>>;

/**
 * An event being filled. Every key is there from the start, so that all events share one shape (which is what makes
 * reading them fast); undefined values are left out when the event is written.
 */
export type EventDraft = { -readonly [K in keyof Event]-?: Event[K] | undefined };

/**
 * What one kind of sensor says, in the words of Event. A source is one file; `testing/describe-source.ts` admits it.
 * Everything Falco calls a field stops here.
 */
export interface Source {
  /** The word in Event.source; undefined keeps the word of the event (sources known by nothing but their fields). */
  readonly name: string | undefined;
  /** Whether this source reads the event: by the word in `source`, or by its fields where old sensors wrote none. */
  readonly claims: (source: string | undefined, fields: Fields) => boolean;
  /**
   * Whether a field (canonical name) of an event of that source word is part of what was observed, and so of the event's identity. Closed, because
   * routes add fields of their own; without times (there is one clock) and without metadata that a look-up adds.
   */
  readonly isContent: (name: string, source: string) => boolean;
  readonly normalise: (fields: Fields, draft: EventDraft) => void;
  /**
   * The fields that tell one kind of behaviour from another, in a fixed order, raw: masking comes after. Never pids,
   * ports, ids of containers or pods, the output text, or metadata one copy may lack.
   */
  readonly salient: (draft: EventDraft, fields: Fields) => readonly string[];
}
