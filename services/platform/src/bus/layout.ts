import { FORMATS } from '@eyrie/schemas';
import { AppError } from '../errors.ts';
import { keys } from './keys.ts';
import type { Kv } from './kv.ts';

/** How many partitions the topics of one kind have (`one` is always 1). */
export interface PartitionCounts {
  readonly raw: number;
  readonly alerts: number;
  readonly actions: number;
  readonly shared: number;
}

const DEFAULTS: PartitionCounts = { raw: 1, alerts: 1, actions: 1, shared: 1 };
const KINDS = ['raw', 'alerts', 'actions', 'shared'] as const;
const MAX_PARTITIONS = 1_024;

interface Layout {
  readonly counts: PartitionCounts;
  /** Written by the version before: it must be brought up to date. */
  readonly isOld: boolean;
}

/**
 * The partition counts of this log: those it was made with. A key would move to another partition if they changed.
 * @throws AppError EYRIE_CONFIG_INVALID, EYRIE_DATA_DIR_NEWER
 */
export function checkLayout(kv: Kv, wanted: Partial<PartitionCounts>): Layout {
  const stored = kv.get(keys.layout());
  if (stored === undefined) {
    const counts = { ...DEFAULTS, ...wanted };
    for (const kind of KINDS) {
      if (Number.isInteger(counts[kind]) && counts[kind] > 0 && counts[kind] <= MAX_PARTITIONS) continue;
      throw new AppError(
        'EYRIE_CONFIG_INVALID',
        `partitions of ${kind}: ${counts[kind]} is not 1 to ${MAX_PARTITIONS}`,
      );
    }
    kv.transact(() => putLayout(kv, counts));
    return { counts, isOld: false };
  }
  const layout = JSON.parse(stored.toString('utf8')) as { readonly format: number; readonly counts: PartitionCounts };
  if (layout.format > FORMATS.logLayout) {
    throw new AppError(
      'EYRIE_DATA_DIR_NEWER',
      `the log has layout ${layout.format}, this program knows ${FORMATS.logLayout}. Run the newer one, or use another directory`,
    );
  }
  for (const kind of KINDS) {
    const count = wanted[kind];
    if (count === undefined || count === layout.counts[kind]) continue;
    throw new AppError(
      'EYRIE_CONFIG_INVALID',
      `the log was made with ${layout.counts[kind]} partitions for ${kind}, not ${count}; they are not changed in place`,
    );
  }
  return { counts: layout.counts, isOld: layout.format < FORMATS.logLayout };
}

/** Inside a transaction. */
export function putLayout(kv: Kv, counts: PartitionCounts): void {
  kv.put(keys.layout(), Buffer.from(JSON.stringify({ format: FORMATS.logLayout, counts })));
}
