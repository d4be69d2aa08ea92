/** How often each name was counted. Names may be text of attackers: of more than `maximum` the rest is one. */
export class Counts {
  readonly #counts = new Map<string, number>();
  readonly #maximum: number;

  constructor(maximum = 10_000) {
    this.#maximum = maximum;
  }

  add(name: string): void {
    const key = this.#counts.has(name) || this.#counts.size < this.#maximum ? name : OTHERS;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts];
  }

  /** As a plain value, most first. */
  toJSON(): Readonly<Record<string, number>> {
    const made: Record<string, number> = Object.create(null);
    for (const [name, count] of [...this.#counts].sort((a, b) => b[1] - a[1])) made[name] = count;
    return made;
  }
}

const OTHERS = '(others)';

/** The span in which most happened; what is counted comes in the order of time. */
export class Peak {
  readonly #spanMs: number;
  #span = -1;
  #count = 0;
  #best = { at: 0, count: 0 };

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** Milliseconds. */
  add(at: number): void {
    const span = Math.floor(at / this.#spanMs);
    this.#count = span === this.#span ? this.#count + 1 : 1;
    this.#span = span;
    if (this.#count > this.#best.count) this.#best = { at: span * this.#spanMs, count: this.#count };
  }

  /** Its beginning in milliseconds, and how much; a count of 0 when nothing happened. */
  get best(): { readonly at: number; readonly count: number } {
    return this.#best;
  }
}
