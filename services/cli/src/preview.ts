import { readFileSync } from 'node:fs';
import type { Documents } from '@eyrie/platform/documents';
import { AppError } from '@eyrie/platform/errors';
import type { DocumentBodies, TenantId } from '@eyrie/schemas';
import { DOCUMENT_INPUTS } from '@eyrie/schemas/api';
import { parse } from 'yaml';
import { z } from 'zod';

/** A silence or an exception to try on history. */
export interface PreviewDocument {
  readonly kind: 'silence' | 'exception';
  readonly body: DocumentBodies['silence'] | DocumentBodies['exception'];
}

/** What is tried: documents, and response rules as a file of rules has them (read by the responder later). */
export interface Preview {
  readonly documents: readonly PreviewDocument[];
  readonly rules: readonly Readonly<Record<string, unknown>>[];
}

const Entry = z.union(
  [
    z.strictObject({ silence: z.unknown() }),
    z.strictObject({ exception: z.unknown() }),
    z.strictObject({ rule: z.record(z.string(), z.unknown()) }),
  ],
  'an entry is {silence: …}, {exception: …} or {rule: …}',
);

/**
 * Reads a YAML or JSON list of `{silence: …}`, `{exception: …}` and `{rule: …}` entries: bodies as the API takes them,
 * rules as a file of `EYRIE_RULES_DIR` has them.
 * @throws AppError EYRIE_INPUT_UNREADABLE, EYRIE_USAGE
 */
export function readPreview(file: string): Preview {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('EYRIE_INPUT_UNREADABLE', `${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const parsed = z.array(Entry).safeParse(wrap(readYaml(file, text)));
  if (!parsed.success) throw wrong(file, z.prettifyError(parsed.error));
  return {
    documents: parsed.data.flatMap((entry, index) => ('rule' in entry ? [] : [readDocument(file, entry, index)])),
    rules: parsed.data.flatMap((entry) => ('rule' in entry ? [entry.rule] : [])),
  };
}

function readDocument(
  file: string,
  entry: { readonly silence: unknown } | { readonly exception: unknown },
  index: number,
): PreviewDocument {
  if ('silence' in entry) {
    const body = DOCUMENT_INPUTS.silence.safeParse(entry.silence);
    if (!body.success) throw wrong(file, `entry ${index}: ${z.prettifyError(body.error)}`);
    const { starts_at, ends_at, ...rest } = body.data;
    return {
      kind: 'silence',
      body: { ...rest, starts_at: starts_at === undefined ? 0 : Date.parse(starts_at), ends_at: Date.parse(ends_at) },
    };
  }
  const body = DOCUMENT_INPUTS.exception.safeParse(entry.exception);
  if (!body.success) throw wrong(file, `entry ${index}: ${z.prettifyError(body.error)}`);
  return { kind: 'exception', body: { ...body.data, expires_at: Date.parse(body.data.expires_at) } };
}

function readYaml(file: string, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw wrong(file, error instanceof Error ? error.message : String(error));
  }
}

function wrap(value: unknown): unknown {
  return Array.isArray(value) ? value : [value];
}

function wrong(file: string, message: string): AppError {
  return new AppError('EYRIE_USAGE', `${file} is no list of documents: ${message}`);
}

export async function putPreview(
  documents: Documents,
  tenant: TenantId,
  previews: readonly PreviewDocument[],
): Promise<void> {
  for (const [index, { kind, body }] of previews.entries()) {
    await documents.put({ tenant, kind, id: `preview-${index}`, body, author: 'replay' } as Parameters<
      Documents['put']
    >[0]);
  }
}
