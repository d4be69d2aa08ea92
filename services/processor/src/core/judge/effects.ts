import type { AlertId, Fingerprint, Identity, Nanos } from '@eyrie/schemas';
import type { Handle } from './handle.ts';
import type { AlertRecord } from './record.ts';
import type { ClockRow, CountRow, Dismissal, StormRow } from './state.ts';

/** One change of the state. */
export type Effect =
  /** A new or replaced record; `handle` is absent for a new one. `isWhole` false: only counters moved. */
  | {
      readonly kind: 'record';
      readonly handle: Handle | undefined;
      readonly record: AlertRecord;
      readonly isWhole: boolean;
      readonly moved: number;
    }
  /** One event more on a target, and nothing else: what most events do. */
  | {
      readonly kind: 'grow';
      readonly handle: Handle;
      /** Place of the target; −1 beyond the bound. */
      readonly at: number;
      readonly time: Nanos;
      readonly intake: number;
    }
  /** A closed alert past joining was changed by a verdict or a late identity. */
  | { readonly kind: 'closed'; readonly before: AlertRecord | undefined; readonly record: AlertRecord }
  | { readonly kind: 'compact'; readonly handle: Handle }
  | { readonly kind: 'forget'; readonly alertId: AlertId }
  | { readonly kind: 'seen'; readonly id: string; readonly intake: number }
  | {
      readonly kind: 'raw';
      readonly log: string;
      readonly partition: number;
      readonly offset: number;
      readonly index: number;
    }
  | { readonly kind: 'clock'; readonly row: ClockRow; readonly inputAt: number | undefined }
  | { readonly kind: 'count'; readonly key: string; readonly tenant: string; readonly row: CountRow }
  | { readonly kind: 'known'; readonly entity: string; readonly identity: Identity }
  | { readonly kind: 'alias'; readonly from: Fingerprint; readonly to: Fingerprint }
  | { readonly kind: 'dismissal'; readonly fingerprint: Fingerprint; readonly value: Dismissal | undefined }
  | { readonly kind: 'storm'; readonly key: string; readonly row: StormRow };
