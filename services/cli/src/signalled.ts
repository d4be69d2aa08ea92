/**
 * Orchestrators kill after ten seconds or more; what has not ended by then waits for somebody who does not answer. Draining
 * and killing an engine that hangs take nine: who ended before would leave it behind.
 */
const END_MS = 9_700;

/**
 * Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. To be called before others are told
 * that the process is there: until then a signal kills it. Some seconds after the first the process ends wherever it is,
 * also in the middle of its start: what was not committed is read again.
 */
export function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        setTimeout(end, END_MS).unref();
        resolve();
      });
    }
  });
}

function end(): never {
  process.stderr.write(
    `not everything has ended ${END_MS / 1_000} s after the signal: what was not committed is read again\n`,
  );
  process.exit(0);
}
