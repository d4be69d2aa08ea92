import { hash, randomBytes } from 'node:crypto';
import type { ClusterId, DocumentRecord, Scope, TenantId } from '@eyrie/schemas';
import type { Documents } from './documents.ts';

/** Who is asking: the tenant and cluster come from the token, never from what is sent. */
export interface Principal {
  readonly name: string;
  readonly tenant: TenantId;
  readonly cluster: ClusterId | '*';
  readonly scopes: readonly Scope[];
  /** Whose token it is; absent = of a service. Two tokens of one person are one person. */
  readonly person?: string;
}

/** 256 random bits behind a prefix that secret scanners can find. */
export function mintToken(): string {
  return `eyrie_${randomBytes(32).toString('base64url')}`;
}

/** What is stored of a token: SHA-256 (hex) of its text. */
export function hashToken(text: string): string {
  return hash('sha256', text, 'hex');
}

/**
 * The principal of a token that exists, was not revoked and has not expired.
 * Looked up by hash, so the time taken says nothing about the text of other tokens.
 */
export function authenticate(documents: Documents, text: string, now: number): Principal | undefined {
  return principalOf(indexOf(documents).tokens.get(hashToken(text)), now);
}

/** The principal a verified client certificate stands for, by the SHA-256 (hex) of the certificate. */
export function authenticateCertificate(documents: Documents, sha256: string, now: number): Principal | undefined {
  return principalOf(certificateHolder(documents, sha256), now);
}

/** Whose certificate it is: the first who registered it and did not revoke that. A certificate is public, so nobody else may. */
export function certificateHolder(documents: Documents, sha256: string): DocumentRecord<'token'> | undefined {
  return indexOf(documents).certificates.get(sha256);
}

/** Whose token it is, by the hash of its text: the first who has it, so that nobody can take it to another tenant. */
export function tokenHolder(documents: Documents, sha256: string): DocumentRecord<'token'> | undefined {
  return indexOf(documents).tokens.get(sha256);
}

function principalOf(record: DocumentRecord<'token'> | undefined, now: number): Principal | undefined {
  const body = record?.body;
  if (record === undefined || body === null || body === undefined) return undefined;
  if (body.expires_at !== undefined && body.expires_at <= now) return undefined;
  const { name, cluster, scopes, person } = body;
  const principal = { name, tenant: record.tenant, cluster: cluster as ClusterId | '*', scopes };
  return person === undefined ? principal : { ...principal, person };
}

interface Index {
  readonly version: number;
  readonly tokens: ReadonlyMap<string, DocumentRecord<'token'>>;
  readonly certificates: ReadonlyMap<string, DocumentRecord<'token'>>;
}

// Rebuilt when the documents change, so that a request costs one hash and one look-up.
const indexes = new WeakMap<Documents, Index>();

function indexOf(documents: Documents): Index {
  const held = indexes.get(documents);
  if (held !== undefined && held.version === documents.version) return held;
  const tokens = new Map<string, DocumentRecord<'token'>>();
  const certificates = new Map<string, DocumentRecord<'token'>>();
  for (const record of documents.list('token')) {
    const { sha256, certificate_sha256: certificate } = record.body ?? {};
    if (sha256 !== undefined) keepFirst(tokens, sha256, record);
    if (certificate !== undefined) keepFirst(certificates, certificate, record);
  }
  const index = { version: documents.version, tokens, certificates };
  indexes.set(documents, index);
  return index;
}

function keepFirst(held: Map<string, DocumentRecord<'token'>>, key: string, record: DocumentRecord<'token'>): void {
  const first = held.get(key);
  if (first === undefined || record.at < first.at) held.set(key, record);
}
