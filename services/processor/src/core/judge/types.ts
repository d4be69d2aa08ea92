import type {
  Alert,
  Command,
  Event,
  Exception,
  HealthRecord,
  Identity,
  Judgement,
  Score,
  Silence,
  TenantId,
} from '@eyrie/schemas';
import type { Bound } from './bounds.ts';
import type { Effect } from './effects.ts';

/** What of an event (or of an alert's opening event) an identity is found by. */
export type Subject = Pick<
  Event,
  'tenant' | 'cluster' | 'time' | 'host' | 'container_id' | 'container' | 'image' | 'namespace' | 'pod' | 'pod_uid'
>;

export type JudgeInput =
  /** `checkRawPosition`: an event at or below the highest raw position remembered is a duplicate. */
  | { readonly kind: 'event'; readonly event: Event; readonly checkRawPosition: boolean }
  | { readonly kind: 'command'; readonly command: Command }
  /** The clock: closings, interval updates, silences that ended, idle watermark. Give one a second and after each batch. */
  | {
      readonly kind: 'tick' /** The input has ended: writes what grew now, whatever its interval. */;
      readonly growth?: boolean;
    }
  /** Identities may be known now that were not: `entitiesOf(snapshot)`, or `waitingEntities(state)` after a restore. */
  | { readonly kind: 'identity'; readonly entities: readonly string[] };

/** The document set a decision is made with. An argument, so that a silence can be previewed on history. */
export interface JudgeDocuments {
  readonly version: number;
  readonly silences: ReadonlyMap<TenantId, readonly WithId<Silence>[]>;
  readonly exceptions: ReadonlyMap<TenantId, readonly WithId<Exception>[]>;
}
export type WithId<T> = T & { readonly id: string };

export interface ScoreInput {
  readonly event: Event;
  readonly identity: Identity;
  readonly fingerprint: string;
  /** Events of the alert before this one; 0 when it would open one. */
  readonly count: number;
}

export interface JudgeOptions {
  /** Pure: the same event and history give the same score. */
  readonly score: (input: ScoreInput) => Score;
  /** The owner and place of a subject as the inventory has it now; undefined when unknown. */
  readonly identify: (subject: Subject) => Identity | undefined;
  /**
   * Lets places be remembered; without it none is. `version` changes with every word of the inventory; `isSteady` is
   * true where what `identify` says of a subject does not hang on its time.
   */
  readonly inventory?: { readonly version: () => number; readonly isSteady: (subject: Subject) => boolean };
  /** Whether an inventory has ever spoken for the cluster. Without one host, container name and image stand in for the owner. */
  readonly hasInventory: (tenant: string, cluster: string) => boolean;
  /** Span of an alert from its opening event on, milliseconds. Default 3,600,000. */
  readonly windowMs: number;
  /** A window closes when the watermark passes its end by this much; without input for as long the watermark follows the clock. Default 300,000. */
  readonly graceMs: number;
  /** A growing alert is written at least this often, milliseconds. Default 600,000. */
  readonly intervalMs: number;
  /** New targets and interactive users that are written at once, per alert; more wait for the next update. Default 20. */
  readonly breakThroughs: number;
  /** Openings told per tenant and detection in `stormMs` of intake time. Default 100 in 3,600,000. */
  readonly stormLimit: number;
  readonly stormMs: number;
  /** How long a dismissal holds when the command does not say, milliseconds. Default 30 days. */
  readonly dismissalMs: number;
  /** How long closed alerts are held for verdicts, milliseconds. Default 30 days. */
  readonly closedMs: number;
  /** Closed alerts held at most; the oldest go first. Default 200,000. */
  readonly closedMax: number;
  /** Event ids remembered: at least so many, then for `seenMs` of intake time while under `seenMax`. Default 100,000; 3,600,000; 2,000,000. */
  readonly seenMin: number;
  readonly seenMs: number;
  readonly seenMax: number;
  /** Containers whose identity is remembered, and aliases of fingerprints. Default 100,000 each. */
  readonly entitiesMax: number;
  /** Alerts closed or updated by time in one decision; `more` tells that others are due. Default 64. */
  readonly duePerInput: number;
  /** Alerts an event closes beside what it does itself: a wave of closings must not hold up the events. Default 2. */
  readonly duePerEvent: number;
  /** What a detection does after a person resolved its alert: open anew with the next event, or go on until the window ends. */
  readonly onResolve: (rule: string) => 'restart' | 'continue';
}

/** What `decide` found; `evolve` makes it so. */
export interface Decision {
  /** The ending of an event. */
  readonly judgement: Judgement | undefined;
  /** The ending of a command; `unknown_alert` goes to the dead letter. */
  readonly command: 'applied' | 'repeated' | 'unknown_alert' | undefined;
  /** Versions to publish, in order. */
  readonly alerts: readonly Alert[];
  /** For the health topic of that tenant alone: the storm guard holds back a detection. */
  readonly notices: readonly HealthRecord[];
  /** Bounds that were reached, for `eyrie_bound_reached_total`. */
  readonly bounds: readonly Bound[];
  /** More is due by time than one decision takes: tick again. */
  readonly more: boolean;
  /** For `evolve` alone. */
  readonly effects: readonly Effect[];
}

export type { Bound };
