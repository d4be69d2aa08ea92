import type { Pipeline } from './pipeline.ts';

/** Resolves at SIGTERM, SIGINT or when `ended` does. @throws what failed in the pipeline */
export async function untilSignalled({ failed }: Pick<Pipeline, 'failed'>, ended?: Promise<void>): Promise<void> {
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await Promise.race([signalled, failed, ...(ended === undefined ? [] : [ended])]);
}
