const WORDS_MAX = 16_384;

/**
 * Equal texts as one object. Each event brings its own copies of the same few words; what is kept of it and compared with
 * later events should lie in one place, not in as many as there are records. Forgets all when full.
 */
export class Words {
  readonly #words = new Map<string, string>();
  readonly #lists = new Map<string, readonly string[]>();

  of<T extends string | undefined>(word: T): T {
    if (word === undefined) return word;
    return one(this.#words, word, word) as T;
  }

  /** Equal lists as one, which nobody may change. */
  list(words: readonly string[] | undefined): readonly string[] {
    if (words === undefined || words.length === 0) return NONE;
    return one(this.#lists, words.join('\u0000'), words);
  }
}

const NONE: readonly string[] = [];

function one<V>(pool: Map<string, V>, key: string, value: V): V {
  const held = pool.get(key);
  if (held !== undefined) return held;
  if (pool.size >= WORDS_MAX) pool.clear();
  pool.set(key, value);
  return value;
}
