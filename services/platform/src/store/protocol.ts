import type { EngineFailure } from './session.ts';

/** What crosses the channel between Eyrie and the process that holds the engine. */
export type EngineRequest =
  | { readonly kind: 'command'; readonly sql: string }
  | {
      readonly kind: 'query';
      readonly sql: string;
      readonly params: Readonly<Record<string, unknown>>;
      readonly timeoutMs: number;
      readonly maxRows: number;
    }
  | { readonly kind: 'select'; readonly sql: string; readonly timeoutMs: number; readonly maxRows: number };

export type EngineReply =
  /** Rows as `JSONCompact` text, empty for commands. */
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'failed'; readonly failure: EngineFailure }
  /** The guard refused an untrusted statement. */
  | { readonly kind: 'refused'; readonly message: string };

export type ToChild = { readonly id: number; readonly request: EngineRequest } | { readonly close: true };
export type FromChild =
  | { readonly id: number; readonly reply: EngineReply }
  | { readonly ready: true }
  /** The machine cannot run the engine; or the directory is held by another process, or cannot be opened. */
  | { readonly broken: 'unsupported' | 'unopened'; readonly message: string };

/** Most requests in flight; further ones wait in the parent. */
export const MAX_IN_FLIGHT = 32;
