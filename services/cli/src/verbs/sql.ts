import { selectOverSocket } from '@eyrie/platform/store/sql-client';
import { printJson, printLine, printTable } from '../print.ts';

interface SqlOptions {
  readonly dataDir: string;
  readonly timeout: number;
  readonly maxRows: number;
  readonly json?: boolean;
}

export async function sql(statement: string, options: SqlOptions): Promise<void> {
  const result = await selectOverSocket(options.dataDir, statement, {
    timeoutMs: options.timeout,
    maxRows: options.maxRows,
  });
  if (options.json === true) return printJson(result);
  printTable(
    result.columns.map(({ name }) => name),
    result.rows.map((row) => row.map((value) => (typeof value === 'object' ? JSON.stringify(value) : value))),
  );
  if (result.truncated) printLine(`… cut at ${options.maxRows} rows (--max-rows)`);
}
