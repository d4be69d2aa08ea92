/**
 * One conversation with the engine. Settings given to a session stay; so everything with its own bounds or rights gets
 * its own session.
 */
export interface Session {
  /** Runs one statement; the answer as text in the given format (empty for statements without one). */
  run(sql: string, options?: RunOptions): Promise<string>;
  close(): Promise<void>;
}

export interface RunOptions {
  /** `JSONCompact` is added to the text; `default` leaves the text alone and names JSONCompact as the default. */
  readonly format?: 'JSONCompact' | 'default';
  readonly params?: Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** One statement that sets them all, for the rest of the session. */
export function setStatement(settings: Readonly<Record<string, string | number>>): string {
  return `SET ${Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')}`;
}

/** What the engine answered instead of a result. Crosses the process boundary as plain data. */
export interface EngineFailure {
  /** ClickHouse's number, 0 when it is none of its errors. */
  readonly code: number;
  readonly message: string;
}

/** `JSONCompact`, as far as it is used. */
export interface CompactResult {
  readonly meta: readonly { readonly name: string; readonly type: string }[];
  readonly data: readonly (readonly unknown[])[];
}
