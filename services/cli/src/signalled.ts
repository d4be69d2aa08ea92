/**
 * Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. To be called before others are told
 * that the process is there: until then a signal kills it.
 */
export function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
