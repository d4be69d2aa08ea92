/** One stored block of a changelog. */
export interface Block {
  readonly sequence: number;
  bytes: number;
  /** Entries in it that are the newest of their key, tombstones included: at 0 it may go. */
  newest: number;
  isRemoved: boolean;
}

/** Where the newest entry of a key lies. */
export interface Place {
  readonly block: Block;
  readonly at: number;
  /** What the entry takes; 0 for a tombstone, which keeps nothing alive. */
  readonly bytes: number;
}

/**
 * Which entry of each key counts, and what each block still holds. Changes belong to the transaction under way:
 * `committed` keeps them, `aborted` undoes them one by one, so that memory never differs from the disk.
 */
export class StateIndex {
  readonly #places = new Map<string, Place>();
  /** In the order of their sequence. */
  readonly #blocks = new Map<number, Block>();
  #undo: { readonly key: string; readonly before: Place | undefined }[] = [];
  #made: Block[] = [];
  #removed: Block[] = [];
  #emptied: Block[] = [];
  #live = 0;
  #now = { next: 0, held: 0 };
  #committed = { next: 0, held: 0 };

  /** Bytes of all blocks. */
  get held(): number {
    return this.#now.held;
  }

  /** Bytes of the entries that give a key its value. */
  get live(): number {
    return this.#live;
  }

  get size(): number {
    return this.#places.size;
  }

  get(key: string): Place | undefined {
    return this.#places.get(key);
  }

  entries(): Iterable<[string, Place]> {
    return this.#places;
  }

  /** True when the entry at `at` of a block is the newest of its key. */
  isNewest(key: string, sequence: number, at: number): boolean {
    const place = this.#places.get(key);
    return place !== undefined && place.at === at && place.block.sequence === sequence;
  }

  /** Gives a key its newest entry; `undefined` forgets the key. */
  set(key: string, place: Place | undefined): void {
    const before = this.#places.get(key);
    this.#undo.push({ key, before });
    this.#swap(key, before, place);
  }

  /** The block the next entries go into; it counts once it is stored. */
  begin(): Block {
    const block: Block = { sequence: this.#now.next, bytes: 0, newest: 0, isRemoved: false };
    this.#now.next += 1;
    this.#blocks.set(block.sequence, block);
    this.#made.push(block);
    return block;
  }

  stored(block: Block, bytes: number): void {
    block.bytes = bytes;
    this.#now.held += bytes;
  }

  remove(block: Block): void {
    block.isRemoved = true;
    this.#now.held -= block.bytes;
    this.#removed.push(block);
  }

  oldest(): Block | undefined {
    for (const block of this.#blocks.values()) if (!block.isRemoved) return block;
    return undefined;
  }

  /** Blocks whose last newest entry was superseded since the last call. */
  takeEmptied(): readonly Block[] {
    const emptied = new Set(this.#emptied.filter(({ newest, isRemoved }) => newest === 0 && !isRemoved));
    this.#emptied = [];
    return [...emptied];
  }

  /** Takes over a block found on disk; blocks come in the order of their sequence. */
  load(
    sequence: number,
    bytes: number,
    entries: (add: (key: string, at: number, bytes: number) => void) => void,
  ): void {
    const block: Block = { sequence, bytes, newest: 0, isRemoved: false };
    this.#blocks.set(sequence, block);
    entries((key, at, size) => this.#swap(key, this.#places.get(key), { block, at, bytes: size }));
    this.#emptied = [];
    this.#now = { next: sequence + 1, held: this.#now.held + bytes };
    this.#committed = { ...this.#now };
  }

  committed(): void {
    for (const { sequence } of this.#removed) this.#blocks.delete(sequence);
    this.#committed = { ...this.#now };
    this.#settle();
  }

  aborted(): void {
    for (const { key, before } of this.#undo.reverse()) this.#swap(key, this.#places.get(key), before);
    for (const block of this.#removed) block.isRemoved = false;
    for (const { sequence } of this.#made) this.#blocks.delete(sequence);
    this.#now = { ...this.#committed };
    this.#settle();
  }

  #settle(): void {
    this.#undo = [];
    this.#made = [];
    this.#removed = [];
    this.#emptied = [];
  }

  #swap(key: string, before: Place | undefined, after: Place | undefined): void {
    if (before !== undefined) {
      before.block.newest -= 1;
      this.#live -= before.bytes;
      if (before.block.newest === 0) this.#emptied.push(before.block);
    }
    if (after === undefined) {
      this.#places.delete(key);
      return;
    }
    after.block.newest += 1;
    this.#live += after.bytes;
    this.#places.set(key, after);
  }
}
