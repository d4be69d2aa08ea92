/**
 * Resolves when `isThere` holds after a fetch has ended, after `maxWaitMs`, or on abort. `fetched` starts what is to be
 * fetched and resolves when one of the fetches on their way has ended. One timer and one listener: joined signals cost more than
 * the rest of a step.
 */
export async function arrival(
  isThere: () => boolean,
  fetched: () => Promise<void>,
  maxWaitMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (isThere()) return;
  const over = Promise.withResolvers<void>();
  let isOver = signal.aborted;
  const end = () => {
    isOver = true;
    over.resolve();
  };
  const timer = setTimeout(end, Math.max(1, maxWaitMs));
  signal.addEventListener('abort', end, { once: true });
  try {
    while (!isOver && !isThere()) await Promise.race([fetched(), over.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
