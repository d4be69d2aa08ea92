import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { type ChdbStore, openChdb } from '@eyrie/platform/store/chdb';
import type { AlertId, ClusterId, DeadLetter, Event, HealthRecord, TenantId } from '@eyrie/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Batch } from './core/batch.ts';
import { insertToken } from './core/ranges.ts';
import { TABLES, type TableName } from './core/tables.ts';
import { type Taken, takeRecord } from './core/take.ts';
import { hex, judgedFrame, NOW, testAction, testAlert, testDocument, testEvent, testJudgement } from './testing.ts';

let directory: string;
let store: ChdbStore;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-archiver-'));
  store = await openChdb({
    dataDir: directory,
    log: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
  });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

let offset = 0;
async function archive(...records: readonly (readonly [Taken['topic'], Buffer | object])[]): Promise<void> {
  const batch = new Batch();
  for (const [topic, content] of records) {
    const value = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    offset += 1;
    const record = { topic, partition: 0, offset, value, logIdentity: 'log' };
    batch.add(record, () => takeRecord(batch, record), NOW);
  }
  for (const { range, ...insert } of batch.inserts()) {
    await store.insert({ ...insert, token: insertToken('log', insert.table, 0, range) });
  }
}

describe('columns', () => {
  it.each(Object.keys(TABLES) as TableName[])('of %s are those of the database, in order', async (table) => {
    const found = await store.query<{ name: string; type: string }>(
      "SELECT name, type FROM system.columns WHERE database = 'eyrie' AND table = {table:String} ORDER BY position",
      { table },
    );
    const plain = found.map(({ name, type }) => ({ name, type: type.replaceAll(/LowCardinality\((\w+)\)/g, '$1') }));
    expect(TABLES[table].columns).toEqual(plain);
  });
});

it('stores every field of an event under its own name', async () => {
  const event: Required<Omit<Event, 'v' | 'raw_pos' | 'missing' | 'clamped' | 'over_quota' | 'heartbeat'>> & Event = {
    ...testEvent(1),
    time: '1764000000123456789' as Event['time'],
    host: 'node-1',
    tags: ['a', 'b'],
    tactics: ['execution'],
    techniques: ['T1059.004'],
    maturity: 'stable',
    event_type: 'execve',
    process_name: 'bash',
    process_executable: '/bin/bash',
    command_line: "bash -c 'é🦅'",
    parent_name: 'sshd',
    parent_command_line: 'sshd -D',
    working_directory: '/root',
    process_id: 4_194_304,
    tty: 0,
    exe_flags: 'EXE_WRITABLE',
    user_name: 'root',
    user_id: 0,
    login_user_id: -1,
    file_name: '/etc/shadow',
    network_protocol: 'tcp',
    local_port: 0,
    remote_port: 65_535,
    remote_ip: '10.0.0.1',
    container_id: '0123456789ab',
    container: 'app',
    image: 'registry/app',
    image_tag: 'v1',
    image_digest: 'sha256:1',
    privileged: false,
    container_started_at: NOW,
    namespace: 'claimed',
    pod: 'claimed-pod',
    pod_uid: 'uid',
    audit_user: 'u',
    audit_verb: 'create',
    audit_resource: 'pods',
    audit_target: 'x',
    claimed_cluster: 'other',
    clamped: true,
    missing: ['fd.name'],
  };
  const judgement = testJudgement({ fp_score: 0.5, alert_id: hex(9) as AlertId, identity: { namespace: 'shop' } });
  await archive(['judged', judgedFrame([[judgement, event]])]);
  const [row] = await store.query<Record<string, unknown>>('SELECT * FROM eyrie.events WHERE event_id = {id:String}', {
    id: event.event_id,
  });
  const { v: _, raw_pos, privileged, clamped, received_at, container_started_at, time, ...same } = event;
  expect(row).toMatchObject({
    ...same,
    process_id: '4194304',
    tty: '0',
    user_id: '0',
    login_user_id: '-1',
    namespace: 'shop',
    outcome: 'folded',
    reason: 'repeat',
    alert_id: hex(9),
    fp_score: 0.5,
    privileged: 0,
    clamped: 1,
    time: '2025-11-24 16:00:00.123456789',
    raw: `{"raw":"${event.event_id}"}`,
    raw_offset: String(raw_pos.offset),
  });
});

it('tells an absent number from zero', async () => {
  await archive(['judged', judgedFrame([[testJudgement(), testEvent(2)]])]);
  const [row] = await store.query<Record<string, unknown>>('SELECT * FROM eyrie.events WHERE event_id = {id:String}', {
    id: hex(2),
  });
  expect(row).toMatchObject({ user_id: null, tty: null, local_port: null, privileged: null, fp_score: null });
});

it('makes no row of a heartbeat, and remembers when it was received', async () => {
  const batch = new Batch();
  const heartbeat = testJudgement({ outcome: 'canary', reason: 'heartbeat' });
  const entries = [[heartbeat, testEvent(11, { heartbeat: true })] as const, [testJudgement(), testEvent(12)] as const];
  const record = { topic: 'judged', partition: 0, offset: 1, value: judgedFrame(entries), logIdentity: 'log' } as const;
  batch.add(record, () => takeRecord(batch, record), NOW);
  expect([batch.heartbeats, batch.rowCount]).toEqual([[NOW], 1]);
  batch.reset();
  expect(batch.heartbeats).toEqual([]);
});

