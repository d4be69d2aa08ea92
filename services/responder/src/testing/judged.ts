import type { Output } from '@eyrie/platform/bus/bus';
import { type Event, FrameWriter, type Judgement } from '@eyrie/schemas';

/** A judged frame as the judge writes it, for tests: one entry for each detection given. */
export interface TestDetection {
  readonly alert: string;
  readonly rule?: string;
  readonly host?: string;
  readonly pod_uid?: string;
  readonly outcome?: 'opened' | 'folded' | 'suppressed';
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly output?: string;
  readonly fp_score?: number;
}

let count = 0;

export function judgedOutput(detections: readonly TestDetection[], partition = 0): Output {
  const frame = new FrameWriter('judged');
  for (const one of detections) {
    count += 1;
    const rule = one.rule ?? 'Terminal shell in container';
    const event = {
      v: 1,
      event_id: count.toString(16).padStart(32, '0'),
      tenant: 'default',
      cluster: 'lab',
      source: 'syscall',
      rule,
      priority: 'Notice',
      time: '1764000000000000000',
      received_at: 1_764_000_000_000,
      routing_key: 'ab'.repeat(16),
      salient: '',
      raw_pos: { log: 'l', partition: 0, offset: 0, index: 0 },
      host: one.host ?? 'node-1',
      tags: ['container', 'shell', 'mitre_execution'],
    } as unknown as Event;
    const judgement = {
      v: 1,
      outcome: one.outcome ?? 'opened',
      reason: 'new_fingerprint',
      alert_id: one.alert.padStart(32, '0'),
      alert_version: 1,
      identity: one.pod_uid === undefined ? {} : { pod_uid: one.pod_uid },
      fp_score: one.fp_score ?? 0.2,
      documents_version: 0,
      model: 'test',
      judged_at: 1_764_000_000_000,
    } as unknown as Judgement;
    const line = JSON.stringify({
      hostname: one.host ?? 'node-1',
      output: one.output ?? 'A shell was spawned',
      priority: 'Notice',
      rule,
      source: 'syscall',
      tags: ['container', 'shell', 'mitre_execution'],
      time: '2025-11-24T16:00:00.000000000Z',
      output_fields: one.fields ?? { 'proc.name': 'bash' },
    });
    frame.add(JSON.stringify(judgement), JSON.stringify(event), line);
  }
  return { topic: 'judged', partition, value: frame.finish() };
}
