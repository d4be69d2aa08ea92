import { isDeepStrictEqual } from 'node:util';
import {
  type Alert,
  type ClusterId,
  type Event,
  type EventId,
  type Identity,
  type Nanos,
  type Priority,
  priorityRank,
  type RoutingKey,
  type Score,
  type TenantId,
  type VerdictCommand,
} from '@eyrie/schemas';
import fc from 'fast-check';
import { aScore, T0 } from './building.test-support.ts';
import { decodeRecord } from './codec.ts';
import { DEFAULTS, type JudgeDocuments, type JudgeInput, type JudgeOptions } from './judge.ts';
import { type ModelAlert, type ModelDocuments, NaiveModel } from './naive-model.test-support.ts';
import { alertIdOf, hash32 } from './placing.ts';

/** The judge under test: the real one, or a mutant of it. */
export type Judge = Pick<
  typeof import('./judge.ts'),
  'decide' | 'evolve' | 'restoreState' | 'takeChanges' | 'JudgeState'
>;

export const WINDOW = 1_000;
const GRACE = 100;

/** One step of a history. Numbers name things by position, so that histories shrink well. */
export type Move =
  | { readonly kind: 'event'; readonly at: number; readonly nanos: number; readonly lag: number; readonly shape: Shape }
  | { readonly kind: 'again'; readonly which: number; readonly isSameLine: boolean }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'learn'; readonly container: number; readonly workload: number; readonly hasPod: boolean }
  | {
      readonly kind: 'verdict';
      readonly alert: number;
      readonly status: VerdictCommand['status'];
      readonly revoke: boolean;
      readonly forMs: number;
      readonly repeats: boolean;
    }
  | { readonly kind: 'silence'; readonly index: number; readonly forMs: number }
  | { readonly kind: 'exception'; readonly forMs: number }
  | { readonly kind: 'restart' };

interface Shape {
  readonly tenant: number;
  readonly key: number;
  readonly priority: number;
  readonly container: number;
  readonly host: number;
  readonly technique: number;
  readonly user: number;
  readonly band: number;
  readonly floor: boolean;
  readonly clamped: boolean;
  readonly overQuota: boolean;
  /** What the event itself tells: 0 nothing, 1 the container's name and image, 2 a pod uid the inventory may know. */
  readonly claims: number;
}

const small = (max: number) => fc.nat({ max });
const rarely = fc.nat({ max: 9 }).map((n) => n === 9);

const shape: fc.Arbitrary<Shape> = fc.record({
  tenant: fc.constantFrom(0, 0, 0, 1),
  key: fc.constantFrom(0, 0, 0, 1),
  priority: fc.constantFrom(0, 0, 0, 0, 1, 2),
  container: fc.constantFrom(0, 0, 1, 1, 2, 3),
  host: fc.constantFrom(0, 0, 0, 1),
  technique: fc.constantFrom(0, 0, 0, 0, 1, 2),
  user: fc.constantFrom(0, 0, 0, 0, 1, 2),
  band: fc.constantFrom(0, 2, 2, 2, 2, 3),
  floor: rarely,
  clamped: rarely,
  overQuota: rarely,
  claims: fc.constantFrom(0, 0, 1, 1, 2),
});

/** Times at the borders of windows, and between. */
const borders = [
  0,
  1,
  -1,
  WINDOW,
  WINDOW - 1,
  WINDOW + 1,
  -WINDOW,
  -WINDOW - 1,
  -WINDOW + 1,
  WINDOW + GRACE,
  2 * WINDOW,
  3 * WINDOW,
];
const at = fc.oneof(fc.constantFrom(...borders), fc.integer({ min: -2 * WINDOW, max: 4 * WINDOW }));

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      at,
      nanos: fc.constantFrom(0, 0, 1, 999_999),
      lag: fc.constantFrom(0, 0, 5, 60),
      shape,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('again' as const), which: small(20), isSameLine: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 30, GRACE - 1, GRACE, 300, WINDOW, WINDOW + GRACE, 2 * WINDOW, 2 * WINDOW + 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('learn' as const),
      container: small(2),
      workload: small(1),
      hasPod: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('verdict' as const),
      alert: small(6),
      status: fc.constantFrom(
        'dismissed' as const,
        'dismissed' as const,
        'resolved' as const,
        'in_review' as const,
        'new' as const,
      ),
      revoke: rarely,
      forMs: fc.constantFrom(200, WINDOW, 5 * WINDOW),
      repeats: rarely,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('silence' as const),
      index: small(1),
      forMs: fc.constantFrom(-1, 200, WINDOW, 3 * WINDOW),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('exception' as const), forMs: fc.constantFrom(200, 3 * WINDOW) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

