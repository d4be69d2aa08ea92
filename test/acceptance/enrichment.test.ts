import { createHash } from 'node:crypto';
import {
  type Alert,
  type ClusterId,
  type Event,
  type EventId,
  type Identity,
  nanosOfMs,
  type RoutingKey,
  type TenantId,
  type WorkloadSnapshot,
} from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { WorkloadIndex } from '../../services/processor/src/core/join/workload-index.ts';
import {
  DEFAULTS,
  decide,
  entitiesOf,
  evolve,
  type JudgeInput,
  JudgeState,
  type Subject,
} from '../../services/processor/src/core/judge/judge.ts';

/**
 * 500 pods in two clusters: the same names in both, container ids that collide between nodes and between clusters, pods of
 * StatefulSets made anew under their old name. Their metadata comes before the events, after, much later, or never.
 */
const T0 = Date.UTC(2026, 4, 4, 10);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const tenant = 'acme' as TenantId;
const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const RULES = ['Run shell untrusted', 'Read sensitive file untrusted'];

interface Moment {
  readonly at: number;
  readonly event?: Event;
  readonly pod: WorkloadSnapshot;
}

function createPods(): WorkloadSnapshot[] {
  const pods: WorkloadSnapshot[] = [];
  for (const cluster of ['east', 'west'] as ClusterId[]) {
    for (let i = 0; i < 225; i += 1) {
      const isStateful = i % 9 === 0;
      const workload = `${isStateful ? 'db' : 'app'}-${i % 45}`;
      const aPod = (born: string, startedAt: number, deletedAt?: number): WorkloadSnapshot => ({
        v: 1,
        tenant,
        cluster,
        uid: hash(`${cluster} ${i} ${born}`).slice(0, 36),
        namespace: 'shop',
        pod: `${workload}-${i}`,
        node: `node-${i % 7}`,
        // The owner alone tells the clusters apart: a join across them shows.
        owner: { kind: isStateful ? 'StatefulSet' : 'Deployment', name: `${cluster}-${workload}` },
        // Two neighbours share an id, and so do both clusters.
        containers: [{ name: 'main', id: hash(`${Math.trunc(i / 2)} ${born}`), image: 'registry.example/app' }],
        started_at: startedAt,
        ...(deletedAt !== undefined && { deleted_at: deletedAt }),
        observed_at: startedAt,
      });
      pods.push(aPod('first', T0 - MINUTE, isStateful ? T0 + 3 * MINUTE : undefined));
      if (isStateful) pods.push(aPod('again', T0 + 3 * MINUTE + SECOND));
    }
  }
  return pods;
}

function eventsOf(pod: WorkloadSnapshot, seed: number): Event[] {
  const start = Math.max(T0, (pod.started_at ?? T0) + 2 * SECOND);
  const claims = seed % 4 === 0 ? { namespace: pod.namespace, pod: pod.pod } : {};
  return RULES.flatMap((rule) =>
    [0, 1, 2].map((i): Event => {
      const at = start + i * 40 * SECOND + (seed % 50) * 100;
      return {
        v: 1,
        event_id: hash(`${pod.cluster} ${pod.uid} ${rule} ${i}`).slice(0, 32) as EventId,
        tenant,
        cluster: pod.cluster,
        source: 'syscall',
        rule,
        priority: 'Warning',
        time: nanosOfMs(at),
        received_at: at,
        routing_key: hash(`${pod.cluster} ${rule}`).slice(0, 32) as RoutingKey,
        salient: rule,
        raw_pos: { log: 'log', partition: 0, offset: seed, index: i },
        container_id: pod.containers[0]?.id?.slice(0, 12) ?? '',
        ...(pod.node !== undefined && { host: pod.node }),
        ...claims,
      };
    }),
  );
}

type Delay = number | 'never';

