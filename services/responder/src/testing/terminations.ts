import type { Bus } from '@eyrie/platform/bus/bus';
import type { ActionRecord } from '@eyrie/schemas';
import type { TestDetection } from './judged.ts';
import { FAKE_TOKEN, type FakeKubernetes } from './kubernetes-api.ts';
import type { TestPlace } from './place.ts';
import { aPod } from './pods.ts';

/** Many pods of the cluster `lab`, and detections in them. */
export interface NumberedPod {
  readonly number: number;
  readonly namespace?: string;
}

export function podPath({ number, namespace = 'shop' }: NumberedPod): string {
  return `/api/v1/namespaces/${namespace}/pods/web-${number}`;
}

export function uidOf({ number }: NumberedPod): string {
  return `uid-${number}`;
}

/** 64 hex digits, of which sensors write 12. */
export function containerOf({ number }: NumberedPod): string {
  return number.toString(16).padStart(12, 'c').padEnd(64, '0');
}

export function numberedPod({ number, namespace = 'shop' }: NumberedPod, uid = uidOf({ number })) {
  const pod = aPod({ metadata: { name: `web-${number}`, namespace, uid } });
  const containerID = `containerd://${containerOf({ number })}`;
  return { ...pod, status: { containerStatuses: [{ name: 'web', containerID }] } };
}

/**
 * The uids of the pods that are really ended. `next` gives the uid of the pod that takes the name at once, as a StatefulSet does;
 * without it none does.
 */
export function watchDeletions(
  api: FakeKubernetes,
  next?: (uid: string) => string,
): { readonly uids: readonly string[]; done(): void } {
  const remove = api.objects.delete.bind(api.objects);
  const uids: string[] = [];
  api.objects.delete = (path) => {
    const pod = api.objects.get(path);
    const uid = pod?.metadata.uid ?? '';
    uids.push(uid);
    if (pod === undefined || next === undefined) return remove(path);
    api.objects.set(path, { ...pod, metadata: { ...pod.metadata, uid: next(uid) } });
    return true;
  };
  return {
    uids,
    done: () => {
      api.objects.delete = remove;
    },
  };
}

/** What a sensor says of an event in it. */
export function fieldsOf(pod: NumberedPod) {
  const { number, namespace = 'shop' } = pod;
  return {
    'k8s.ns.name': namespace,
    'k8s.pod.name': `web-${number}`,
    'container.id': containerOf(pod).slice(0, 12),
    'proc.name': 'bash',
  };
}

/** A detection in it, of an alert of its own. */
export function detectionIn({ number, namespace = 'shop' }: NumberedPod): TestDetection {
  return {
    alert: `a${number}`,
    pod_uid: uidOf({ number }),
    fields: fieldsOf({ number, namespace }),
  };
}

/** The connection to the cluster; `more` are other sections. */
export function connectLab(
  place: TestPlace,
  api: FakeKubernetes,
  more = '',
  secrets: Record<string, string> = {},
): void {
  place.connections(
    `clusters:\n  - {cluster: lab, server: "${api.server}", ca_file: ca.pem, token_file: token}\n${more}`,
    { 'ca.pem': api.ca, token: FAKE_TOKEN, ...secrets },
  );
}

/** A file with one rule that deletes the pod of the event; `limits` are those of all disruptive rules. */
export function terminateRule({
  limits = '{}',
  rule = '1000/1h',
  before = '',
  more = '',
}: {
  readonly limits?: string;
  readonly rule?: string;
  /** Actions before it, one a line. */
  readonly before?: string;
  /** More of the action. */
  readonly more?: string;
} = {}): string {
  return `
version: 1
policy: {limits: {disruptive: ${limits}}}
rules:
  - rule: Kill
    id: kill
    mode: enforce
    match: {rules: [Terminal shell in container]}
    cooldown: 1s
    limits: {rule: ${rule}}
    actions:
${before}
      - {action: kill, actionner: kubernetes:terminate, parameters: {method: delete}${more}}
    tests:
      - {name: acts, given: {event: {rule: Terminal shell in container}}, expect: {decision: executing}}
      - {name: not otherwise, given: {event: {rule: Other}}, expect: {decision: no_match}}
`;
}

/** Every ledger line, in the order of each partition. */
export async function readLedger(bus: Bus): Promise<readonly ActionRecord[]> {
  const lines: ActionRecord[] = [];
  for (let partition = 0; partition < bus.partitions('actions'); partition += 1) {
    for (let next = 0; ; ) {
      const records = await bus.read('actions', partition, next);
      const last = records.at(-1);
      if (last === undefined) break;
      next = last.offset + 1;
      for (const { value } of records) lines.push(JSON.parse(value.toString()) as ActionRecord);
    }
  }
  return lines;
}

const OPEN: ReadonlySet<string> = new Set(['planned', 'executing']);

/**
 * How each intent ended, as `state reason`, counted.
 * @throws when one has no ending, two, or a version twice
 */
export function countEndings(ledger: readonly ActionRecord[]): Readonly<Record<string, number>> {
  const versions = new Map<string, number>();
  const endings = new Map<string, string>();
  for (const { intent_key: intent, version, state, reason } of ledger) {
    if (version !== (versions.get(intent) ?? 0) + 1) throw new Error(`version ${version} of ${intent} out of order`);
    versions.set(intent, version);
    if (endings.has(intent)) throw new Error(`${intent} goes on after its ending: ${state}`);
    if (!OPEN.has(state)) endings.set(intent, `${state} ${reason}`);
  }
  if (endings.size !== versions.size) throw new Error(`${versions.size - endings.size} intents have no ending`);
  const counts: Record<string, number> = {};
  for (const ending of endings.values()) counts[ending] = (counts[ending] ?? 0) + 1;
  return counts;
}
