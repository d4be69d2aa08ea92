import { isUtf8 } from 'node:buffer';
import { LIMITS } from '../limits.ts';
import { parseNanos } from '../nanos.ts';
import type { Reason } from '../outcome.ts';
import { parsePriority } from '../priority.ts';
import { objectIn } from './around.ts';
import { chooseCluster, claimOf } from './cluster.ts';
import { contentOf, isForeign, isForeignText, MAX_ENVELOPES } from './envelope.ts';
import type { LineContext, LineReading } from './event.ts';

/** A rule name longer than this is no rule name. */
const RULE_CHARS = 512;
const HOST_CHARS = 512;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads one line in any form of a Falco event. Pure, and used by the gateway (what to answer) and by `prepare` (what to
 * store), so that both say the same of a line. Checks by hand: a schema library costs more than JSON.parse.
 */
export function readLine(line: Buffer | string, context: LineContext): LineReading {
  const text = typeof line === 'string' ? line : line.toString('utf8');
  // Bytes that are no UTF-8 become U+FFFD; a text that holds one honestly is told apart by the bytes.
  if (typeof line !== 'string' && text.includes('\ufffd') && !isUtf8(line)) {
    return rejected('invalid_utf8', 'the line is not UTF-8');
  }
  if (text.charCodeAt(0) === BRACE) {
    try {
      return readObject(JSON.parse(text) as Json, text, context);
    } catch {
      // Text behind the object, or no JSON: found out below.
    }
  }
  return readText(text, context);
}

const BRACE = 123;

/** @param envelopes how many the text was taken out of */
function readText(text: string, context: LineContext, envelopes = 0): LineReading {
  const trimmed = text.trim();
  if (trimmed === '') return { ok: false, outcome: 'filtered', code: 'blank', message: 'the line is empty' };
  if (NO_OBJECT.test(trimmed) && isJson(trimmed) && !(envelopes > 0 && isForeignText(trimmed)))
    return rejected('not_object', 'an event is a JSON object');
  const found = objectIn(trimmed);
  if (found.kind === 'broken' && envelopes > 0 && isForeignText(trimmed)) return logText('a log line without an event');
  switch (found.kind) {
    case 'object':
      return readObject(found.value, trimmed, context, envelopes);
    case 'several':
      return rejected('trailing_text', 'more than one object in the line: send one a line');
    case 'broken':
      return brokenJson(trimmed);
    case 'text':
      return context.origin === 'file' || LOG_TIME.test(trimmed)
        ? logText('text without an event')
        : brokenJson(trimmed);
  }
}

/** Falco's own log lines start with a time, local or ISO 8601. */
const LOG_TIME = /^(?:\d{4}-\d{2}-\d{2}T)?\d{2}:\d{2}:\d{2}[.,:+Z\d]*\s/;
const CRI_PARTIAL = /^\S+ (?:stdout|stderr) P /;

function brokenJson(text: string): LineReading {
  if (CRI_PARTIAL.test(text)) return rejected('not_json', 'part of a longer line that the container runtime has cut');
  return isJson(text)
    ? rejected('not_object', 'an event is a JSON object')
    : rejected('not_json', 'the line is no complete JSON object');
}

const NO_OBJECT = /^[["]/;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readObject(object: Json, text: string, context: LineContext, envelopes = 0): LineReading {
  const { rule, output_fields: fields = null, hostname = null, source = null, tags = null, output } = object;
  if (rule === undefined) {
    const content = envelopes < MAX_ENVELOPES ? contentOf(object) : undefined;
    if (content !== undefined) return readContent(content, object, text, context, envelopes + 1);
    if (envelopes > 0 && isForeign(object, text)) return logText('a log line without an event');
  }
  if (mayNestDeep(text) && nestsTooDeep(object)) return rejected('too_deep', `nested deeper than ${LIMITS.jsonDepth}`);
  if (rule === undefined || rule === null || rule === '') return rejected('missing_rule', 'rule is missing');
  if (typeof rule !== 'string' || rule.length > RULE_CHARS) {
    return rejected('invalid_rule', `rule must be text of at most ${RULE_CHARS} characters`);
  }
  if (object['time'] === undefined || object['time'] === null) return rejected('missing_time', 'time is missing');
  const time = typeof object['time'] === 'string' ? parseNanos(object['time']) : undefined;
  if (time === undefined) return rejected('invalid_time', 'time must be RFC 3339 between 1970 and 2262');
  if (object['priority'] === undefined || object['priority'] === null || object['priority'] === '') {
    return rejected('missing_priority', 'priority is missing');
  }
  const priority = typeof object['priority'] === 'string' ? parsePriority(object['priority']) : undefined;
  if (priority === undefined) return rejected('invalid_priority', "priority must be one of Falco's eight words");
  if (fields !== null && (typeof fields !== 'object' || Array.isArray(fields))) {
    return rejected('invalid_output_fields', 'output_fields must be an object');
  }
  if (hostname !== null && (typeof hostname !== 'string' || hostname.length > HOST_CHARS)) {
    return rejected('invalid_field', `hostname must be text of at most ${HOST_CHARS} characters`);
  }
  if (source !== null && (typeof source !== 'string' || source.length > HOST_CHARS)) {
    return rejected('invalid_field', 'source must be text');
  }
  if (tags !== null && !isTextList(tags)) return rejected('invalid_field', 'tags must be a list of texts');
  const output_fields = (fields ?? NO_FIELDS) as Json;
  const choice = chooseCluster(output_fields, context);
  if ('code' in choice) return rejected(choice.code, choice.message);
  return {
    ok: true,
    falco: {
      rule,
      priority,
      time,
      hostname: hostname === null || hostname === '' ? undefined : hostname,
      source: source === null || source === '' ? undefined : source,
      tags: tags ?? undefined,
      output: typeof output === 'string' ? output : undefined,
      output_fields,
    },
    cluster: choice.cluster,
    claimed_cluster: choice.claimed,
  };
}

const NO_FIELDS: Json = Object.freeze({});

/** Reads what an envelope holds. A shipper may name the cluster beside the line: the event's own claim comes first. */
function readContent(
  content: string | Json,
  envelope: Json,
  text: string,
  context: LineContext,
  envelopes: number,
): LineReading {
  const named = context.cluster === '*' ? claimOf(envelope, context) : undefined;
  const inner = { ...context, origin: 'file', ...(named !== undefined && { header_cluster: named }) } as const;
  return typeof content === 'string'
    ? readText(content, inner, envelopes)
    : readObject(content, text, inner, envelopes);
}

function isTextList(value: unknown): value is readonly string[] {
  if (!Array.isArray(value)) return false;
  for (const item of value) if (typeof item !== 'string') return false;
  return true;
}

/** A deep value needs as many opening brackets; an event has a handful. */
function mayNestDeep(text: string): boolean {
  let opened = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      opened += 1;
      if (opened > LIMITS.jsonDepth) return true;
    }
  }
  return false;
}

/** JSON.parse itself takes any depth; what walks the value later (JSON.stringify, our canonical form) would not. */
function nestsTooDeep(object: Json): boolean {
  let level: object[] = [object];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > LIMITS.jsonDepth) return true;
    const next: object[] = [];
    for (const parent of level) {
      for (const key in parent) {
        const value = (parent as Json)[key];
        if (typeof value === 'object' && value !== null) next.push(value);
      }
    }
    level = next;
  }
  return false;
}

function logText(message: string): LineReading {
  return { ok: false, outcome: 'filtered', code: 'log_text', message };
}

function rejected(code: Reason<'rejected'>, message: string): LineReading {
  return { ok: false, outcome: 'rejected', code, message };
}