it('counts duplicates and makes no rows of them', async () => {
  const entries = [3, 4, 5].map(
    (index) => [testJudgement({ outcome: 'duplicate', reason: 'event_id' }), testEvent(index)] as const,
  );
  await archive(['judged', judgedFrame(entries)]);
  expect(await store.query('SELECT count FROM eyrie.duplicates FINAL')).toEqual([{ count: '3' }]);
  expect(await store.query('SELECT event_id FROM eyrie.events WHERE event_id = {id:String}', { id: hex(4) })).toEqual(
    [],
  );
});

it('keeps every version of an alert, the latest of each, and each in one column of its month', async () => {
  const september = '1788000000000000000' as ReturnType<typeof testAlert>['opened_at'];
  await archive(['alerts', testAlert(1)], ['alerts', testAlert(2)], ['alerts', testAlert(3, { opened_at: september })]);
  await archive(
    ['alerts', testAlert(2, { version: 3, disposition: 'suppressed', disposition_reason: 'dismissed', count: 8 })],
    ['alerts', testAlert(1, { version: 2, count: 2 })],
  );
  // An older version that comes late changes nothing.
  await archive(['alerts', testAlert(2, { version: 2, count: 4 })]);
  expect(await store.query('SELECT alert_id, version, count FROM eyrie.alerts ORDER BY alert_id')).toEqual([
    { alert_id: hex(1), version: 2, count: '2' },
    { alert_id: hex(2), version: 3, count: '8' },
    { alert_id: hex(3), version: 1, count: '1' },
  ]);
  expect(await store.query('SELECT count() AS n FROM eyrie.alert_versions')).toEqual([{ n: '6' }]);
  expect(await store.query('SELECT * FROM eyrie.monthly_alerts ORDER BY month')).toEqual([
    { tenant: 'acme', month: '2026-08', alerts: '1', suppressed: '0' },
    { tenant: 'acme', month: '2026-11', alerts: '1', suppressed: '1' },
  ]);
  const [whole] = await store.query<{ body: string }>('SELECT body FROM eyrie.alerts WHERE alert_id = {id:String}', {
    id: hex(1),
  });
  expect(JSON.parse(whole?.body ?? '')).toEqual(testAlert(1, { version: 2, count: 2 }));
});

it('makes one of a health record or dead letter read twice, and a watched minute of a canary', async () => {
  const health: HealthRecord = {
    v: 1,
    tenant: 'acme' as TenantId,
    cluster: 'c1' as ClusterId,
    kind: 'canary',
    node: 'node-1',
    time: '1795000000000000000' as HealthRecord['time'],
    received_at: NOW,
    raw_pos: { log: 'log', partition: 0, offset: 5, index: 2 },
    fields: { 'a.b': 'c' },
  };
  const letter: DeadLetter = {
    v: 1,
    stage: 'prepare',
    reason: 'not_json',
    message: 'no JSON',
    at: NOW,
    topic: 'raw',
    raw_pos: { log: 'log', partition: 0, offset: 5, index: 3 },
    bytes: 3,
    sha256: 'x',
    head: 'eHh4',
  };
  await archive(['health', health], ['dead-letter', letter]);
  await archive(
    ['health', health],
    ['dead-letter', letter],
    ['health', { ...health, raw_pos: undefined, kind: 'loss' }],
  );
  expect(await store.query('SELECT kind, fields FROM eyrie.health ORDER BY kind')).toEqual([
    { kind: 'canary', fields: { 'a.b': 'c' } },
    { kind: 'loss', fields: { 'a.b': 'c' } },
  ]);
  expect(await store.query('SELECT reason, bytes FROM eyrie.dead_letters')).toEqual([
    { reason: 'not_json', bytes: '3' },
  ]);
  expect(await store.query('SELECT * FROM eyrie.coverage')).toEqual([
    { tenant: 'acme', cluster: 'c1', node: 'node-1', minute: '2026-11-18 11:06:00' },
  ]);
});

it('keeps states of an intent, and documents without the hash of a token', async () => {
  const action = testAction(1, { intent_key: 'k' });
  await archive(['actions', action], ['actions', { ...action, version: 2, state: 'succeeded' }]);
  expect(await store.query('SELECT intent_key, state FROM eyrie.actions')).toEqual([
    { intent_key: 'k', state: 'succeeded' },
  ]);
  await archive(['documents', testDocument(1)]);
  const [document] = await store.query<{ body: string }>('SELECT body FROM eyrie.documents');
  expect(JSON.parse(document?.body ?? '')).toEqual({ name: 'n', cluster: '*', scopes: ['read'] });
});

it('leaves no trace of a record that cannot be read', async () => {
  const batch = new Batch();
  const whole = judgedFrame([[testJudgement(), testEvent(50)]]);
  const cut = judgedFrame([
    [testJudgement(), testEvent(51)],
    [testJudgement(), testEvent(52)],
  ]).subarray(0, -3);
  const record = { topic: 'judged', partition: 0, offset: 1, logIdentity: 'log' } as const;
  batch.add(record, () => takeRecord(batch, { ...record, value: whole }), NOW);
  const bytes = batch.bytes;
  expect(() => batch.add(record, () => takeRecord(batch, { ...record, value: cut }), NOW)).toThrow();
  expect([batch.rowCount, batch.bytes]).toEqual([1, bytes]);
});
