import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Documents } from '@eyrie/platform/documents';
import { hashToken, mintToken } from '@eyrie/platform/tokens';
import type { Scope, TenantId } from '@eyrie/schemas';
import type { Config } from './config.ts';
import { writePrivateFile } from './ready.ts';

export interface FirstTokens {
  readonly intake_token: string;
  readonly api_token: string;
}

const API_SCOPES: readonly Scope[] = ['inventory', 'read', 'triage', 'respond', 'admin', 'raw'];

/**
 * The tokens `up` hands out: given by the environment, else made once and kept in `tokens.json` (0600) of the data
 * directory, so that a restart does not lock sensors out. Only their hashes are in the documents.
 */
export async function ensureFirstTokens(documents: Documents, dataDir: string, config: Config): Promise<FirstTokens> {
  const file = join(dataDir, 'tokens.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<FirstTokens>) : {};
  const tokens = {
    intake_token: config.EYRIE_INTAKE_TOKEN ?? kept.intake_token ?? mintToken(),
    api_token: config.EYRIE_API_TOKEN ?? kept.api_token ?? mintToken(),
  };
  const tenant = config.EYRIE_TENANT as TenantId;
  await ensure(documents, tenant, 'first-intake', tokens.intake_token, config.EYRIE_CLUSTER, ['intake']);
  await ensure(documents, tenant, 'first-api', tokens.api_token, '*', API_SCOPES);
  // A token given by the environment stays where it came from.
  const own = {
    ...(config.EYRIE_INTAKE_TOKEN === undefined ? { intake_token: tokens.intake_token } : {}),
    ...(config.EYRIE_API_TOKEN === undefined ? { api_token: tokens.api_token } : {}),
  };
  if (JSON.stringify(own) !== JSON.stringify(kept)) writePrivateFile(file, `${JSON.stringify(own)}\n`);
  return tokens;
}

async function ensure(
  documents: Documents,
  tenant: TenantId,
  name: string,
  token: string,
  cluster: string,
  scopes: readonly Scope[],
): Promise<void> {
  const sha256 = hashToken(token);
  const held = documents.get(tenant, 'token', name)?.body;
  if (held?.sha256 === sha256 && held.cluster === cluster) return;
  await documents.put({ tenant, kind: 'token', id: name, author: 'eyrie up', body: { name, sha256, cluster, scopes } });
}
