/**
 * At each leader one fetch on its way at most, and no place in two of them, wherever they were sent: the second would
 * bring the same records again.
 */
export class LeaderFetches<Place> {
  readonly #leader: (place: Place) => string;
  readonly #fetch: (places: readonly Place[]) => Promise<void>;
  readonly #byLeader = new Map<string, Promise<void>>();
  readonly #fetched = new Set<Place>();

  constructor(leader: (place: Place) => string, fetch: (places: readonly Place[]) => Promise<void>) {
    this.#leader = leader;
    this.#fetch = fetch;
  }

  /** Starts one at every leader that has none, for those of the places that are in none. */
  start(places: readonly Place[]): void {
    const idle = places.filter((place) => !this.#fetched.has(place));
    for (const [leader, some] of Map.groupBy(idle, this.#leader)) {
      if (!this.#byLeader.has(leader)) this.#byLeader.set(leader, this.#run(leader, some));
    }
  }

  /** Resolves when one of those on their way has ended. @throws what it failed with */
  async ended(): Promise<void> {
    await Promise.race(this.#byLeader.values());
  }

  async #run(leader: string, places: readonly Place[]): Promise<void> {
    for (const place of places) this.#fetched.add(place);
    try {
      await this.#fetch(places);
    } finally {
      for (const place of places) this.#fetched.delete(place);
      this.#byLeader.delete(leader);
    }
  }
}
