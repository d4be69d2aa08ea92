import type { Event, Identity, TenantId } from '@eyrie/schemas';
import type { WhyView } from '@eyrie/schemas/api';
import type { Context } from '../context.ts';
import { presentDocument } from '../core/document-body.ts';

/** The silences and exceptions of a tenant, as they stand now, against an event and the time it was judged. */
export function documentsAgainst(
  { documents, explain }: Pick<Context, 'documents' | 'explain'>,
  subject: { readonly tenant: TenantId; readonly event: Event; readonly identity: Identity; readonly at: number },
): WhyView['documents'] {
  const { tenant, event, identity, at } = subject;
  const matches = explain?.matches;
  if (matches === undefined) return [];
  return [...documents.list('silence'), ...documents.list('exception')].flatMap((record) => {
    const { body } = record;
    if (body === null || record.tenant !== tenant) return [];
    const active = 'ends_at' in body ? body.starts_at <= at && at < body.ends_at : at < body.expires_at;
    return [{ ...presentDocument(record), matched: matches(body.matchers, event, identity), active }];
  });
}
