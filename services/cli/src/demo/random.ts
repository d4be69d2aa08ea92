/** A small generator of numbers that repeats itself from its seed: for simulations alone. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** An integer from `from` up to, not including, `to`. */
  between(from: number, to: number): number;
  hex(digits: number): string;
  pick<T>(list: readonly [T, ...T[]]): T;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
  };
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from));
  return {
    next,
    between,
    hex: (digits) => Array.from({ length: digits }, () => between(0, 16).toString(16)).join(''),
    pick: (list) => list[between(0, list.length)] ?? list[0],
  };
}
