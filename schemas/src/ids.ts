/** Branded identifiers. A query, key or record without its tenant does not compile. */
export type TenantId = string & { readonly __brand: 'TenantId' };
export type ClusterId = string & { readonly __brand: 'ClusterId' };
/** 32 hex digits (128 bits of SHA-256). */
export type EventId = string & { readonly __brand: 'EventId' };
export type AlertId = string & { readonly __brand: 'AlertId' };
export type Fingerprint = string & { readonly __brand: 'Fingerprint' };
export type RoutingKey = string & { readonly __brand: 'RoutingKey' };

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;

/** True for names usable as tenant or cluster: lower case letters, digits, `.`, `_`, `-`; 1 to 63 characters. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** The partition that owns a routing key (hex) among `partitions`. */
export function partitionOf(key: string, partitions: number): number {
  return Number.parseInt(key.slice(0, 8), 16) % partitions;
}
