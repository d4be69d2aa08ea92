import type { Bus } from '../bus/bus.ts';
import type { Store } from '../store/store.ts';

/** Clocks of an hour's difference: rows of records behind the last one were received after it, or not long before. */
const MARGIN_MS = 3_600_000;
const HIGHEST = `
  SELECT max(raw_offset) AS offset FROM eyrie.events
  WHERE received_at >= fromUnixTimestamp64Milli({since:Int64}) AND raw_log = {log:String} AND raw_partition = {partition:UInt32}
  HAVING count() > 0`;

/**
 * True where rows are stored of raw lines beyond the end of the log: it was restored from an older copy, and would give
 * places, and so tokens, that name other records. @throws AppError EYRIE_STORE_UNAVAILABLE
 */
export async function hasGoneBack(
  bus: Pick<Bus, 'bounds' | 'logIdentity' | 'partitions' | 'read'>,
  store: Pick<Store, 'query'>,
): Promise<boolean> {
  for (let partition = 0; partition < bus.partitions('raw'); partition += 1) {
    const { end } = await bus.bounds('raw', partition);
    const [last] = end === 0 ? [] : await bus.read('raw', partition, end - 1);
    const since = Math.max(0, (last?.timestamp ?? 0) - MARGIN_MS);
    const log = bus.logIdentity('raw', partition);
    const [found] = await store.query<{ offset: string }>(HIGHEST, { since, log, partition });
    if (found !== undefined && Number(found.offset) >= end) return true;
  }
  return false;
}