export interface History {
  readonly hasInventory: boolean;
  readonly duePerInput: number;
  readonly moves: readonly Move[];
}

const mostly = (usual: number, ...others: readonly number[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(usual, ...others) });

/** What most real events are: the same again, in a container the inventory knows. */
const repeat: fc.Arbitrary<Move> = fc.record({
  kind: fc.constant('event' as const),
  at: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: WINDOW - 1 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 0, WINDOW, WINDOW + 1) },
  ),
  nanos: fc.constant(0),
  lag: fc.constant(0),
  shape: fc.record({
    tenant: fc.constant(0),
    key: mostly(0, 1),
    priority: mostly(0, 1),
    container: fc.constantFrom(0, 0, 0, 1),
    host: fc.constant(0),
    technique: mostly(0, 1),
    user: mostly(0, 1, 2),
    band: mostly(2, 3),
    floor: rarely,
    clamped: fc.constant(false),
    overQuota: fc.constant(false),
    claims: mostly(0, 1),
  }),
});

const known = [0, 1].map((container): Move => ({ kind: 'learn', container, workload: 0, hasPod: true }));
const busy = fc
  .array(fc.oneof({ weight: 5, arbitrary: repeat }, { weight: 1, arbitrary: move }), {
    minLength: 10,
    maxLength: 40,
    size: 'max',
  })
  .map((moves) => [...known, ...moves]);

export const history: fc.Arbitrary<History> = fc.record({
  hasInventory: fc.boolean(),
  duePerInput: fc.constantFrom(1, 64),
  moves: fc.oneof(
    { weight: 3, arbitrary: fc.array(move, { minLength: 1, maxLength: 40, size: 'max' }) },
    { weight: 1, arbitrary: busy },
  ),
});

const PRIORITIES: readonly Priority[] = ['Notice', 'Warning', 'Critical'];
const BANDS: readonly Score['band'][] = ['suppress', 'low', 'review', 'page'];

function eventOf(
  { at: atMs, nanos, shape: s }: Extract<Move, { kind: 'event' }>,
  made: number,
  now: number,
  lag: number,
): Event {
  const key = `${s.tenant}/${s.key}`;
  return {
    v: 1,
    event_id: hash32(`event ${made}`) as EventId,
    tenant: `t${s.tenant}` as TenantId,
    cluster: 'c1' as ClusterId,
    source: 'syscall',
    rule: `rule-${s.key}`,
    priority: PRIORITIES[s.priority] ?? 'Notice',
    time: String(BigInt(T0 + atMs) * 1_000_000n + BigInt(nanos)).padStart(19, '0') as Nanos,
    received_at: now - lag,
    routing_key: hash32(key) as RoutingKey,
    salient: key,
    raw_pos: { log: 'log', partition: 0, offset: made, index: 0 },
    host: `n${s.host}`,
    container_id: s.container === 3 ? 'host' : `aaaaaaaaaaa${s.container}`,
    event_type: `${BANDS[s.band]}${s.floor ? '+' : ''}`,
    ...(s.container !== 3 && s.claims === 1 && { container: `name-${s.container % 2}`, image: 'img' }),
    ...(s.container !== 3 && s.claims === 2 && { pod_uid: `uid-${s.container}` }),
    ...(s.technique > 0 && { techniques: [`T${s.technique}`] }),
    ...(s.user > 0 && { tty: 34816, user_name: `u${s.user}` }),
    ...(s.clamped && { clamped: true as const }),
    ...(s.overQuota && { over_quota: true as const }),
  };
}

function scoreOf(event: Event): Score {
  const floor = event.event_type?.endsWith('+') === true;
  return aScore({ band: (event.event_type ?? '').replace('+', '') as Score['band'], ...(floor && { floor: 'test' }) });
}

