import { hash } from 'node:crypto';
import { FORMATS, type RoutingKey } from '@eyrie/schemas';
import { mask } from './mask.ts';
import { type Habit, type Memos, originOf, type Route } from './memo.ts';
import { cut } from './values.ts';

/**
 * The routing key: every event of one behaviour goes to one partition. From the event alone, never from a look-up, and
 * the same for a copy cut by falcosidekick.
 */
export function route(
  place: { readonly tenant: string; readonly cluster: string; readonly source: string; readonly rule: string },
  rawSalient: readonly string[],
  habit: Habit,
  memos: Memos,
): Route {
  const salient = rawSalient.map((value, at) => masked(value, at, habit.masks)).join('\u001f');
  const memoKey = originOf(habit, place, memos).name + salient;
  const known = memos.routes.get(memoKey);
  if (known !== undefined) return known;
  const { tenant, cluster, source, rule } = place;
  // Length first: no rule and text can pass for another pair.
  const key = `${tenant}\u001f${cluster}\u001f${source}\u001f${rule.length}\u001f${rule}\u001f${salient}`;
  const digest = hash('sha256', `route/${FORMATS.fingerprint}\u001f${key}`, 'hex').slice(0, 32);
  return memos.routes.set(memoKey, { salient, routing_key: digest as RoutingKey });
}

function masked(raw: string, at: number, masks: Habit['masks']): string {
  const latest = masks[at];
  if (latest?.raw === raw) return latest.masked;
  const text = mask(cut(raw));
  if (latest === undefined) masks[at] = { raw, masked: text };
  else {
    latest.raw = raw;
    latest.masked = text;
  }
  return text;
}
