import { text } from 'node:stream/consumers';
import { createClient } from '@clickhouse/client';
import type { EngineFailure, Session } from './session.ts';

type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

/**
 * A session over the official client; the only file that imports it. The connection is chDB's, which is written for
 * this client but typed by its own copy of the contract.
 */
export function openSession(connection: object): Session {
  const client = createClient({ connection: connection as Connection });
  return {
    run: async (sql, { format, params, settings } = {}) => {
      const common = {
        query: sql,
        ...(params === undefined ? {} : { query_params: { ...params } }),
        ...(settings === undefined ? {} : { clickhouse_settings: { ...settings } }),
      };
      if (format === undefined) {
        await client.command(common);
        return '';
      }
      if (format === 'default') {
        const { stream } = await client.exec({ ...common, clickhouse_settings: { default_format: 'JSONCompact' } });
        return text(stream);
      }
      const result = await client.query({ ...common, format });
      return result.text();
    },
    close: () => client.close(),
  };
}

/** Total: anything thrown by a session as plain data. */
export function failureOf(error: unknown): EngineFailure {
  const message = error instanceof Error ? error.message : String(error);
  // Read from the property: chDB brings errors of its own copy of the class.
  const code = error instanceof Error && 'code' in error ? Number(error.code) : Number.NaN;
  return { code: Number.isFinite(code) ? code : 0, message: message.slice(0, 2_000) };
}
