/** So many of what is restored make a piece: some milliseconds. */
const PIECE = 200;

/** Says after each one whether a piece is full. */
export function pieces(): () => boolean {
  let count = 0;
  return () => {
    count += 1;
    return count % PIECE === 0;
  };
}

/** All pieces at once, for whoever has nobody to give way to. */
export function complete<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
