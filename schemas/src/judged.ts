import type { Event } from './event.ts';
import type { AlertId, Fingerprint } from './ids.ts';
import type { Outcome } from './outcome.ts';
import type { Identity } from './workload.ts';

/** What the judge says of one event. Topic `eyrie.judged`: a frame of (judgement, event, raw line). */
export type Judgement = Outcome & {
  readonly v: 1;
  readonly alert_id?: AlertId;
  /** Version of the alert after this event. */
  readonly alert_version?: number;
  readonly fingerprint?: Fingerprint;
  readonly identity?: Identity;
  readonly fp_score?: number;
  readonly documents_version: number;
  readonly model: string;
  /** Milliseconds. */
  readonly judged_at: number;
};

/** An entry of a judged frame as its writer holds it. */
export interface Judged {
  readonly judgement: Judgement;
  readonly event: Event;
}
