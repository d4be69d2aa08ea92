import type { ClusterId } from '../ids.ts';
import type { Nanos } from '../nanos.ts';
import type { Reason } from '../outcome.ts';
import type { Priority } from '../priority.ts';
import type { RawMeta } from '../raw.ts';

/** The parts of a Falco event every form of it has, checked; the rest stays as the sensor wrote it. */
export interface FalcoEvent {
  readonly rule: string;
  readonly priority: Priority;
  /** The top-level `time`: the only clock of the event that survives JSON exactly. */
  readonly time: Nanos;
  /** Absent before Falco 0.32. */
  readonly hostname: string | undefined;
  /** As written; absent before Falco 0.30, `syscalls` from falcosidekick. */
  readonly source: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly output: string | undefined;
  /** Empty where the sensor left it out. Values: text, number, boolean, null, lists. */
  readonly output_fields: Readonly<Record<string, unknown>>;
}

/** What reading a line depends on besides the line. */
export type LineContext = Pick<RawMeta, 'cluster' | 'cluster_field' | 'header_cluster' | 'origin'>;

export type LineReading =
  | {
      readonly ok: true;
      readonly falco: FalcoEvent;
      readonly cluster: ClusterId;
      /** The event's own claim, where the token fixes another cluster. */
      readonly claimed_cluster: string | undefined;
    }
  /** Refused: kept in the dead letter. */
  | { readonly ok: false; readonly outcome: 'rejected'; readonly code: Reason<'rejected'>; readonly message: string }
  /** Never was an event: counted, not kept. */
  | { readonly ok: false; readonly outcome: 'filtered'; readonly code: Reason<'filtered'>; readonly message: string };
