import type { TenantId } from '@eyrie/schemas';
import type { Store } from '../store/store.ts';
import type { StoredCount } from './compare.ts';

/** What SQL counts, of one tenant or of all: alerts by their latest version. */
export async function readStoredCounts(store: Store, tenant?: TenantId): Promise<readonly StoredCount[]> {
  return store.query<StoredCount>(
    `SELECT tenant, partition, formatDateTime(opened_at, '%Y-%m', 'UTC') AS month, count() AS opened,
       countIf(disposition != 'suppressed') AS shown, countIf(disposition = 'suppressed') AS suppressed,
       max(opening_seq) AS last_seq
     FROM eyrie.alerts ${tenant === undefined ? '' : 'WHERE tenant = {tenant:String}'}
     GROUP BY tenant, partition, month SETTINGS output_format_json_quote_64bit_integers = 0`,
    tenant === undefined ? {} : { tenant },
  );
}
