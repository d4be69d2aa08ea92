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

export interface Memos {
  readonly fieldNames: Memo<FieldName>;
  /** By rule over system calls: the fields of its latest event in their order; the next event mostly has the same. */
  readonly orders: Memo<FieldName[]>;
  readonly routes: Memo<Route>;
  /** By salient fields as they were before masking. */
  readonly rawRoutes: Memo<Route>;
  /** By rule: its tags as written last, and what they say. */
  readonly labels: Memo<{ readonly written: readonly string[]; readonly labels: Labels }>;
}

export function createMemos(): Memos {
  return {
    fieldNames: new Memo(2_048),
    orders: new Memo(1_024),
    routes: new Memo(16_384),
    rawRoutes: new Memo(16_384),
    labels: new Memo(1_024),
  };
}
