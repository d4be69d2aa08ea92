import type { ActionClass } from '@eyrie/schemas';
import type { z } from 'zod';
import type { Call, EffectResult } from '../core/owner/decision.ts';
import type { CatalogEntry, Problem } from '../core/rules/compiled.ts';

export interface Permission {
  /** API group; empty for the core one. */
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
}

/** Something a rule can do: how its parameters are checked, and how it is done. */
export interface Action extends CatalogEntry {
  /** One sentence for `eyrie actions`. */
  readonly summary: string;
  readonly class: ActionClass | 'declared by the script';
  readonly parameters: z.ZodType;
  /** What it asks of an API server, least first to write a Role from. */
  readonly rbac?: readonly Permission[];
  /** Never throws for what the world does; ends soon after the signal. */
  run(call: Call, signal: AbortSignal): Promise<EffectResult>;
  /**
   * Takes it back, only where the live value is still what was set; otherwise `denied`, `drifted`. May come twice. Of what is
   * `undoable` alone.
   */
  undo?(call: Call, signal: AbortSignal): Promise<EffectResult>;
}

export type Actions = Readonly<Record<string, Action>>;

export function problemsOf(error: z.ZodError): readonly Problem[] {
  return error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
}
