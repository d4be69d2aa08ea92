/**
 * The store port: the ClickHouse engine, embedded (chDB) or as a server. One contract suite for both
 * (`testing/contracts/store.ts`).
 */
export interface Store {
  /** Applies numbered migrations; refuses changed or unknown newer ones. @throws AppError EYRIE_STORE_MIGRATION */
  migrate(): Promise<readonly { readonly number: number; readonly name: string; readonly applied: boolean }[]>;
  /** Inserts one token twice into a scratch table. @throws AppError EYRIE_STORE_NO_DEDUPLICATION */
  selfTest(): Promise<void>;
  /**
   * Inserts rows encoded as RowBinary, columns in the order given. The same token inserts once, in the table and in
   * everything fed by it. @throws AppError EYRIE_STORE_UNAVAILABLE (retryable: repeat with the same token), EYRIE_STORE_REJECTED
   */
  insert(batch: InsertBatch): Promise<void>;
  /** Runs one statement of ours with bound parameters (`{name:Type}`); rows as objects, 64-bit integers as text. */
  query<T>(sql: string, params?: Readonly<Record<string, unknown>>, options?: QueryOptions): Promise<readonly T[]>;
  /** Runs one untrusted SELECT read-only over the database eyrie. @throws AppError EYRIE_SQL_REFUSED, EYRIE_SQL_LIMIT, EYRIE_STORE_REJECTED */
  select(sql: string, options?: QueryOptions): Promise<SelectResult>;
  close(): Promise<void>;
}

export interface InsertBatch {
  readonly table: string;
  /** Column names with their ClickHouse types, in the order of the encoding. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: Buffer;
  readonly rowCount: number;
  readonly token: string;
}

export interface QueryOptions {
  readonly timeoutMs?: number;
  readonly maxRows?: number;
}

export interface SelectResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated: boolean;
}
