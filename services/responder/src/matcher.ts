import type { Assigned, Bus, BusRecord, Output } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { Metrics } from '@eyrie/platform/metrics';
import { openSealed, type Refusal, type Signer } from '@eyrie/platform/sign';
import { type Alert, FORMATS, FrameError, type TopicName, visitJudged } from '@eyrie/schemas';
import { requestKey, requestPartition } from '@eyrie/schemas/request-partition';
import { AlertMemory } from './alert-memory.ts';
import type { RuleSet } from './core/rules/rule-set.ts';
import { deadLetter } from './dead-letter.ts';
import { type Match, Matching } from './matching.ts';
import type { Progress } from './progress.ts';

const POLL = { maxBytes: 2 * 1024 * 1024, maxWaitMs: 1_000 };
/** Without a match positions are written this often: repeats after a crash have no effect, syncs cost. */
const COMMIT_MS = 1_000;

export interface MatcherDeps {
  readonly bus: Bus;
  readonly signer: Signer;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly rules: () => RuleSet;
  readonly progress: Progress;
}

interface Matcher {
  readonly memory: AlertMemory;
  readonly matching: Matching;
}

/** Reads judged events and alerts of one partition, writes requests together with its positions. */
export async function runMatcher(assigned: Assigned, signal: AbortSignal, deps: MatcherDeps): Promise<void> {
  const { clock, progress } = deps;
  const positions = new Map<TopicName, number>();
  let committedAt = clock.now();
  let matcher: Matcher | undefined;
  for (const topic of ['judged', 'alerts'] as const) {
    progress.reached(topic, assigned.partition, assigned.position(topic).next);
  }
  while (!signal.aborted) {
    const records = await assigned.poll(POLL);
    const rules = deps.rules();
    // Without rules nothing is parsed; what was missed is read back when the first one comes.
    if (rules.rules.length === 0) matcher = undefined;
    else matcher ??= await prime(assigned, deps, positions.get('alerts') ?? assigned.position('alerts').next);
    const outputs = matcher === undefined ? [] : matchRecords(records, rules, matcher, deps);
    for (const { topic, offset } of records) positions.set(topic, offset + 1);
    const due = positions.size > 0 && (records.length === 0 || clock.now() - committedAt >= COMMIT_MS);
    if (outputs.length > 0 || due) {
      await assigned.transact({ positions: [...positions].map(([topic, next]) => ({ topic, next })), outputs });
      positions.clear();
      committedAt = clock.now();
    }
    for (const { topic, offset } of records) progress.reached(topic, assigned.partition, offset + 1);
  }
}

async function prime(assigned: Assigned, { bus, signer, metrics }: MatcherDeps, position: number): Promise<Matcher> {
  const onBound = (bound: string) => metrics.count('eyrie_bound_reached_total', { bound });
  const memory = new AlertMemory(onBound);
  await memory.prime(bus, assigned.partition, position, (record) => {
    const read = openSealed<Alert>(signer, record.value, FORMATS.record);
    return read.ok ? read.record : undefined;
  });
  return { memory, matching: new Matching(memory, onBound) };
}

/** Alerts are learned first, events matched before alerts: an event knows more to tell an action. */
function matchRecords(
  records: readonly BusRecord[],
  rules: RuleSet,
  { memory, matching }: Matcher,
  deps: MatcherDeps,
): readonly Output[] {
  const outputs: Output[] = [];
  const refuse = (record: BusRecord, reason: Refusal, message: string) => {
    deps.metrics.count('eyrie_dead_letters_total', { stage: 'responder', reason });
    outputs.push(deadLetter(deps.bus, record, reason, message));
  };
  const alerts: Alert[] = [];
  for (const record of records) {
    if (record.topic !== 'alerts') continue;
    const read = openSealed<Alert>(deps.signer, record.value, FORMATS.record);
    if (read.ok) {
      memory.learn(read.record);
      alerts.push(read.record);
    } else refuse(record, read.reason, 'an alert the responder cannot take');
  }
  for (const record of records) {
    if (record.topic !== 'judged') continue;
    try {
      // One by one: what was found before a damaged entry counts.
      visitJudged(record, ({ judgement, event }, rawLine) => {
        if (judgement.alert_id === undefined) return;
        for (const match of matching.event(rules, judgement, event, () => rawLine)) {
          outputs.push(requestOutput(match, deps));
        }
      });
    } catch (error) {
      if (!(error instanceof FrameError) && !(error instanceof SyntaxError)) throw error;
      refuse(record, error instanceof FrameError ? error.code : 'unreadable', error.message);
    }
  }
  for (const alert of alerts) {
    for (const match of matching.alert(rules, alert)) outputs.push(requestOutput(match, deps));
  }
  return outputs;
}

function requestOutput({ rule, request }: Match, { bus, signer }: MatcherDeps): Output {
  const key = requestKey(rule.class, request.tenant, request.alert_id);
  return {
    topic: 'action-requests',
    partition: requestPartition(key, bus.partitions('action-requests')),
    key,
    value: signer.seal(request),
  };
}
