import type { Call } from '../../core/owner/decision.ts';
import { readObject } from '../../core/read-object.ts';
import type { Values } from './patch-pod.ts';

/** Annotation in which an action leaves what was there before it, in the same change: an undo finds it, whatever crashed between. */
export function beforeName({ intent }: Call): string {
  return `eyrie.dev/before-${intent.intent_key.slice(0, 16)}`;
}

/** What the names had. */
export function valuesOf(live: Readonly<Record<string, string>>, names: readonly string[]): Values {
  return Object.fromEntries(names.map((name) => [name, Object.hasOwn(live, name) ? (live[name] ?? null) : null]));
}

/** Undefined when it is none of ours. */
export function readBefore(text: string): Values | undefined {
  const read = readObject(text);
  const isValue = (value: unknown) => value === null || typeof value === 'string';
  return read !== undefined && Object.values(read).every(isValue) ? (read as Values) : undefined;
}

/** Whether every name has what was set. */
export function holds(live: Readonly<Record<string, string>>, set: Values): boolean {
  return Object.entries(set).every(([name, value]) =>
    value === null ? !Object.hasOwn(live, name) : live[name] === value,
  );
}
