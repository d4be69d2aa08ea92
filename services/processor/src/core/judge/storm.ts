import { type Event, nanosOfMs, priorityRank, type Score } from '@eyrie/schemas';
import type { Draft } from './draft.ts';

const CRITICAL = priorityRank('Critical');
/** A tenant beyond its soft quota is told less: its openings have this share of the limit. */
const OVER_QUOTA_SHARE = 1 / 10;

/**
 * Rule 9: whether a shown opening may be told. Floors and Critical and above always are, and do not use up the limit.
 * The first one held back tells that tenant.
 */
export function isTold(draft: Draft, event: Event, score: Score): boolean {
  if (score.floor !== undefined || priorityRank(event.priority) >= CRITICAL) return true;
  const { stormLimit, stormMs } = draft.options;
  const key = `${event.tenant}/${event.rule}`;
  const held = draft.storm(key);
  const intake = event.received_at;
  const row = held !== undefined && intake < held.start + stormMs ? held : { start: intake, told: 0, held: 0 };
  const limit = event.over_quota === true ? stormLimit * OVER_QUOTA_SHARE : stormLimit;
  if (row.told < limit) {
    draft.setStorm(key, { ...row, told: row.told + 1 });
    return true;
  }
  draft.setStorm(key, { ...row, held: row.held + 1 });
  if (row.held === 0) {
    draft.bounds.push('judge_storm');
    draft.notices.push({
      v: 1,
      tenant: event.tenant,
      cluster: event.cluster,
      kind: 'storm',
      time: nanosOfMs(draft.now),
      received_at: draft.now,
      count: row.told,
      fields: { rule: event.rule },
    });
  }
  return false;
}
