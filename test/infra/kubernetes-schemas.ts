import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MONITORING } from './monitoring-schemas.ts';

type Schema = { [key: string]: unknown };
interface Definition extends Schema {
  readonly properties?: Record<string, Schema>;
  readonly required?: string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

const PREFIX = '#/definitions/';
/** What the description calls text and the server also takes as a number. */
const LENIENT: Record<string, Schema> = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: ['string', 'integer'] },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: ['string', 'number'] },
};

/**
 * Writes a JSON Schema for each kind of Kubernetes' own description of its API, as kubeconform looks for them, and those of
 * the Prometheus operator that the chart uses. Strict: what a kind does not name it does not have.
 * @returns where kubeconform finds them
 */
export function writeSchemas(directory: string, api: string, kinds: readonly { apiVersion: string; kind: string }[]) {
  const { definitions } = JSON.parse(readFileSync(api, 'utf8')) as { definitions: Record<string, Definition> };
  for (const { apiVersion, kind } of kinds) {
    const [version = '', group = ''] = apiVersion.split('/').toReversed();
    const name = Object.keys(definitions).find((each) =>
      definitions[each]?.['x-kubernetes-group-version-kind']?.some(
        (known) => known.group === group && known.version === version && known.kind === kind,
      ),
    );
    const schema =
      MONITORING[`${apiVersion} ${kind}`] ?? (name === undefined ? undefined : standalone(name, definitions));
    // Without one kubeconform refuses the object.
    if (schema === undefined) continue;
    const suffix = group === '' ? version : `${group.split('.')[0]}-${version}`;
    writeFileSync(join(directory, `${kind.toLowerCase()}-${suffix}.json`), JSON.stringify(schema));
  }
  return join(directory, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
}

/** A definition with those it refers to. */
function standalone(name: string, definitions: Record<string, Definition>): Schema {
  const used: Record<string, Schema> = {};
  const take = (each: string) => {
    if (each in used) return;
    const schema = LENIENT[each] ?? strict(definitions[each] ?? {});
    used[each] = schema;
    for (const [, other = ''] of JSON.stringify(schema).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) take(other);
  };
  take(name);
  return { $schema: 'http://json-schema.org/draft-07/schema#', $ref: `${PREFIX}${name}`, definitions: used };
}

function strict({ properties, required, type, additionalProperties, ...rest }: Definition): Schema {
  if (properties === undefined) return { ...(type !== undefined && { type }), ...(rest['$ref'] !== undefined && rest) };
  return { type: 'object', properties, required: required ?? [], additionalProperties: false };
}
