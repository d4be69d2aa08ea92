import fc from 'fast-check';
import { expect } from 'vitest';
import type { Bus, GroupSpec, Output, Step } from '../../bus/bus.ts';
import type { BusUnderTest } from './bus.ts';
import { readAll } from './read-all.ts';

const GROUP: GroupSpec = { group: 'model', inputs: ['events', 'commands'], state: 'alert-state' };
const TOPICS = ['events', 'commands', 'alerts', 'documents'] as const;
const RUNS = 12 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);

/** What a bus is, in lists and maps: the oracle. */
interface Model {
  readonly logs: Readonly<Record<(typeof TOPICS)[number], { key?: string; value: string }[]>>;
  readonly state: Map<string, string>;
  readonly read: Record<'events' | 'commands', number>;
  note: string | undefined;
}

const key = fc.constantFrom('a', 'b', 'c/é', 'd'.repeat(300));
const output = fc.record({ topic: fc.constantFrom(...TOPICS), key, value: fc.string({ maxLength: 40 }) });
const operation = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), outputs: fc.array(output, { maxLength: 5 }) }),
  fc.record({
    kind: fc.constant('step' as const),
    records: fc.nat(6),
    commit: fc.boolean(),
    note: fc.option(fc.string({ maxLength: 10 }), { nil: undefined }),
    state: fc.array(fc.tuple(key, fc.option(fc.string({ maxLength: 20 }))), { maxLength: 4 }),
    outputs: fc.array(output, { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('reopen' as const) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
type OutputOf = typeof output extends fc.Arbitrary<infer T> ? T : never;

/** Random histories of appends, committed, uncommitted steps and reopenings leave what a list would hold. */
export async function checkHistories(make: () => Promise<BusUnderTest>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 15 }), async (operations) => {
      const under = await make();
      try {
        const model: Model = {
          logs: { events: [], commands: [], alerts: [], documents: [] },
          state: new Map(),
          read: { events: 0, commands: 0 },
          note: undefined,
        };
        let { bus } = under;
        for (const one of operations) {
          if (one.kind === 'reopen') bus = await under.reopen();
          else if (one.kind === 'append') {
            await bus.append(one.outputs.map(toOutput));
            write(model, one.outputs);
          } else await step(bus, model, one);
        }
        await compare(bus, model);
        await compare(await under.reopen(), model);
      } finally {
        await under.remove();
      }
    }),
    { numRuns: RUNS },
  );
}

async function step(bus: Bus, model: Model, operation: Operation & { kind: 'step' }): Promise<void> {
  await bus.join(GROUP, async (assigned) => {
    if (assigned.partition !== 0) return;
    expect(assigned.position('events').note).toBe(model.note);
    const unread = model.logs.events.length - model.read.events + (model.logs.commands.length - model.read.commands);
    const next = new Map<'events' | 'commands', number>();
    const taken = { events: 0, commands: 0 };
    for (let left = Math.min(operation.records, unread); left > 0; ) {
      for (const record of await assigned.poll({ maxBytes: 1, maxWaitMs: 1_000 })) {
        const topic = record.topic as 'events' | 'commands';
        expect(String(record.value)).toBe(model.logs[topic][model.read[topic] + taken[topic]]?.value);
        taken[topic] += 1;
        next.set(topic, record.offset + 1);
        left -= 1;
      }
    }
    if (!operation.commit) return;
    const { note } = operation;
    next.set('events', next.get('events') ?? assigned.position('events').next);
    const committed: Step = {
      positions: [...next].map(([topic, at]) =>
        topic === 'events' && note !== undefined ? { topic, next: at, note } : { topic, next: at },
      ),
      state: operation.state.map(([name, value]) => [name, value === null ? null : Buffer.from(value)] as const),
      outputs: operation.outputs.map(toOutput),
    };
    await assigned.transact(committed);
    model.note = note;
    model.read.events += taken.events;
    model.read.commands += taken.commands;
    for (const [name, value] of operation.state) {
      if (value === null) model.state.delete(name);
      else model.state.set(name, value);
    }
    write(model, operation.outputs);
  }).done;
}

function write(model: Model, outputs: readonly OutputOf[]): void {
  for (const { topic, ...record } of outputs) {
    const log = model.logs[topic];
    if (topic === 'documents') {
      const before = log.findIndex((one) => one.key === record.key);
      if (before >= 0) log.splice(before, 1);
    }
    log.push(record);
  }
}

async function compare(bus: Bus, model: Model): Promise<void> {
  for (const topic of TOPICS) {
    const records = await readAll(bus, topic, 0);
    const found = records.map((record) => ({ key: record.key, value: String(record.value) }));
    // A compacted topic may still hold what a later record of its key replaced.
    expect(topic === 'documents' ? latest(found) : found).toEqual(model.logs[topic]);
  }
  const state = await bus.readState('alert-state', 0, '');
  expect(new Map(state.map(([name, value]) => [name, String(value)]))).toEqual(model.state);
}

function latest<T extends { readonly key: string | undefined }>(records: readonly T[]): T[] {
  return records.filter((record, i) => !records.slice(i + 1).some(({ key: later }) => later === record.key));
}

function toOutput({ topic, key: name, value }: OutputOf): Output {
  return { topic, partition: 0, key: name, value: Buffer.from(value) };
}
