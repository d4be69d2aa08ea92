/**
 * `prepare` and `judge` without I/O against JSON.parse of the same lines. `node bench/pure.ts [lines]` (default 200,000).
 * One JSON line a figure: the lines, read as bytes, become events, then judgements in the judge's own state. Both mixes of
 * the input (input.ts): `even`, where one event in three writes a version of an alert, and `skewed`, one in five.
 */
import '../services/cli/src/heap.ts';
import type { Event, RawMeta, WorkloadSnapshot } from '@eyrie/schemas';
import { WorkloadIndex } from '../services/processor/src/core/join/workload-index.ts';
import {
  DEFAULTS,
  type Decision,
  decide,
  evolve,
  type JudgeOptions,
  JudgeState,
  takeChanges,
} from '../services/processor/src/core/judge/judge.ts';
import { createMemos } from '../services/processor/src/core/prepare/memo.ts';
import { prepareLine } from '../services/processor/src/core/prepare/prepare-line.ts';
import { Learner } from '../services/processor/src/learner.ts';
import { SOURCES } from '../services/processor/src/sources/index.ts';
import { createInput, type Mix } from './input.ts';
import { median } from './process.ts';

const LINES = Number(process.argv[2] ?? 200_000);
const ROUNDS = 5;
/** Events of one step: the judge's changes are taken this often. */
const STEP = 1_500;
const EMPTY = Buffer.alloc(0);

const meta = {
  tenant: 'bench',
  cluster: 'bench',
  received_at: Date.UTC(2026, 0, 6),
  origin: 'http',
  lines: 1,
} as RawMeta;
const documents = { version: 0, silences: new Map(), exceptions: new Map() };
const tools = { sources: SOURCES, memos: createMemos() };
for (const mix of ['even', 'skewed'] as const) measure(mix);

function measure(mix: Mix): void {
  const input = createInput({ seed: 1, mix });
  const texts = input.lines(LINES);
  const lines = texts.map((text) => Buffer.from(text));
  const index = new WorkloadIndex();
  for (const workload of input.workloads('bench'))
    index.apply({ ...workload, tenant: 'bench' } as unknown as WorkloadSnapshot);
  check(mix, lines, index);

  // All kinds of work in each round, so that a noisy neighbour hits them alike.
  const costs = { parse: [] as number[], prepare: [] as number[], both: [] as number[] };
  for (let round = -1; round < ROUNDS; round += 1) {
    const parse = cpu(() => {
      for (const text of texts) JSON.parse(text);
    });
    const alone = cpu(() => {
      for (let i = 0; i < LINES; i += 1) eventOf(lines[i] ?? EMPTY, i);
    });
    const both = cpu(() => judge(lines, index));
    // The first round warms.
    if (round < 0) continue;
    costs.parse.push(parse);
    costs.prepare.push(alone);
    costs.both.push(both);
  }
  const baseline = median(costs.parse);
  const suffix = mix === 'even' ? '' : `_${mix}`;
  report(`pure_json_parse${suffix}`, baseline, baseline);
  report(`pure_prepare${suffix}`, median(costs.prepare), baseline);
  report(`pure_prepare_and_judge${suffix}`, median(costs.both), baseline);
}

/** Says what the input is; it must hold what the figures claim. */
function check(mix: Mix, lines: readonly Buffer[], index: WorkloadIndex): void {
  const ids = new Set<string>();
  let joined = 0;
  let opened = 0;
  let versions = 0;
  const state = judge(lines, index, (event, { judgement, alerts }) => {
    ids.add(event.event_id);
    joined += index.identify(event) === undefined ? 0 : 1;
    opened += judgement?.outcome === 'opened' ? 1 : 0;
    versions += alerts.length;
  });
  console.log(
    JSON.stringify({
      mix,
      lines: LINES,
      bytes: lines.reduce((sum, line) => sum + line.length, 0) / LINES,
      ids: ids.size,
      fingerprints: state.byFingerprint.size,
      joined,
      opened: opened / LINES,
      versions: versions / LINES,
    }),
  );
  if (ids.size !== LINES || joined !== LINES) throw new Error('the input does not hold what the figure claims');
}

function eventOf(line: Buffer, offset: number): Event | undefined {
  const position = { log: 'bench', partition: 0, offset, index: 0 };
  const prepared = prepareLine({ line, meta, index: 0, position }, tools);
  return prepared.kind === 'event' ? prepared.event : undefined;
}

function judge(
  lines: readonly Buffer[],
  index: WorkloadIndex,
  visit: (event: Event, decision: Decision) => void = () => {},
): JudgeState {
  const learner = new Learner();
  const state = new JudgeState(0);
  const options: JudgeOptions = {
    ...DEFAULTS,
    score: (subject) => learner.score(subject),
    identify: (subject) => index.identify(subject),
    inventory: { version: () => index.version, isSteady: (subject) => index.isSteady(subject) },
    hasInventory: () => true,
  };
  let now = meta.received_at;
  for (let i = 0; i < LINES; i += 1) {
    const event = eventOf(lines[i] ?? EMPTY, i);
    if (event === undefined) continue;
    const decision = decide(state, { kind: 'event', event, checkRawPosition: true }, documents, now, options);
    visit(event, decision);
    evolve(state, decision, options);
    if (decision.judgement !== undefined) learner.learn(event, decision.judgement);
    if (i % STEP !== STEP - 1) continue;
    now += 100;
    takeChanges(state);
    learner.takeChanges();
  }
  return state;
}

/** CPU microseconds a line. */
function cpu(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / LINES;
}

function report(name: string, value: number, baseline: number): void {
  const round = (number: number) => Math.round(number * 100) / 100;
  console.log(
    JSON.stringify({
      name,
      value: round(value),
      unit: 'us/line',
      cpu_s_per_million: round(value),
      baseline: round(baseline),
      ratio: round(value / baseline),
    }),
  );
}
