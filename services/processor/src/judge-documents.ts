import type { Documents } from '@eyrie/platform/documents';
import type { DocumentKind, DocumentRecord, TenantId } from '@eyrie/schemas';
import type { JudgeDocuments, WithId } from './core/judge/judge.ts';

/** Silences and exceptions by tenant, made anew only when a document changed. */
export function judgeDocuments(documents: Documents): () => JudgeDocuments {
  let held: JudgeDocuments | undefined;
  return () => {
    if (held?.version === documents.version) return held;
    held = {
      version: documents.version,
      silences: byTenant(documents.list('silence')),
      exceptions: byTenant(documents.list('exception')),
    };
    return held;
  };
}

function byTenant<K extends DocumentKind>(
  records: readonly DocumentRecord<K>[],
): ReadonlyMap<TenantId, readonly WithId<NonNullable<DocumentRecord<K>['body']>>[]> {
  const map = new Map<TenantId, WithId<NonNullable<DocumentRecord<K>['body']>>[]>();
  for (const { tenant, id, body } of records) {
    if (body === null) continue;
    const entry = { ...body, id };
    const list = map.get(tenant);
    if (list === undefined) map.set(tenant, [entry]);
    else list.push(entry);
  }
  return map;
}
