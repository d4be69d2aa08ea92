import { createHash } from 'node:crypto';
import { maskSecrets } from '@eyrie/platform/mask';
import type { Call } from '../core/owner/decision.ts';
import { timeOf } from './event-time.ts';
import { fitBody } from './fit-body.ts';
import { payload } from './payload.ts';

const BODY_MAX = 32_768;

/** What Eyrie knows of an event where its sensor said nothing, by the names that outputs of falcosidekick read. */
const SENSOR_NAMES = {
  namespace: 'k8s.ns.name',
  pod: 'k8s.pod.name',
  pod_uid: 'k8s.pod.uid',
  container: 'container.name',
  container_id: 'container.id',
  image: 'container.image.repository',
  image_tag: 'container.image.tag',
  process_name: 'proc.name',
  command_line: 'proc.cmdline',
  file_name: 'fd.name',
  user_name: 'user.name',
} as const;

/** falcosidekick ends on other types there. */
const TEXTS = new Set<string>(['k8s.ns.name', 'k8s.pod.name']);

/**
 * The event as Falco writes it, secrets masked. An alert without its event has what the alert knows. The uuid is the same in every
 * repeat; `output_fields` is never empty: falcosidekick refuses such an event.
 */
export function falcoEvent(call: Call, tag: string): string {
  const { detection, priority, summary, fields } = payload(call, { mask: true });
  const source = String(fields['source'] ?? 'syscall');
  const output = summary === '' ? `${priority}: ${detection}` : summary;
  const kept = Object.entries(fields).filter(([name]) => name.includes('.'));
  const said = new Set(kept.map(([name]) => name));
  const known = Object.entries(SENSOR_NAMES).flatMap(([ours, theirs]) => {
    const value = fields[ours];
    return value === undefined || said.has(theirs) ? [] : [[theirs, value] as const];
  });
  const all = [...known, ...kept].map(([name, value]) => [name, TEXTS.has(name) ? String(value) : value] as const);
  return fitBody(all, BODY_MAX, (fitting) =>
    JSON.stringify({
      uuid: uuidOf(call.intent.intent_key),
      output,
      priority,
      rule: detection,
      time: timeOf(call),
      source,
      output_fields: fitting.length === 0 ? { 'evt.source': source } : Object.fromEntries(fitting),
      hostname: String(fields['host'] ?? call.plan.cluster),
      tags: [...tagsOf(call), tag],
    }),
  );
}

/** Tags of the event; none where they were too long to be kept whole. */
export function tagsOf({ plan }: Call): readonly string[] {
  const written = plan.todo?.context.fields['tags'];
  if (typeof written !== 'string') return [];
  try {
    const tags: unknown = JSON.parse(written);
    return Array.isArray(tags) ? tags.map((tag) => maskSecrets(String(tag))) : [];
  } catch {
    return [];
  }
}

/** Of the form RFC 4122 calls version 5, by a hash of today. */
function uuidOf(key: string): string {
  const bytes = createHash('sha256').update(key).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
