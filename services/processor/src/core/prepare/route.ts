import { hash } from 'node:crypto';
import { FORMATS, type RoutingKey } from '@eyrie/schemas';
import { mask } from './mask.ts';
import type { Memos, Route } from './memo.ts';
import { cut } from './values.ts';

/**
 * The routing key: every event of one behaviour goes to one partition. From the event alone, never from a look-up, and
 * the same for a copy cut by falcosidekick.
 */
export function route(
  place: { readonly tenant: string; readonly cluster: string; readonly source: string; readonly rule: string },
  rawSalient: readonly string[],
  memos: Memos,
): Route {
  const { tenant, cluster, source, rule } = place;
  const head = `${tenant}\u001f${cluster}\u001f${source}\u001f${rule.length}\u001f${rule}\u001f`;
  // Lengths first: no value can pass for several.
  let lengths = '';
  for (const value of rawSalient) lengths += `${value.length}\u001f`;
  const raw = `${head}${lengths}${rawSalient.join('\u001f')}`;
  const held = raw.length > RAW_CHARS ? undefined : memos.rawRoutes.get(raw);
  if (held !== undefined) return held;
  const masked = maskedRoute(head, rawSalient, memos);
  return raw.length > RAW_CHARS ? masked : memos.rawRoutes.set(raw, masked);
}

/** Longer texts are dear to hold, and seldom come again. */
const RAW_CHARS = 512;

function maskedRoute(head: string, rawSalient: readonly string[], memos: Memos): Route {
  const salient = rawSalient.map((value) => mask(cut(value))).join('\u001f');
  const key = `${head}${salient}`;
  const known = memos.routes.get(key);
  if (known !== undefined) return known;
  const digest = hash('sha256', `route/${FORMATS.fingerprint}\u001f${key}`, 'hex').slice(0, 32);
  return memos.routes.set(key, { salient, routing_key: digest as RoutingKey });
}
