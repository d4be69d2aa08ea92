import { AppError } from '../errors.ts';
import { failureOf } from './clickhouse.ts';
import type { EngineReply } from './protocol.ts';
import type { CompactResult, Session } from './session.ts';
import { findRefusal } from './sql-guard.ts';

/** A session over the database `eyrie` under these settings that can neither write nor change them. */
export type OpenReadOnly = (settings: Readonly<Record<string, string | number>>) => Promise<Session>;

export interface UntrustedSelect {
  readonly sql: string;
  readonly timeoutMs: number;
  readonly maxRows: number;
}

const MEMORY_BYTES = 400_000_000;
const RESULT_BYTES = 64 * 1024 * 1024;
const MAX_SQL_BYTES = 64 * 1024;

/**
 * Runs a SELECT from outside on a session of its own that cannot write or change its settings again. First the engine
 * itself rewrites the text into its canonical form (one statement, no comments), the guard judges the syntax tree of
 * that form, and exactly that form runs.
 */
export async function runUntrusted(open: OpenReadOnly, request: UntrustedSelect): Promise<EngineReply> {
  if (Buffer.byteLength(request.sql) > MAX_SQL_BYTES) return { kind: 'refused', message: 'the statement is too long' };
  const session = await open({
    output_format_json_quote_64bit_integers: 1,
    max_threads: 2,
    max_execution_time: request.timeoutMs / 1_000,
    timeout_before_checking_execution_speed: 0,
    max_memory_usage: MEMORY_BYTES,
    max_result_bytes: RESULT_BYTES,
    max_ast_depth: 500,
    max_ast_elements: 10_000,
    max_expanded_ast_elements: 50_000,
    max_query_size: 4 * MAX_SQL_BYTES,
    limit: request.maxRows + 1,
    allow_ddl: 0,
  });
  try {
    const sql = await canonical(session, request.sql);
    const tree = await column(session, `EXPLAIN AST ${sql}`);
    const refusal = findRefusal(tree);
    if (refusal !== undefined) return { kind: 'refused', message: refusal };
    return { kind: 'done', text: await session.run(sql, { format: 'JSONCompact' }) };
  } catch (error) {
    // The way to a server, not the statement.
    if (error instanceof AppError) throw error;
    const failure = failureOf(error);
    if (/Multi-statements are not allowed/.test(failure.message)) {
      return { kind: 'refused', message: 'only one statement is allowed' };
    }
    return { kind: 'failed', failure };
  } finally {
    await session.close();
  }
}

async function canonical(session: Session, sql: string): Promise<string> {
  // Bound as text, so nothing of it runs; the parser refuses a second statement.
  const text = await session.run('SELECT formatQuerySingleLine({sql:String})', {
    format: 'JSONCompact',
    params: { sql },
  });
  return String((JSON.parse(text) as CompactResult).data[0]?.[0] ?? '');
}

async function column(session: Session, sql: string): Promise<readonly string[]> {
  const text = await session.run(sql, { format: 'default' });
  return (JSON.parse(text) as CompactResult).data.map(([value]) => String(value));
}
