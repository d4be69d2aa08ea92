import type { TenantId } from './ids.ts';

/**
 * A versioned record that changes how Eyrie behaves: who wrote it, when, which version.
 * Topic `eyrie.documents` (one partition, compacted, key `tenant/kind/id`); its offset is `documents_version`.
 */
export interface DocumentRecord<K extends DocumentKind = DocumentKind> {
  readonly v: 1;
  readonly tenant: TenantId;
  readonly kind: K;
  readonly id: string;
  /** 1, 2, 3, …: a lower or equal version has no effect. */
  readonly version: number;
  readonly author: string;
  /** Milliseconds. */
  readonly at: number;
  /** Null when the document was removed. */
  readonly body: DocumentBodies[K] | null;
  /** Of a token that was revoked, where it had one: so that it is known when it is given again. */
  readonly revoked_sha256?: string;
  /** HMAC-SHA-256 (base64url) over the record without this field. */
  readonly mac: string;
}

export interface DocumentBodies {
  readonly silence: Silence;
  readonly exception: Exception;
  readonly rule: RuleDocument;
  readonly token: TokenBody;
}

export type DocumentKind = keyof DocumentBodies;

/** `=` and `!=` compare text, `in` a list, `startswith` and `contains` as named. All matchers of a list must hold. */
export interface Matcher {
  /** One of MATCH_FIELDS when written now; a stored document may hold a name from before the list, which matches nothing. */
  readonly field: string;
  readonly op: '=' | '!=' | 'in' | 'startswith' | 'contains';
  readonly value: string | readonly string[];
}

/** Alerts whose opening event matches are suppressed as `silenced` until the end. Milliseconds. */
export interface Silence {
  readonly matchers: readonly Matcher[];
  readonly starts_at: number;
  readonly ends_at: number;
  readonly comment: string;
}

/** Alerts whose opening event matches are suppressed as `exception` until it expires. Milliseconds. */
export interface Exception {
  readonly matchers: readonly Matcher[];
  readonly expires_at: number;
  readonly comment: string;
}

/** A response rule as text of its YAML file; parsed and checked by the responder. */
export interface RuleDocument {
  readonly yaml: string;
}

export const SCOPES = ['intake', 'inventory', 'read', 'triage', 'respond', 'admin', 'raw'] as const;
export type Scope = (typeof SCOPES)[number];

/** A token as stored, only its SHA-256 is kept; or a client certificate that stands for one. */
export interface TokenBody {
  readonly name: string;
  /** SHA-256 (hex) of the whole token text, or of the certificate: apart, because a certificate is no secret. */
  readonly sha256?: string;
  readonly certificate_sha256?: string;
  /** A cluster, or `*`: taken from each event. */
  readonly cluster: string;
  readonly scopes: readonly Scope[];
  /** Whose it is; absent = of a service, which cannot approve. */
  readonly person?: string;
  /** Milliseconds; absent = never. */
  readonly expires_at?: number;
}
