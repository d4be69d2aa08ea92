import type { Event, RoutingKey } from '@eyrie/schemas';
import { Generations } from '../generations.ts';

/** Canonical name of a field; `content` where the identity takes it in. */
export interface FieldName {
  readonly key: string;
  readonly name: string;
  readonly content: boolean;
}

export interface Route {
  readonly salient: string;
  readonly routing_key: RoutingKey;
}

export type Labels = Pick<Event, 'tags' | 'tactics' | 'techniques' | 'maturity'>;

/** What the latest event of a rule was like: the next one mostly has the same fields, tags and texts. */
export interface Habit {
  readonly source: string;
  /** Its fields in their order. */
  readonly order: FieldName[];
  /** Its tags as written, and what they say. */
  labels: { readonly written: readonly string[]; readonly labels: Labels } | undefined;
  /** Its salient texts before and after masking. */
  readonly masks: { raw: string; masked: string }[];
  /** Where it came from. */
  origin: Origin | undefined;
}

/** A rule of a source in a cluster, with a short name for keys: texts of the length of all four cost more than the rest of a look-up. */
export interface Origin {
  readonly tenant: string;
  readonly cluster: string;
  readonly name: string;
}

/** What `prepare` may remember between events. It changes speed, never a result. */
export interface Memos {
  readonly fieldNames: Generations<FieldName>;
  /** By the name of their origin and what is salient. */
  readonly routes: Generations<Route>;
  /** By rule. */
  readonly habits: Generations<Habit>;
  readonly origins: Generations<Origin>;
  /** Origins named so far: a name is never given again. */
  named: number;
}

export function createMemos(): Memos {
  return {
    fieldNames: new Generations(2_048),
    routes: new Generations(16_384),
    habits: new Generations(1_024),
    origins: new Generations(4_096),
    named: 0,
  };
}

export function habitOf(rule: string, source: string, memos: Memos): Habit {
  const known = memos.habits.get(rule);
  if (known?.source === source) return known;
  return memos.habits.set(rule, { source, order: [], labels: undefined, masks: [], origin: undefined });
}

export function originOf(
  habit: Habit,
  { tenant, cluster, rule }: { readonly tenant: string; readonly cluster: string; readonly rule: string },
  memos: Memos,
): Origin {
  const { origin, source } = habit;
  if (origin?.tenant === tenant && origin.cluster === cluster) return origin;
  const key = JSON.stringify([tenant, cluster, source, rule]);
  const known = memos.origins.get(key);
  if (known !== undefined) {
    habit.origin = known;
    return known;
  }
  memos.named += 1;
  habit.origin = memos.origins.set(key, { tenant, cluster, name: `${memos.named}\u001f` });
  return habit.origin;
}
