import { createHash } from 'node:crypto';

const ID_MAX = 63;
const HASH_DIGITS = 6;

/** `a, b, c` */
export function listed(names: readonly string[]): string {
  return names.join(', ');
}

/** The name that was probably meant: at most two letters away. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: distance(word.toLowerCase(), name) }))
    .filter(({ name, distance }) => distance <= Math.min(2, name.length - 2))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.name;
}

/** Edits that lead from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** Makes ids of names. The first of several that would be equal keeps the plain one; the others carry a hash of their name. */
export class Ids {
  readonly #taken = new Set<string>();
  readonly #fallback: string;

  constructor(fallback: string) {
    this.#fallback = fallback;
  }

  of(name: string): string {
    const plain = slug(name);
    const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
    const stem = plain === '' ? this.#fallback : plain;
    let id = plain === '' || plain.length > ID_MAX ? withHash(stem, hash) : plain;
    if (this.#taken.has(id)) id = withHash(stem, hash);
    for (let n = 2; this.#taken.has(id); n += 1) id = withHash(stem, `${hash}-${n}`);
    this.#taken.add(id);
    return id;
  }
}

function withHash(stem: string, hash: string): string {
  return `${stem.slice(0, ID_MAX - hash.length - 1).replace(/[^a-z0-9]+$/, '')}-${hash}`;
}

function slug(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
