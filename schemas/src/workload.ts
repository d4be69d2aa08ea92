import type { ClusterId, TenantId } from './ids.ts';

/** What the inventory says of one container of a pod. */
export interface ContainerSnapshot {
  readonly name: string;
  /** 64 hex digits without the runtime prefix; absent until the container started. */
  readonly id?: string;
  /** Repository without tag or digest. */
  readonly image: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly privileged?: boolean;
}

/** Who owns the pod in the end: Deployment, StatefulSet, DaemonSet, CronJob, Job, or the pod itself. */
export interface Owner {
  readonly kind: string;
  readonly name: string;
}

/** One pod as the inventory last saw it. Topic `eyrie.workloads`, key `tenant/cluster/uid`. */
export interface WorkloadSnapshot {
  readonly v: 1;
  readonly tenant: TenantId;
  readonly cluster: ClusterId;
  readonly uid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly node?: string;
  readonly owner: Owner;
  readonly service_account?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly containers: readonly ContainerSnapshot[];
  /** Milliseconds. */
  readonly started_at?: number;
  readonly deleted_at?: number;
  /** Milliseconds: when the inventory saw this state. The later one wins. */
  readonly observed_at: number;
}

/** What is known of one image digest. Topic `eyrie.images`, key `tenant/digest`. */
export interface ImageSnapshot {
  readonly v: 1;
  readonly tenant: TenantId;
  readonly digest: string;
  readonly repository: string;
  readonly tag?: string;
  readonly critical_fixable?: number;
  readonly scanned_at: number;
}

/** What of an event or alert says where it was; its names are those of the SQL columns. */
export const IDENTITY_FIELDS = [
  'namespace',
  'workload_kind',
  'workload',
  'pod',
  'pod_uid',
  'node',
  'container',
  'container_id',
  'image',
  'image_tag',
  'image_digest',
] as const satisfies readonly (keyof Identity)[];

/** The owner and place an event or alert was joined to. Names are those of the SQL columns. */
export interface Identity {
  readonly namespace?: string;
  readonly workload_kind?: string;
  readonly workload?: string;
  readonly pod?: string;
  readonly pod_uid?: string;
  readonly node?: string;
  readonly container?: string;
  readonly container_id?: string;
  readonly image?: string;
  readonly image_tag?: string;
  readonly image_digest?: string;
}
