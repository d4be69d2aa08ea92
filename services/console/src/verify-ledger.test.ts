import type { Bus } from '@eyrie/platform/bus/bus';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { createSigner } from '@eyrie/platform/sign';
import { openChdb } from '@eyrie/platform/store/chdb';
import type { Store } from '@eyrie/platform/store/store';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { CHAIN_START, type ChainHead, ledgerDigest, nextHead } from '@eyrie/schemas/ledger-chain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertRows } from './test-support/rows.ts';
import { verifyPartition } from './verify-ledger.ts';

const COUNT = 9;
const signer = createSigner(Buffer.alloc(32, 1));
const NOW = 1_764_000_000_000;
// Rows are not waited for: what is missing is missing.
const clock = { now: () => NOW, sleep: async () => {} } as never;
let temporary: TemporaryLog;
let store: Store;

beforeAll(async () => {
  temporary = temporaryLog();
  store = await openChdb({
    dataDir: temporary.dataDir.path,
    log: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
    retention: { eventsDays: 3_650, versionsDays: 3_650, healthDays: 3_650 },
  });
  await store.migrate();
}, 120_000);
afterAll(async () => {
  await store?.close();
  await temporary?.remove();
});

type Row = Readonly<Record<string, string | number>>;
interface Ledger {
  readonly records: readonly Buffer[];
  readonly rows: readonly Row[];
  readonly head: ChainHead;
}

/** As the owner of a partition writes it and the archiver stores it. */
function ledger(partition: number): Ledger {
  let head = CHAIN_START;
  const records: Buffer[] = [];
  const rows: Row[] = [];
  for (let n = 1; n <= COUNT; n += 1) {
    const line = {
      tenant: 'default',
      cluster: 'lab',
      intent_key: `intent-${n}`,
      version: 1,
      state: 'succeeded',
      reason: 'done',
      rule_id: 'r',
      rule_version: '1',
      action: 'tell',
      actionner: 'webhook:post',
      class: 0,
      mode: 'enforce',
      alert_id: 'a',
      event_id: n % 2 === 0 ? '' : 'e',
      target: "pod 'a'\n\\",
      incarnation: 'i',
      attempt: 1,
      at: NOW + n,
      detail: `line ${n} ✓`,
      plan: 'p',
      plan_hash: '',
      due_at: n % 3 === 0 ? NOW + 7 : 0,
    } as const;
    const digest = ledgerDigest({ ...line, by: 'ann' } as never);
    head = nextHead(head, digest);
    records.push(signer.seal({ v: 1, ...line, by: 'ann', digest, ...head }));
    const time = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
    rows.push({
      ...line,
      at: time(line.at),
      due_at: time(line.due_at),
      decided_by: 'ann',
      partition,
      ...head,
      digest,
    });
  }
  return { records, rows, head };
}

let partitions = 0;

async function verify(change: (ledger: Ledger) => Partial<Ledger> = () => ({})) {
  partitions += 1;
  const whole = ledger(partitions);
  const { records, rows, head } = { ...whole, ...change(whole) };
  if (rows.length > 0) await insertRows(store, 'action_versions', rows);
  const bus = {
    bounds: async () => ({ start: 0, end: records.length }),
    read: async (_topic: string, _partition: number, from: number) =>
      records.slice(from, from + 4).map((value, i) => ({ value, offset: from + i })),
    readState: async () => (head.seq === 0 ? [] : [['h/', Buffer.from(JSON.stringify({ v: 1, ...head }))]]),
  } as unknown as Bus;
  return verifyPartition({ bus, store, signer, clock }, partitions);
}

describe('verifying a ledger', () => {
  it('finds nothing where nothing was changed, whatever went with time', async () => {
    const all = { head: COUNT, lines: COUNT, rows: COUNT, breaks: [] };
    expect(await verify()).toMatchObject(all);
    expect(await verify(({ records }) => ({ records: records.slice(3) }))).toMatchObject({ ...all, lines: COUNT - 3 });
    expect(await verify(() => ({ records: [], rows: [], head: CHAIN_START }))).toMatchObject({ head: 0, breaks: [] });
  });

  it('holds where lines of a tenant were erased', async () => {
    const erase = (row: Row): Row =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => {
          const isKept = [
            'partition',
            'seq',
            'digest',
            'chain',
            'at',
            'due_at',
            'class',
            'version',
            'attempt',
          ].includes(name);
          return [name, isKept ? value : ''];
        }),
      );
    expect(await verify(({ rows }) => ({ rows: rows.map((row, i) => (i === 4 ? erase(row) : row)) }))).toMatchObject({
      breaks: [],
    });
  });

  const broken: [string, (ledger: Ledger) => Partial<Ledger>, object][] = [
    [
      'an edited row',
      ({ rows }) => ({ rows: rows.with(4, { ...rows[4], detail: 'nothing happened' } as Row) }),
      { where: 'rows', seq: 5, problem: 'changed', intent_key: 'intent-5' },
    ],
    ['a deleted row', ({ rows }) => ({ rows: rows.toSpliced(4, 1) }), { where: 'rows', seq: 5, problem: 'missing' }],
    ['rows deleted in front', ({ rows }) => ({ rows: rows.slice(2) }), { where: 'rows', seq: 1, problem: 'missing' }],
    [
      'two rows that changed places',
      ({ rows }) => ({
        rows: rows.map((row, i) => (i === 3 || i === 4 ? { ...row, seq: i === 3 ? 5 : 4 } : row) as Row),
      }),
      { where: 'rows', seq: 4, problem: 'changed' },
    ],
    ['an end cut off', ({ rows }) => ({ rows: rows.slice(0, 7) }), { where: 'rows', seq: 8, problem: 'cut_off' }],
    ['no rows', () => ({ rows: [] }), { where: 'rows', seq: 1, problem: 'cut_off' }],
    [
      'a topic cut off at its end',
      ({ records }) => ({ records: records.slice(0, 7) }),
      { where: 'topic', seq: 8, problem: 'cut_off' },
    ],
    [
      'a record that was not ours',
      ({ records }) => ({
        records: records.with(2, Buffer.from(String(records[2]).replace('line 3', 'line 4'))),
      }),
      { where: 'topic', seq: 3, problem: 'unsigned' },
    ],
  ];
  it.each(broken)('finds %s', async (_, change, found) => {
    expect((await verify(change)).breaks).toEqual([expect.objectContaining(found)]);
  });
});
