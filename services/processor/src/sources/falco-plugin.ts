import { canonicalName } from '../core/prepare/identity.ts';
import type { Fields, Source } from '../core/prepare/source.ts';
import { text } from '../core/prepare/values.ts';
import { normaliseContainer } from './falco-syscall.ts';

/** Classes that are no content of any plugin: the sensor's own, static fields, look-ups. */
const NO_CONTENT_CLASSES = new Set(['evt', 'static', 'container', 'k8s', 'k8smeta', 'custom', 'falco', 'scap', 'jevt']);

/** Who did what to which thing, in the words plugins end their field names with. */
const SALIENT =
  /\.(?:user|user_?name|actor|login|type|name|action|event|method|operation|repo|org|project|resource|region|bucket|role)$/;
const SALIENT_FIELDS = 8;

/**
 * Any other Falco plugin (CloudTrail, GitHub, Okta, GCP audit, …): content is every field of a class (`ct.user`) that
 * is not the sensor's own. The last source: it takes every event.
 */
export const falcoPlugin: Source = {
  name: undefined,
  claims: () => true,
  isContent,
  normalise: (fields, draft) => {
    draft.user_name = firstEnding(fields, '.user') ?? firstEnding(fields, '.actor');
    draft.event_type = firstEnding(fields, '.type') ?? firstEnding(fields, '.action') ?? firstEnding(fields, '.name');
    draft.remote_ip = firstEnding(fields, '.srcip') ?? firstEnding(fields, '.ip');
    normaliseContainer(fields, draft);
  },
  salient: (_draft, fields) =>
    Object.keys(fields)
      .map((key) => [canonicalName(key), fields[key]] as const)
      .filter(([name]) => isContent(name) && SALIENT.test(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, SALIENT_FIELDS)
      .map(([name, value]) => `${name}=${text(value) ?? ''}`),
};

function isContent(name: string): boolean {
  const dot = name.indexOf('.');
  return dot > 0 && !NO_CONTENT_CLASSES.has(name.slice(0, dot));
}

function firstEnding(fields: Fields, ending: string): string | undefined {
  for (const key in fields) if (key.endsWith(ending) && isContent(key)) return text(fields[key]);
  return undefined;
}
