import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Documents } from '@eyrie/platform/documents';
import { AppError } from '@eyrie/platform/errors';
import { hashToken, mintToken, tokenHolder } from '@eyrie/platform/tokens';
import type { Scope, TenantId } from '@eyrie/schemas';
import { z } from 'zod';
import type { Config } from './config.ts';
import { writePrivateFile } from './ready.ts';

export interface FirstTokens {
  readonly intake_token: string;
  readonly api_token: string;
}

/** What was handed out before: the text of a token we made, the hash of one the environment gave. */
const Kept = z.strictObject({ token: z.string().optional(), sha256: z.string() });
const KeptFile = z.record(z.string(), z.record(z.string(), Kept));
type Kept = z.infer<typeof Kept>;

const API_SCOPES: readonly Scope[] = ['inventory', 'read', 'triage', 'respond', 'admin', 'raw'];

/**
 * The tokens `up` hands out: given by the environment, else made once and kept by tenant in `tokens.json` (0600) of the
 * data directory, so that a restart does not lock sensors out. A revoked one is never handed out again.
 * @throws AppError EYRIE_CONFIG_INVALID, EYRIE_DATA_DIR_DAMAGED
 */
export async function ensureFirstTokens(documents: Documents, dataDir: string, config: Config): Promise<FirstTokens> {
  if (config.EYRIE_INTAKE_TOKEN !== undefined && config.EYRIE_INTAKE_TOKEN === config.EYRIE_API_TOKEN) {
    // One of the two would hold, and nobody could use the other half.
    throw new AppError('EYRIE_CONFIG_INVALID', 'EYRIE_API_TOKEN: the same as EYRIE_INTAKE_TOKEN; give each its own');
  }
  const file = join(dataDir, 'tokens.json');
  const kept = readKept(file);
  const tenant = config.EYRIE_TENANT as TenantId;
  const own = kept[tenant] ?? {};
  const ensure = (first: Omit<First, 'tenant' | 'kept'>) =>
    ensureToken(documents, { ...first, tenant, kept: own[first.name] });
  const intake = await ensure({
    name: 'first-intake',
    key: 'EYRIE_INTAKE_TOKEN',
    given: config.EYRIE_INTAKE_TOKEN,
    cluster: config.EYRIE_CLUSTER,
    scopes: ['intake'],
  });
  const api = await ensure({
    name: 'first-api',
    key: 'EYRIE_API_TOKEN',
    given: config.EYRIE_API_TOKEN,
    cluster: '*',
    scopes: API_SCOPES,
  });
  const next = { ...kept, [tenant]: { 'first-intake': intake.kept, 'first-api': api.kept } };
  if (JSON.stringify(next) !== JSON.stringify(kept)) writePrivateFile(file, `${JSON.stringify(next)}\n`);
  return { intake_token: intake.token, api_token: api.token };
}

interface First {
  readonly tenant: TenantId;
  readonly name: string;
  /** The setting that may give it. */
  readonly key: string;
  readonly given: string | undefined;
  readonly kept: Kept | undefined;
  readonly cluster: string;
  readonly scopes: readonly Scope[];
}

async function ensureToken(
  documents: Documents,
  { tenant, name, key, given, kept, cluster, scopes }: First,
): Promise<{ readonly token: string; readonly kept: Kept }> {
  const held = documents.get(tenant, 'token', name);
  const isRevoked = held !== undefined && held.body === null;
  // A role's directory may be empty at every start: the documents remember too.
  if (given !== undefined && isRevoked && [kept?.sha256, held.revoked_sha256].includes(hashToken(given))) {
    throw new AppError('EYRIE_CONFIG_INVALID', `${key}: this token was revoked; give another one`);
  }
  const token = given ?? (isRevoked ? undefined : kept?.token) ?? mintToken();
  const sha256 = hashToken(token);
  const holder = tokenHolder(documents, sha256);
  if (holder !== undefined && holder.tenant !== tenant) {
    throw new AppError('EYRIE_CONFIG_INVALID', `${key}: this token belongs to another tenant; give each its own`);
  }
  if (held?.body?.sha256 !== sha256 || held.body.cluster !== cluster) {
    await documents.put({
      tenant,
      kind: 'token',
      id: name,
      author: 'eyrie up',
      body: { name, sha256, cluster, scopes },
    });
  }
  // The text of a token given by the environment stays where it came from.
  return { token, kept: given === undefined ? { token, sha256 } : { sha256 } };
}

function readKept(file: string): z.infer<typeof KeptFile> {
  if (!existsSync(file)) return {};
  try {
    return KeptFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new AppError(
      'EYRIE_DATA_DIR_DAMAGED',
      `${file} cannot be read; remove it to have new first tokens made (sensors must then be given theirs)`,
      { cause },
    );
  }
}
