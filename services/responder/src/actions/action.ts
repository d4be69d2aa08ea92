import type { z } from 'zod';
import type { Call, EffectResult } from '../core/owner/decision.ts';
import type { CatalogEntry, Problem } from '../core/rules/compiled.ts';

/** Something a rule can do: how its parameters are checked, and how it is done. */
export interface Action extends CatalogEntry {
  /** One sentence for `eyrie actions`. */
  readonly summary: string;
  /** Never throws for what the world does; ends soon after the signal. */
  run(call: Call, signal: AbortSignal): Promise<EffectResult>;
}

export type Actions = Readonly<Record<string, Action>>;

export function problemsOf(error: z.ZodError): readonly Problem[] {
  return error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
}
