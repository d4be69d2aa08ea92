/** Something due at a number of milliseconds (of whichever clock its queue follows). */
export interface Timer<T> {
  readonly at: number;
  /** Breaks ties, so that a restored queue has the order of the one it replaces. */
  readonly id: string;
  readonly item: T;
}

/** A binary heap whose due entries can be looked at without taking them: `decide` looks, `evolve` takes. */
export class Timers<T> {
  readonly #heap: Timer<T>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  first(): Timer<T> | undefined {
    return this.#heap[0];
  }

  push(at: number, id: string, item: T): void {
    const heap = this.#heap;
    const timer = { at, id, item };
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const up = (index - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(timer, parent)) break;
      heap[index] = parent;
      index = up;
    }
    heap[index] = timer;
  }

  pop(): Timer<T> | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let down = index * 2 + 1;
      let child = heap[down];
      if (child === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        down += 1;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = down;
    }
    heap[index] = last;
    return top;
  }

  /** Entries due at `until`, soonest first, without taking them. */
  *due(until: number): Generator<Timer<T>> {
    const top = this.#heap[0];
    if (top === undefined || top.at > until) return;
    // The children of what was given are all that can come next.
    const frontier = new Timers<number>();
    frontier.push(top.at, top.id, 0);
    for (let next = frontier.pop(); next !== undefined; next = frontier.pop()) {
      const timer = this.#heap[next.item];
      if (timer === undefined) return;
      yield timer;
      for (const child of [next.item * 2 + 1, next.item * 2 + 2]) {
        const below = this.#heap[child];
        if (below !== undefined && below.at <= until) frontier.push(below.at, below.id, child);
      }
    }
  }
}

function isBefore<T>(a: Timer<T>, b: Timer<T>): boolean {
  return a.at < b.at || (a.at === b.at && a.id < b.id);
}
