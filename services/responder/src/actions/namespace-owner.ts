import type { Clock } from '@eyrie/platform/clock';
import { type Connections, clusterKey } from '@eyrie/platform/connections';
import { AppError } from '@eyrie/platform/errors';
import type { HttpClient } from '@eyrie/platform/http-client';
import { callKubernetes } from '@eyrie/platform/kubernetes';
import { z } from 'zod';
import type { Call } from '../core/owner/decision.ts';

/** As channel or project of a rule: that of who owns the event's namespace. */
export const OWNER = 'owner';
export const NO_CLUSTERS = 'owners are read from clusters, and EYRIE_CONNECTIONS_FILE names none (clusters: …)';
/** Where a namespace says so. */
type Annotation = 'eyrie.dev/gitlab-project' | 'eyrie.dev/slack-channel';
/** A closed list: labels of `eyrie_owner_unresolved_total`. */
export type OwnerUnresolved = 'no_namespace' | 'no_connection' | 'unreadable' | 'no_annotation' | 'not_listed';

interface World {
  readonly connections: Connections;
  readonly http: HttpClient;
}
type Annotations = Readonly<Record<string, unknown>>;
interface Known {
  /** Undefined: could not be read. */
  readonly annotations: Annotations | undefined;
  readonly until: number;
}

const NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const Namespace = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.unknown()).default({}) }),
});
const NAMESPACES_MAX = 1_000;
const LIFE_MS = 300_000;
/** A notice does not wait for an API server that is away, and does not ask it each time. */
const FAILED_LIFE_MS = 30_000;
const TIMEOUT_MS = 3_000;
const VALUE_MAX = 255;

/** Who owns a namespace, by its annotations; remembered for five minutes. */
export class NamespaceOwners {
  readonly #clock: Clock;
  readonly #onBound: () => void;
  readonly #onUnresolved: (reason: OwnerUnresolved) => void;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock, onBound: () => void, onUnresolved: (reason: OwnerUnresolved) => void) {
    this.#clock = clock;
    this.#onBound = onBound;
    this.#onUnresolved = onUnresolved;
  }

  /**
   * What the annotation says, if it is among those the connection allows: whoever may edit the namespace writes it. Undefined,
   * and counted, otherwise: the connection's own then. Never throws for what the world does.
   */
  async resolve(
    world: World,
    call: Call,
    { annotation, allowed }: { readonly annotation: Annotation; readonly allowed: ReadonlySet<string> },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const said = await this.#annotation(world, call, annotation, signal);
    if ('value' in said && allowed.has(said.value)) return said.value;
    this.#onUnresolved('value' in said ? 'not_listed' : said.reason);
    return undefined;
  }

  async #annotation(
    world: World,
    call: Call,
    annotation: Annotation,
    signal: AbortSignal,
  ): Promise<{ readonly value: string } | { readonly reason: OwnerUnresolved }> {
    const { tenant, cluster, todo } = call.plan;
    const name = String(todo?.context.fields['namespace'] ?? '');
    if (!NAME.test(name)) return { reason: 'no_namespace' };
    const key = clusterKey(tenant, cluster);
    if (!world.connections.clusters.has(key)) return { reason: 'no_connection' };
    const annotations = await this.#read(world, key, name, signal);
    if (annotations === undefined) return { reason: 'unreadable' };
    const value = annotations[annotation];
    return typeof value === 'string' && value !== '' && value.length <= VALUE_MAX
      ? { value }
      : { reason: 'no_annotation' };
  }

  async #read(world: World, cluster: string, name: string, signal: AbortSignal): Promise<Annotations | undefined> {
    const key = `${cluster}/${name}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.until > this.#clock.now()) return known.annotations;
    const annotations = await ask(world, cluster, name, signal);
    const lifeMs = annotations === undefined ? FAILED_LIFE_MS : LIFE_MS;
    this.#known.delete(key);
    this.#known.set(key, { annotations, until: this.#clock.now() + lifeMs });
    if (this.#known.size > NAMESPACES_MAX) {
      this.#onBound();
      const oldest = this.#known.keys().next();
      if (oldest.done !== true) this.#known.delete(oldest.value);
    }
    return annotations;
  }
}

async function ask(
  { connections, http }: World,
  cluster: string,
  name: string,
  signal: AbortSignal,
): Promise<Annotations | undefined> {
  const target = connections.clusters.get(cluster);
  if (target === undefined) return undefined;
  try {
    const path = ['api', 'v1', 'namespaces', name];
    const answer = await callKubernetes(http, target, { method: 'GET', path, timeoutMs: TIMEOUT_MS, signal });
    if (answer.status === 404) return {};
    const parsed = answer.status === 200 ? Namespace.safeParse(answer.body) : undefined;
    if (parsed?.success !== true) return undefined;
    const { annotations } = parsed.data.metadata;
    // The rest may be large, and is not asked for.
    return Object.fromEntries(Object.entries(annotations).filter(([one]) => one.startsWith('eyrie.dev/')));
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
