/** What may be chosen; read where settings are, without loading the client. */
export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];