/** Runs a history through judge and model, comparing step by step; gives both ends. */
export function runHistory(judge: Judge, { hasInventory, duePerInput, moves }: History) {
  const inventory = new Map<string, Identity>();
  const identify = (subject: { container_id?: string; pod_uid?: string }) =>
    inventory.get(subject.container_id ?? '') ?? inventory.get(subject.pod_uid ?? '');
  const shared = {
    windowMs: WINDOW,
    graceMs: GRACE,
    intervalMs: 300,
    breakThroughs: 2,
    stormLimit: 3,
    stormMs: 2 * WINDOW,
    dismissalMs: 3 * WINDOW,
    duePerInput,
    duePerEvent: Math.min(2, duePerInput),
  };
  const onResolve = (rule: string) => (rule === 'rule-0' ? ('restart' as const) : ('continue' as const));
  const options: JudgeOptions = {
    ...DEFAULTS,
    ...shared,
    onResolve,
    score: ({ event }) => scoreOf(event),
    identify,
    inventory: { version: () => inventory.size, isSteady: () => true },
    hasInventory: () => hasInventory,
  };
  const model = new NaiveModel({
    ...shared,
    onResolve,
    targetsMax: 256,
    score: scoreOf,
    identify,
    hasInventory: () => hasInventory,
    idOf: (event) => alertIdOf(event.tenant, event),
  });

  let state = new judge.JudgeState(0);
  const changelog = new Map<string, Buffer>();
  const latest = new Map<string, Alert>();
  const events: Event[] = [];
  const outcomes = new Map<string, number>();
  const silences: (ModelDocuments['silences'][number] & { comment: string })[] = [];
  const exceptions: (ModelDocuments['exceptions'][number] & { comment: string })[] = [];
  let commands = 0;
  let now = T0;

  function documents(): JudgeDocuments {
    return {
      version: silences.length,
      silences: Map.groupBy(silences, byTenant),
      exceptions: Map.groupBy(exceptions, byTenant),
    };
  }
  function save(): void {
    for (const [key, value] of judge.takeChanges(state)) {
      if (value === null) changelog.delete(key);
      else changelog.set(key, value);
    }
  }
  function step(input: JudgeInput, expected: (modelDocuments: ModelDocuments) => ReturnType<NaiveModel['tick']>): void {
    const decision = judge.decide(state, input, documents(), now, options);
    judge.evolve(state, decision, options);
    const wanted = expected({ silences, exceptions });
    const got = {
      ...(decision.judgement !== undefined && {
        outcome: decision.judgement.outcome,
        reason: decision.judgement.reason,
      }),
      ...(decision.command !== undefined && { command: decision.command }),
      written: decision.alerts.map((alert) => `${alert.alert_id} ${alert.change} ${alert.version}`),
      notices: decision.notices.length,
    };
    equal(got, wanted, `step ${input.kind}`);
    for (const alert of decision.alerts) latest.set(alert.alert_id, alert);
    if (decision.judgement !== undefined) {
      outcomes.set(decision.judgement.outcome, (outcomes.get(decision.judgement.outcome) ?? 0) + 1);
    }
  }

  for (const move of moves) {
    switch (move.kind) {
      case 'event': {
        const event = eventOf(move, events.length, now, move.lag);
        events.push(event);
        step({ kind: 'event', event, checkRawPosition: true }, (held) => model.event(event, held, now));
        break;
      }
      case 'again': {
        const old = events[move.which];
        if (old === undefined) break;
        const raw_pos = move.isSameLine ? old.raw_pos : { ...old.raw_pos, offset: events.length - 1, index: 1 };
        const event = { ...old, received_at: now, raw_pos };
        step({ kind: 'event', event, checkRawPosition: true }, (held) => model.event(event, held, now));
        break;
      }
      case 'wait':
        now += move.ms;
        step({ kind: 'tick' }, (held) => model.tick(held, now));
        break;
      case 'learn': {
        const { container, workload, hasPod } = move;
        const id = `aaaaaaaaaaa${container}`;
        const identity: Identity = {
          namespace: 'ns',
          workload_kind: 'Deployment',
          workload: `w${workload}`,
          ...(hasPod && { pod: `pod-${container}`, pod_uid: `uid-${container}` }),
          ...(workload === 0 && { container: 'main' }),
        };
        // What a container is does not change once it is known.
        if (!inventory.has(id)) inventory.set(id, identity);
        if (hasPod && !inventory.has(`uid-${container}`)) inventory.set(`uid-${container}`, { ...identity });
        const entities = ['t0', 't1'].flatMap((tenant) => [`${tenant}/c1/c/${id}`, `${tenant}/c1/p/uid-${container}`]);
        step({ kind: 'identity', entities }, (held) => model.identity(entities, held, now));
        break;
      }
      case 'verdict': {
        const alert = model.alerts[move.alert];
        if (alert === undefined) break;
        if (!move.repeats) commands += 1;
        const command: VerdictCommand = {
          v: 1,
          kind: 'verdict',
          id: `command ${commands}`,
          tenant: alert.event.tenant,
          alert_id: alert.id as Alert['alert_id'],
          routing_key: alert.event.routing_key,
          status: move.status,
          by: 'someone',
          at: now,
          mac: '',
          dismissed_until: now + move.forMs,
          ...(move.revoke && { revoke: true as const }),
          ...(move.status === 'in_review' && { assignee: 'someone' }),
        };
        step({ kind: 'command', command }, (held) => model.command(command, held, now));
        break;
      }
      case 'silence': {
        const id = `s${move.index}`;
        const at = silences.findIndex((held) => held.id === id);
        if (at >= 0) silences.splice(at, 1);
        if (move.forMs < 0) break;
        const matchers =
          move.index === 0
            ? [{ field: 'host', op: '=' as const, value: 'n0' }]
            : [{ field: 'rule', op: '=' as const, value: 'rule-0' }];
        silences.push({ tenant: 't0', id, matchers, starts_at: now, ends_at: now + move.forMs, comment: '' });
        break;
      }
      case 'exception':
        exceptions.push({
          tenant: 't0',
          id: `x${exceptions.length}`,
          matchers: [{ field: 'host', op: '=', value: 'n1' }],
          expires_at: now + move.forMs,
          comment: '',
        });
        break;
      case 'restart':
        save();
        state = judge.restoreState(0, changelog, options, refuseEntry);
        model.restart();
        break;
    }
  }

  // What is held at the end, read from the changelog as a successor would.
  save();
  const restored = judge.restoreState(0, changelog, options, refuseEntry);
  const held = [
    ...[...restored.alerts.values()].map(({ record }) => record.alert),
    ...[...restored.closed.values()].map(({ value }) => decodeRecord(value).alert),
  ];
  equal(byId(held.map(viewOf)), byId(model.alerts.map((alert) => viewOfModel(alert, model))), 'alerts');
  return { model, held, outcomes, events, changelog };
}

