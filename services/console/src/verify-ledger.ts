import { openSealed } from '@eyrie/platform/sign';
import { type ActionRecord, FORMATS } from '@eyrie/schemas';
import { HEAD_KEY } from '@eyrie/schemas/action-state';
import { CHAIN_START, type ChainHead } from '@eyrie/schemas/ledger-chain';
import type { Context } from './context.ts';
import { type ChainBreak, ChainCheck } from './core/chain-check.ts';
import { type ActionRow, selectChain } from './queries/actions.ts';

const READ = { maxBytes: 4 * 1024 * 1024 };
const ROWS_AT_ONCE = 10_000;
/** How often rows are looked for that are still on their way, and how long between, milliseconds. */
const LATE = { tries: 20, waitMs: 500 };
/** Rows stay at least as long as this: what is younger and missing at the front was taken away. */
const ROWS_KEPT_MS = 7 * 86_400_000;

type Found = ChainBreak & { readonly where: 'topic' | 'rows' };
type Source = Pick<Context, 'bus' | 'store' | 'signer' | 'clock'>;

/** The lines of a partition as the topic has them and as ClickHouse has them, both held against the head in the owner's state. */
export async function verifyPartition(source: Source, partition: number) {
  const head = await readHead(source, partition);
  const topic = await checkTopic(source, partition, head);
  const rows = await checkRows(source, partition, head, topic.first);
  const breaks: readonly Found[] = [
    ...(topic.broken === undefined ? [] : [{ where: 'topic' as const, ...topic.broken }]),
    ...(rows.broken === undefined ? [] : [{ where: 'rows' as const, ...rows.broken }]),
  ];
  return { partition, head: head.seq, lines: topic.count, rows: rows.count, breaks: [...breaks] };
}

async function readHead({ bus }: Source, partition: number): Promise<ChainHead> {
  const found = (await bus.readState('action-state', partition, HEAD_KEY)).find(([key]) => key === HEAD_KEY);
  return found === undefined ? CHAIN_START : (JSON.parse(found[1].toString()) as ChainHead);
}

interface TopicCheck {
  readonly count: number;
  readonly broken?: ChainBreak | undefined;
  /** The first line with a place in the chain. */
  readonly first?: ActionRecord | undefined;
}

async function checkTopic({ bus, signer }: Source, partition: number, head: ChainHead): Promise<TopicCheck> {
  const check = new ChainCheck(head);
  let first: ActionRecord | undefined;
  let { start: next } = await bus.bounds('actions', partition);
  while (check.seq < head.seq) {
    const records = await bus.read('actions', partition, next, READ);
    if (records.length === 0) break;
    for (const { value, offset } of records) {
      next = offset + 1;
      const read = openSealed<ActionRecord>(signer, value, FORMATS.record);
      if (!read.ok) return { count: check.count, first, broken: { seq: check.seq + 1, problem: 'unsigned' } };
      const { seq, digest, chain, intent_key, version } = read.record;
      if (seq === undefined || digest === undefined || chain === undefined) continue;
      first ??= read.record;
      const broken = check.take({ seq, digest, chain, intent_key, version, payload: read.record });
      if (broken !== undefined) return { count: check.count, first, broken };
      if (seq >= head.seq) break;
    }
  }
  return { count: check.count, first, broken: check.end() };
}

async function checkRows(
  { store, clock }: Source,
  partition: number,
  head: ChainHead,
  first: ActionRecord | undefined,
): Promise<Pick<TopicCheck, 'count' | 'broken'>> {
  const check = new ChainCheck(head);
  let tries = 0;
  while (check.seq < head.seq && tries <= LATE.tries) {
    const rows = await selectChain(store, partition, check.seq, head.seq, ROWS_AT_ONCE);
    if (rows.length === 0) {
      tries += 1;
      await clock.sleep(LATE.waitMs);
      continue;
    }
    const from = Number(rows[0]?.['seq']);
    if (check.count === 0 && first?.seq !== undefined && from > first.seq && clock.now() - first.at < ROWS_KEPT_MS) {
      return { count: 0, broken: { seq: first.seq, problem: 'missing' } };
    }
    for (const row of rows) {
      const broken = check.take(linkOf(row));
      if (broken !== undefined) return { count: check.count, broken };
    }
  }
  return { count: check.count, broken: check.end() };
}

/** A row as the record it came from. Without a state it was erased. */
function linkOf(row: ActionRow) {
  const {
    seq,
    digest,
    chain,
    intent_key,
    version,
    decided_by: by,
    ...payload
  } = row as unknown as Omit<ActionRecord, 'seq' | 'digest' | 'chain' | 'by'> & {
    seq: number;
    digest: string;
    chain: string;
    decided_by: string;
  };
  const link = { seq: Number(seq), digest, chain, intent_key, version };
  if ((payload.state as string) === '') return link;
  return { ...link, payload: { ...payload, intent_key, version, by } };
}
