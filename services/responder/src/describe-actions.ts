import { systemClock } from '@eyrie/platform/clock';
import { NO_CONNECTIONS } from '@eyrie/platform/connections';
import { createHttpClient } from '@eyrie/platform/http-client';
import { z } from 'zod';
import { createActions } from './actions/index.ts';
import { createActionMemory } from './actions/memory.ts';
import { DEFAULT_POLICY } from './core/policy/policy.ts';

export interface ActionDescription {
  readonly name: string;
  readonly summary: string;
  /** 0 notify · 1 collect · 2 reversible · 3 disruptive · 4 destructive. */
  readonly class: string;
  /** After a crash: never again, once more, or repeated, because the far side knows repeats or can be asked. */
  readonly recovery: string;
  /** What a dry run does: decide alone, or also ask the far side whether it would. */
  readonly dry_run: 'decides' | 'proves';
  /** It can be taken back: `undo: {after}` in a rule, or `eyrie actions undo`. */
  readonly undo: boolean;
  readonly timeout_s: number;
  /** JSON Schema of `parameters`. */
  readonly parameters: object;
  readonly rbac: readonly { readonly group: string; readonly resource: string; readonly verbs: readonly string[] }[];
}

/** Everything a rule can do, whatever is configured. */
export async function describeActions(): Promise<readonly ActionDescription[]> {
  const http = createHttpClient();
  try {
    const clock = systemClock;
    const world = { http, clock, memory: createActionMemory({ clock }) };
    const parts = { ...world, connections: NO_CONNECTIONS, scripts: new Map(), policy: DEFAULT_POLICY };
    return Object.entries(createActions(parts, { scriptsMax: 1 })).map(([name, action]) => ({
      name,
      summary: action.summary,
      class: String(action.class),
      recovery: action.recovery,
      dry_run: action.provable === true ? 'proves' : 'decides',
      undo: action.undoable === true,
      timeout_s: action.timeoutMs.standard / 1_000,
      parameters: z.toJSONSchema(action.parameters, { io: 'input' }),
      rbac: action.rbac ?? [],
    }));
  } finally {
    await http.close();
  }
}

/** The least that rules with these actions need: one line for each resource, verbs together. */
export function permissionsOf(
  actions: readonly Pick<ActionDescription, 'rbac'>[],
): readonly { readonly group: string; readonly resource: string; readonly verbs: readonly string[] }[] {
  const verbs = new Map<string, Set<string>>();
  for (const { group, resource, verbs: asked } of actions.flatMap(({ rbac }) => rbac)) {
    const key = `${group}/${resource}`;
    verbs.set(key, new Set([...(verbs.get(key) ?? []), ...asked]));
  }
  return [...verbs]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, set]) => {
      const slash = key.indexOf('/');
      return { group: key.slice(0, slash), resource: key.slice(slash + 1), verbs: [...set].sort() };
    });
}