export type Run = ReturnType<typeof runHistory>;

/** What of an alert must agree. */
function viewOf(alert: Alert) {
  return {
    id: alert.alert_id,
    version: alert.version,
    state: alert.state,
    into: alert.merged_into,
    priority: priorityRank(alert.priority),
    techniques: [...alert.techniques],
    count: alert.count,
    opened: alert.opened_at as string,
    first: alert.first_seen as string,
    last: alert.last_seen as string,
    targets: alert.targets.map((t) => `${t.key} ${t.count} ${t.first_seen} ${t.last_seen} ${t.alert_id}`),
    more: alert.targets_more,
    band: alert.score.band,
    floor: alert.score.floor,
    workload: alert.identity.workload,
    container: alert.identity.container,
    hidden: alert.disposition === 'suppressed',
    reason: alert.disposition_reason as string | undefined,
    status: alert.triage.status as string,
    assignee: alert.triage.assignee,
    notify: alert.notify,
    late: alert.late === true,
    seq: alert.opening_seq,
    related: [...alert.related],
  };
}

function viewOfModel(alert: ModelAlert, model: NaiveModel): ReturnType<typeof viewOf> {
  const moment = (nanos: bigint) => String(nanos).padStart(19, '0');
  return {
    id: alert.id as Alert['alert_id'],
    version: alert.version,
    state: alert.state,
    into: alert.into as Alert['alert_id'] | undefined,
    priority: alert.priority,
    techniques: alert.techniques,
    count: alert.count,
    opened: moment(alert.anchor),
    first: moment(alert.first),
    last: moment(alert.last),
    targets: alert.targets.map((t) => `${t.key} ${t.count} ${moment(t.first)} ${moment(t.last)} ${t.from}`),
    more: alert.more,
    band: alert.score.band,
    floor: alert.score.floor,
    workload: alert.identity.workload,
    container: alert.identity.container,
    hidden: model.isHidden(alert),
    reason: model.reasonOf(alert),
    status: alert.triage.status,
    assignee: alert.triage.assignee,
    notify: alert.notify,
    late: alert.late,
    seq: alert.seq,
    related: alert.related as Alert['alert_id'][],
  };
}

function byId<T extends { id: string }>(views: readonly T[]): T[] {
  return [...views].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function refuseEntry(key: string): never {
  throw new Error(`the judge cannot read its own entry ${key}`);
}

function byTenant({ tenant }: { tenant: string }): TenantId {
  return tenant as TenantId;
}

function equal(got: unknown, wanted: unknown, what: string): void {
  if (isDeepStrictEqual(got, wanted)) return;
  const lines = (value: unknown) => JSON.stringify(value, null, 1).split('\n');
  const right = lines(wanted);
  const differing = lines(got).flatMap((line, i) => (line === right[i] ? [] : [`judge ${line}   model ${right[i]}`]));
  throw new Error([`${what}: judge and model differ`, ...differing.slice(0, 20)].join('\n'));
}
