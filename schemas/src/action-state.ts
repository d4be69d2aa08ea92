/** Keys of `eyrie.action-state` that others than the owner of a partition read too. */

/** The last line of the partition's ledger, as `ChainHead`. */
export const HEAD_KEY = 'h/';
/** Begins the key of a tenant's open breaker; the value says `since` when, milliseconds. */
export const BREAKER_PREFIX = 'b/';
