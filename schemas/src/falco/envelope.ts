/**
 * What log shippers put around a line: Docker's json-file and Fluent Bit (`log`), Vector, Filebeat and Logstash
 * (`message`), GELF (`short_message`), journald (`MESSAGE`), with the line as text or already parsed. What else stands in an
 * envelope (`kubernetes`, `host`, `file`) describes the sensor's pod and file, never the event: it is not read.
 */
type Json = Readonly<Record<string, unknown>>;

const CONTENTS = [
  'log',
  'message',
  'full_message',
  'short_message',
  'MESSAGE',
  // Parsed: Fluent Bit's Merge_Log_Key as its manual names it, OpenShift, the UI of falcosidekick, CloudEvents.
  'log_processed',
  'structured',
  'event',
  'data',
] as const;

/** A shipper's envelope around Docker's: more is no log line. */
export const MAX_ENVELOPES = 2;

/** The line in an envelope; undefined where this is none. Half an event is none: its text must not pass for a log line. */
export function contentOf(object: Json): string | Json | undefined {
  if (isPartOfEvent(object)) return undefined;
  for (const key of CONTENTS) {
    const value = object[key];
    if (typeof value === 'string' ? value !== '' : isObject(value)) return value as string | Json;
  }
  return undefined;
}

/** Shippers carry the lines of any program: an object that has nothing of an event is somebody else's … */
export function isForeign(object: Json, text: string): boolean {
  return !isPartOfEvent(object) && !NAMES_RULE.test(text);
}

/** In an envelope too many the quotes are escaped. */
const NAMES_RULE = /"rule\\*"/;

/** … and so is a text, JSON or not, in which no event begins. */
export function isForeignText(text: string): boolean {
  return !EVENT_BEGINS.test(text);
}

const EVENT_BEGINS = /\{\s*"(?:rule|output|output_fields|hostname|priority|uuid|time|source)"|"rule"\s*:/;

function isPartOfEvent(object: Json): boolean {
  return (
    object['rule'] !== undefined ||
    object['priority'] !== undefined ||
    object['output'] !== undefined ||
    object['output_fields'] !== undefined
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
