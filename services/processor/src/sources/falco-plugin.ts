import { canonicalName } from '../core/prepare/identity.ts';
import type { Fields, Source } from '../core/prepare/source.ts';
import { text } from '../core/prepare/values.ts';
import { normaliseContainer } from './falco-syscall.ts';

/** Field classes of the published plugins; a plugin outside the list names its class like its source. */
const CONTENT_CLASSES = new Set([
  'ct',
  's3',
  'github',
  'gitlab',
  'okta',
  'gcp',
  'azure',
  'salesforce',
  'box',
  'keycloak',
  'nomad',
  'docker',
  'podman',
  'json',
  'journald',
  'auth0',
]);

/** Who did what to which thing, in the words plugins end their field names with. */
const SALIENT =
  /\.(?:user|user_?name|actor|login|type|name|action|event|method|operation|repo|org|project|resource|region|bucket|role)$/;
const SALIENT_FIELDS = 8;

/**
 * Any other Falco plugin (CloudTrail, GitHub, Okta, GCP audit, …): content is every field of a
 * plugin's class (`ct.user`). The last source: it takes every event.
 */
export const falcoPlugin: Source = {
  name: undefined,
  claims: () => true,
  isContent,
  normalise: (fields, draft) => {
    const source = draft.source ?? '';
    draft.user_name = firstEnding(fields, source, '.user') ?? firstEnding(fields, source, '.actor');
    draft.event_type = firstEnding(fields, source, '.type') ?? firstEnding(fields, source, '.action');
    draft.remote_ip = firstEnding(fields, source, '.srcip') ?? firstEnding(fields, source, '.ip');
    normaliseContainer(fields, draft);
  },
  salient: ({ source = '' }, fields) =>
    Object.keys(fields)
      .map((key) => [canonicalName(key), fields[key]] as const)
      .filter(([name]) => isContent(name, source) && SALIENT.test(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, SALIENT_FIELDS)
      .map(([name, value]) => `${name}=${text(value) ?? ''}`),
};

function isContent(name: string, source: string): boolean {
  const dot = name.indexOf('.');
  const fieldClass = name.slice(0, Math.max(0, dot));
  return dot > 0 && (CONTENT_CLASSES.has(fieldClass) || fieldClass === source);
}

function firstEnding(fields: Fields, source: string, ending: string): string | undefined {
  for (const key in fields) if (key.endsWith(ending) && isContent(key, source)) return text(fields[key]);
  return undefined;
}
