import type { Event, RoutingKey } from '@eyrie/schemas';

/**
 * What `prepare` may remember between events. It changes speed, never a result, and is bounded: two generations, so
 * that a flood of new keys cannot grow it and the busy keys survive.
 */
class Memo<V> {
  readonly #limit: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): V {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    return value;
  }
}

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
}

export interface Memos {
  readonly fieldNames: Memo<FieldName>;
  readonly routes: Memo<Route>;
  /** By rule. */
  readonly habits: Memo<Habit>;
}

export function createMemos(): Memos {
  return { fieldNames: new Memo(2_048), routes: new Memo(16_384), habits: new Memo(1_024) };
}

export function habitOf(rule: string, source: string, memos: Memos): Habit {
  const known = memos.habits.get(rule);
  if (known?.source === source) return known;
  return memos.habits.set(rule, { source, order: [], labels: undefined, masks: [] });
}
