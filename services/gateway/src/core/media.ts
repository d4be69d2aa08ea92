/** How a body is cut into lines, and how it is compressed. */
export type BodyForm = 'json' | 'lines';
export type BodyCoding = 'plain' | 'gzip' | 'zstd';

const FORMS: Readonly<Record<string, BodyForm>> = {
  'application/json': 'json',
  'application/x-ndjson': 'lines',
  'application/ndjson': 'lines',
  'application/jsonl': 'lines',
};

const CODINGS: Readonly<Record<string, BodyCoding>> = {
  identity: 'plain',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  zstd: 'zstd',
};

export type Media =
  | { readonly ok: true; readonly form: BodyForm; readonly coding: BodyCoding }
  | { readonly ok: false; readonly message: string };

/** What a body is by its headers. Falco says text/plain when its JSON output is off: that text holds no fields. */
export function readMedia(contentType: string | undefined, contentEncoding: string | undefined): Media {
  if (contentType === undefined) return { ok: false, message: `Content-Type is missing; send ${ALLOWED}` };
  const coding = contentEncoding === undefined ? 'plain' : CODINGS[contentEncoding.trim().toLowerCase()];
  if (coding === undefined) return { ok: false, message: 'Content-Encoding must be gzip or zstd, or absent' };
  // The exact text of sensors and senders first: one look-up.
  const direct = FORMS[contentType];
  if (direct !== undefined) return { ok: true, form: direct, coding };
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const form = FORMS[type.trim()];
  if (form === undefined) {
    const hint = type.trim() === 'text/plain' ? ' (Falco: set json_output: true)' : '';
    return { ok: false, message: `Content-Type must be ${ALLOWED}${hint}` };
  }
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim() === 'charset' && !/^"?utf-?8"?$/.test(value.trim())) {
      return { ok: false, message: 'the charset must be UTF-8' };
    }
  }
  return { ok: true, form, coding };
}

const ALLOWED = 'application/json or application/x-ndjson';