interface Outcome {
  /** The latest version of every alert. */
  readonly alerts: readonly Alert[];
  readonly faults: readonly string[];
  /** Events an identity stands for: counts of alerts and of those merged into them, by fingerprint. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Runs one arrival order of metadata; `delayOf` tells when a pod's comes, after its first event. */
function run(
  delayOf: (seed: number) => Delay,
  identifyBy?: (index: WorkloadIndex, subject: Subject) => Identity | undefined,
): Outcome {
  const index = new WorkloadIndex();
  const state = new JudgeState(0);
  const options = {
    ...DEFAULTS,
    score: () => ({ fp_score: 0.7, p_attack: 0.3, band: 'review' as const, reasons: [], unknown: [], model: 'test/1' }),
    identify: (subject: Subject) => identifyBy?.(index, subject) ?? index.identify(subject),
    hasInventory: (name: string, cluster: string) => index.hasInventory(name, cluster),
  };
  const documents = { version: 0, silences: new Map(), exceptions: new Map() };
  const latest = new Map<string, Alert>();
  const open = new Map<string, string>();
  const faults: string[] = [];
  const truth = new Map<string, { readonly pod: WorkloadSnapshot; readonly delay: Delay }>();

  function input(given: JudgeInput, now: number): void {
    const decision = decide(state, given, documents, now, options);
    evolve(state, decision, options);
    const touched = new Set<string>();
    for (const alert of decision.alerts) {
      const before = latest.get(alert.alert_id);
      if (before !== undefined && open.get(before.fingerprint) === alert.alert_id) open.delete(before.fingerprint);
      latest.set(alert.alert_id, alert);
      touched.add(alert.alert_id);
    }
    for (const id of touched) {
      const alert = latest.get(id);
      if (alert?.state !== 'open') continue;
      const other = open.get(alert.fingerprint);
      if (other !== undefined && other !== id && latest.get(other)?.state === 'open')
        faults.push(`two open: ${alert.fingerprint}`);
      open.set(alert.fingerprint, id);
    }
  }

  const moments: Moment[] = [];
  createPods().forEach((pod, seed) => {
    const delay = delayOf(seed);
    const events = eventsOf(pod, seed);
    const first = events[0]?.received_at ?? T0;
    for (const event of events) {
      truth.set(event.event_id, { pod, delay });
      moments.push({ at: event.received_at, event, pod });
    }
    if (delay !== 'never') moments.push({ at: first + delay, pod });
  });
  moments.sort((a, b) => a.at - b.at);
  for (const { at, event, pod } of moments) {
    if (event !== undefined) input({ kind: 'event', event, checkRawPosition: false }, at);
    else if (index.apply(pod)) input({ kind: 'identity', entities: entitiesOf(pod) }, at);
  }

  const counts = new Map<string, number>();
  for (const alert of latest.values()) {
    const { pod, delay } = truth.get(alert.opening_event_id) ?? { pod: undefined, delay: undefined };
    const { identity } = alert;
    if (pod === undefined) faults.push(`no such opening event: ${alert.alert_id}`);
    else if (delay !== 'never' && identity.workload !== pod.owner.name) {
      faults.push(`${pod.owner.name} was taken for ${identity.workload ?? 'nobody'}`);
    }
    if (identity.workload !== undefined && !identity.workload.startsWith(alert.cluster))
      faults.push(`across clusters: ${identity.workload}`);
    if (identity.workload === undefined) continue;
    const held = state.alerts.get(alert.alert_id)?.record.alert ?? alert;
    counts.set(alert.fingerprint, (counts.get(alert.fingerprint) ?? 0) + held.count);
  }
  return { alerts: [...latest.values()], faults, counts };
}

const BEFORE = -10 * MINUTE;

describe('metadata before, 5 s after, 60 s after, never', () => {
  const first = run(() => BEFORE);

  it('before: every alert has its workload from the start', () => {
    expect(first.faults).toEqual([]);
    // 2 clusters × 45 workloads × 2 rules.
    expect(first.alerts).toHaveLength(2 * 45 * RULES.length);
    expect([...first.counts.values()].reduce((sum, count) => sum + count, 0)).toBe(500 * 3 * RULES.length);
  });

  it.each([
    ['5 s after', () => 5 * SECOND],
    ['60 s after', () => 60 * SECOND],
    ['now so, now so', (seed: number) => [BEFORE, 5 * SECOND, 60 * SECOND][seed % 3] ?? BEFORE],
  ])('%s: same counts as with metadata first', (_, delayOf) => {
    const late = run(delayOf);
    expect(late.faults).toEqual([]);
    expect(new Map([...late.counts].sort())).toEqual(new Map([...first.counts].sort()));
  });

  it('never for some: those alone stay without a workload, the others count as if they were not there', () => {
    const isNever = (seed: number) => seed % 5 === 0;
    const late = run((seed) => (isNever(seed) ? 'never' : 60 * SECOND));
    const early = run((seed) => (isNever(seed) ? 'never' : BEFORE));
    expect(late.faults).toEqual([]);
    expect(new Map([...late.counts].sort())).toEqual(new Map([...early.counts].sort()));
  });

  it('finds a join that does not look at the cluster, and one that does not look at the host', () => {
    const across = run(
      () => 5 * SECOND,
      (index, subject) => index.identify({ ...subject, cluster: 'west' as ClusterId }),
    );
    expect(across.faults.some((fault) => fault.startsWith('across clusters'))).toBe(true);
    const hostless = run(
      () => 5 * SECOND,
      (index, subject) => {
        for (let node = 0; node < 7; node += 1) {
          const found = index.identify({ ...subject, host: `node-${node}` });
          if (found !== undefined) return found;
        }
        return undefined;
      },
    );
    expect(hostless.faults.some((fault) => fault.includes('was taken for'))).toBe(true);
  });
});
