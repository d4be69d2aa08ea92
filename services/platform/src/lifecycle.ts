import type { Logger } from './log.ts';

/** A part of the process: starts, may say it is ready, stops. */
export interface Component {
  readonly name: string;
  start(): Promise<void>;
  /** Must be safe to call after a failed start. */
  stop(): Promise<void>;
}

export interface Running {
  /** Stops in reverse order; components over the deadline are abandoned and named in the log. Idempotent. */
  stop(): Promise<void>;
}

/** Starts in order; when one fails, those already started are stopped in reverse and the error is thrown. */
export async function startAll(
  components: readonly Component[],
  options: { log: Logger; deadlineMs?: number },
): Promise<Running> {
  const deadlineMs = options.deadlineMs ?? 9_000;
  const started: Component[] = [];
  for (const component of components) {
    started.unshift(component);
    try {
      await component.start();
    } catch (error) {
      await stopAll(started, options.log, deadlineMs);
      throw error;
    }
  }
  let stopping: Promise<void> | undefined;
  return {
    stop: () => {
      stopping ??= stopAll(started, options.log, deadlineMs);
      return stopping;
    },
  };
}

async function stopAll(components: readonly Component[], log: Logger, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (const component of components) {
    const left = Math.max(100, end - performance.now());
    const outcome = await Promise.race([
      component.stop().then(
        () => 'stopped' as const,
        (error: unknown) => {
          log.error({ err: error, component: component.name }, 'component failed to stop');
          return 'stopped' as const;
        },
      ),
      new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), left).unref()),
    ]);
    if (outcome === 'late') log.error({ component: component.name, deadlineMs }, 'component did not stop in time');
  }
}
