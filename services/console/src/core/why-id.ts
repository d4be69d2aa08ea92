/** What a person may ask about. */
export type WhyId =
  | { readonly kind: 'hash'; readonly hash: string }
  | { readonly kind: 'pod_uid'; readonly uid: string }
  | { readonly kind: 'pod'; readonly cluster?: string; readonly namespace: string; readonly pod: string }
  | { readonly kind: 'raw'; readonly partition: number; readonly offset: number; readonly index: number };

const HASH = /^[0-9a-f]{32}$/;
const UID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** `raw/<partition>/<offset>/<index>`, as positions are printed. */
const RAW = /^raw\/(\d{1,5})\/(\d{1,15})\/(\d{1,9})$/;
const POD = /^(?:([a-z0-9][a-z0-9._-]{0,62})\/)?([a-z0-9][a-z0-9-]{0,62})\/([a-z0-9][a-z0-9.-]{0,252})$/;

/** Undefined when the text is none of the forms. */
export function readWhyId(text: string): WhyId | undefined {
  if (HASH.test(text)) return { kind: 'hash', hash: text };
  if (UID.test(text)) return { kind: 'pod_uid', uid: text };
  const raw = RAW.exec(text);
  if (raw !== null) return { kind: 'raw', partition: Number(raw[1]), offset: Number(raw[2]), index: Number(raw[3]) };
  const pod = text.startsWith('raw/') ? null : POD.exec(text);
  if (pod === null) return undefined;
  const [, cluster, namespace = '', name = ''] = pod;
  return { kind: 'pod', namespace, pod: name, ...(cluster === undefined ? {} : { cluster }) };
}
