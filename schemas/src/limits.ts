/** Bounds that more than one service must agree on. */
export const LIMITS = {
  /** Largest event line, bytes (default; configurable at the gateway). */
  eventBytes: 256 * 1024,
  /** A frame is closed once it holds this much, bytes. */
  frameBytes: 256 * 1024,
  /** What a dead letter keeps of a line, bytes. */
  deadLetterBytes: 64 * 1024,
  /** Strings are compared up to this many bytes in identities: falcosidekick cuts at 512. */
  canonicalStringBytes: 512,
  /** Nesting of JSON. */
  jsonDepth: 64,
  targets: 256,
  samples: 5,
  /** A stamp further ahead than this is clamped, milliseconds. */
  clockAheadMs: 5 * 60_000,
} as const;
