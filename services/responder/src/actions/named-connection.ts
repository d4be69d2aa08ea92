import type { z } from 'zod';
import type { Checked, Lane } from '../core/rules/compiled.ts';
import { problemsOf } from './action.ts';

/** Checks the parameters of a notice whose place is a connection and nothing else. `kind`: its section in the connections file. */
export function checkNamed<P extends { readonly connection: string }>(
  schema: z.ZodType<P>,
  connections: ReadonlyMap<string, unknown>,
  { kind, lane }: { readonly kind: string; readonly lane: (connection: string) => Lane },
): (written: Readonly<Record<string, unknown>>) => Checked {
  return (written) => {
    const parsed = schema.safeParse(written);
    if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error) };
    const { connection } = parsed.data;
    if (!connections.has(connection)) {
      const message = `there is no ${kind} connection "${connection}"`;
      return { ok: false, problems: [{ field: 'connection', message }] };
    }
    return { ok: true, class: 0, parameters: parsed.data, lane: lane(connection) };
  };
}
