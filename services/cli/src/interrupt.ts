const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Ctrl-C while a verb has something open. `reached` rejects, so that everything is closed and removed on the way out;
 * `end`, called last, lets the signal do what it does to any program.
 */
export function watchInterrupt(): { readonly reached: Promise<never>; end(): void } {
  let came: NodeJS.Signals | undefined;
  let note: (signal: NodeJS.Signals) => void = () => {};
  const reached = new Promise<never>((_, reject) => {
    note = (signal) => {
      came = signal;
      reject(new Error(`ended by ${signal}`));
    };
  });
  // Perhaps nobody waits yet.
  reached.catch(() => {});
  for (const signal of SIGNALS) process.once(signal, note);
  return {
    reached,
    end: () => {
      for (const signal of SIGNALS) process.off(signal, note);
      if (came !== undefined) process.kill(process.pid, came);
    },
  };
}
