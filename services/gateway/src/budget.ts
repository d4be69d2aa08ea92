/** Bytes of bodies held in memory at once. */
export interface Budget {
  readonly used: number;
  /** False when the bytes do not fit. */
  take(bytes: number): boolean;
  /** Counts bytes that are there already. */
  force(bytes: number): void;
  give(bytes: number): void;
}

export function createBudget(maximum: number, onFull: () => void): Budget {
  let used = 0;
  return {
    get used() {
      return used;
    },
    take: (bytes) => {
      if (used + bytes > maximum) {
        onFull();
        return false;
      }
      used += bytes;
      return true;
    },
    force: (bytes) => {
      used += bytes;
    },
    give: (bytes) => {
      used -= bytes;
    },
  };
}
