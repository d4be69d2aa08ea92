import {
  type ActionRecord,
  type Alert,
  type AlertId,
  type ClusterId,
  type DocumentRecord,
  type Event,
  type EventId,
  type Fingerprint,
  FrameWriter,
  type HealthRecord,
  type Judgement,
  nanosOfMs,
  type RoutingKey,
  type TenantId,
} from '@eyrie/schemas';

/** Builders for the archiver's tests: defaults, and the test states what matters. */
export const NOW = Date.now();

export function testEvent(index: number, more: Partial<Event> = {}): Event {
  return {
    v: 1,
    event_id: hex(index) as EventId,
    tenant: 'acme' as TenantId,
    cluster: 'c1' as ClusterId,
    source: 'syscall',
    rule: 'Terminal shell in container',
    priority: 'Notice',
    time: nanosOfMs(NOW + index),
    received_at: NOW,
    routing_key: hex(7) as RoutingKey,
    salient: 'bash',
    raw_pos: { log: 'log', partition: 0, offset: index, index: 0 },
    ...more,
  };
}

export function testJudgement(more: Partial<Judgement> = {}): Judgement {
  return {
    v: 1,
    outcome: 'folded',
    reason: 'repeat',
    documents_version: 1,
    model: 'prior-1',
    judged_at: NOW,
    ...more,
  } as Judgement;
}

/** A frame of judged events, one raw line each. */
export function judgedFrame(entries: readonly (readonly [Judgement, Event])[]): Buffer {
  const frame = new FrameWriter('judged');
  for (const [judgement, event] of entries) {
    frame.add(JSON.stringify(judgement), JSON.stringify(event), Buffer.from(`{"raw":"${event.event_id}"}`));
  }
  return frame.finish();
}

export function testAlert(index: number, more: Partial<Alert> = {}): Alert {
  return {
    v: 1,
    tenant: 'acme' as TenantId,
    cluster: 'c1' as ClusterId,
    alert_id: hex(index) as AlertId,
    version: 1,
    change: 'opened',
    state: 'open',
    source: 'syscall',
    rule: 'Terminal shell in container',
    priority: 'Notice',
    tags: ['container'],
    tactics: ['execution'],
    techniques: ['T1059'],
    fingerprint: hex(index) as Fingerprint,
    fingerprint_version: 1,
    routing_key: hex(7) as RoutingKey,
    opening_event_id: hex(index) as EventId,
    count: 1,
    opened_at: nanosOfMs(Date.UTC(2026, 10, 24)),
    first_seen: nanosOfMs(Date.UTC(2026, 10, 24)),
    last_seen: nanosOfMs(Date.UTC(2026, 10, 24)),
    targets: [],
    targets_more: 0,
    identity: { namespace: 'shop', workload_kind: 'Deployment', workload: 'web', pod: 'web-1' },
    score: { fp_score: 0.25, p_attack: 0.75, band: 'page', reasons: [], unknown: [], model: 'prior-1' },
    disposition: 'alert',
    triage: { status: 'new' },
    notify: true,
    samples: [],
    related: [],
    partition: 0,
    opening_seq: index,
    documents_version: 1,
    updated_at: NOW,
    ...more,
  };
}

export function testAction(index: number, more: Partial<ActionRecord> = {}): ActionRecord {
  return {
    v: 1,
    tenant: 'acme' as TenantId,
    cluster: 'c1' as ClusterId,
    intent_key: `k${index}`,
    version: 1,
    state: 'executing',
    reason: 'started',
    rule_id: 'r',
    rule_version: '1',
    action: 'a',
    actionner: 'shell:script',
    class: 2,
    mode: 'enforce',
    alert_id: hex(index) as AlertId,
    target: 't',
    incarnation: 'i',
    attempt: 1,
    at: NOW,
    mac: 'm',
    ...more,
  };
}

export function testDocument(index: number, more: Partial<DocumentRecord> = {}): DocumentRecord {
  const token = { name: 'n', sha256: 'secret', cluster: '*', scopes: ['read'] };
  return {
    v: 1,
    tenant: 'acme' as TenantId,
    kind: 'token',
    id: `d${index}`,
    version: 1,
    author: 'me',
    at: NOW,
    body: token,
    mac: 'm',
    ...more,
  } as DocumentRecord;
}

/** One Eyrie makes itself: without a raw position. */
export function testHealth(index: number, more: Partial<HealthRecord> = {}): HealthRecord {
  return {
    v: 1,
    tenant: 'acme' as TenantId,
    cluster: 'c1' as ClusterId,
    kind: 'loss',
    time: nanosOfMs(NOW + index),
    received_at: NOW,
    count: index,
    ...more,
  };
}

export function hex(index: number): string {
  return index.toString(16).padStart(32, '0');
}
