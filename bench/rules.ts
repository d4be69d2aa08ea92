/**
 * Response rules held against judged events: 20 and 200 rules, the events those of input.ts. Prints one JSON line each.
 * `node bench/rules.ts [events]` (default 300,000). One rule in ten names no detection and asks an expression; of the others
 * some ask for fields of the raw line, as people write them.
 */
import type { Event, Judgement, RawMeta } from '@eyrie/schemas';
import { ResponseRule } from '@eyrie/schemas/rule';
import { createMemos } from '../services/processor/src/core/prepare/memo.ts';
import { prepareLine } from '../services/processor/src/core/prepare/prepare-line.ts';
import { SOURCES } from '../services/processor/src/sources/index.ts';
import { AlertMemory } from '../services/responder/src/alert-memory.ts';
import { compileRule } from '../services/responder/src/core/rules/compile.ts';
import type { ActionCatalog } from '../services/responder/src/core/rules/compiled.ts';
import { type RuleSet, ruleSet } from '../services/responder/src/core/rules/rule-set.ts';
import { Matching } from '../services/responder/src/matching.ts';
import { createInput } from './input.ts';
import { median } from './process.ts';
import { SHAPES } from './shapes.ts';

const EVENTS = Number(process.argv[2] ?? 300_000);
const ROUNDS = 5;
const LINES = 50_000;

const catalog: ActionCatalog = {
  'shell:script': {
    recovery: 'never',
    timeoutMs: { standard: 1_000, maximum: 1_000 },
    check: () => ({ ok: true, class: 1, parameters: {}, lane: { name: 'x', max: 1, intervalMs: 0 } }),
  },
};
const inputs = readInputs();
const costs = new Map<number, number>();
for (const count of [20, 200]) {
  const set = ruleSet(Array.from({ length: count }, (_, i) => rule(i)));
  let matched = 0;
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const matching = new Matching(new AlertMemory(() => {}), () => {});
    const before = process.cpuUsage();
    matched = hold(set, matching);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / EVENTS;
  });
  // The first round warms.
  costs.set(count, median(rounds.slice(1)));
  const value = costs.get(count) ?? 0;
  console.log(
    JSON.stringify({
      name: `rules_${count}`,
      value: Math.round(1e6 / value),
      unit: 'events_per_cpu_second',
      cpu_s_per_million: value,
      matched: matched / EVENTS,
      ratio: value / (costs.get(20) ?? value),
    }),
  );
}

function rule(index: number) {
  const shape = SHAPES[index % SHAPES.length];
  const match =
    index % 10 === 9
      ? { where: `namespace == "team-${index}" and process_name in ("bash", "sh", "curl")` }
      : { rules: [`${shape?.rule}${index < SHAPES.length ? '' : ` ${index}`}`], ...fields(index) };
  const written = {
    rule: `Rule ${index}`,
    id: `rule-${index}`,
    match,
    unless: ['k8s.ns.name=kube-system'],
    actions: [{ action: 'a', actionner: 'shell:script' }],
  };
  const compiled = compileRule(ResponseRule.parse(written), 'bench', JSON.stringify(written), catalog);
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  return compiled.rule;
}

function fields(index: number) {
  return index % 3 === 0 ? { output_fields: ['proc.name!=sshd'], priority: '>=Notice' } : { priority: '>=Warning' };
}

function hold(set: RuleSet, matching: Matching): number {
  let matched = 0;
  for (let i = 0; i < EVENTS; i += 1) {
    const { event, judgement, line } = inputs[i % inputs.length] ?? fail();
    matched += matching.event(set, judgement, event, () => line).length;
  }
  return matched;
}

function readInputs() {
  const meta = {
    tenant: 'bench',
    cluster: 'bench',
    received_at: Date.UTC(2026, 0, 6),
    origin: 'http',
    lines: 1,
  } as RawMeta;
  const tools = { sources: SOURCES, memos: createMemos() };
  return createInput({ seed: 1 })
    .lines(LINES)
    .map((text, offset) => {
      const line = Buffer.from(text);
      const position = { log: 'bench', partition: 0, offset, index: 0 };
      const prepared = prepareLine({ line, meta, index: 0, position }, tools);
      if (prepared.kind !== 'event') throw new Error('a line is no event');
      return { line, event: prepared.event, judgement: judgementOf(prepared.event) };
    });
}

/** Folded into the alert of its rule and container: what most events are. */
function judgementOf(event: Event): Judgement {
  return {
    outcome: 'folded',
    alert_id: `${event.rule}/${event.container_id ?? event.host}`,
    fp_score: 0.4,
    identity: { namespace: event.namespace, pod_uid: event.container_id },
    judged_at: event.received_at,
  } as unknown as Judgement;
}

function fail(): never {
  throw new Error('no input');
}
