import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

/** Says loudly what is left out without a broker; in CI that is a failure, unless it is meant. */
export function leftOut(what: string, why: string): void {
  describe(what, () => {
    test('a broker is there', (context) => {
      console.warn(`LEFT OUT: ${what}, no Kafka broker (${why}). Set EYRIE_TEST_KAFKA=host:port`);
      const isMeant = process.env['EYRIE_TEST_KAFKA'] === 'none';
      expect(process.env['CI'] === 'true' && !isMeant, `in CI ${what} runs on a real broker`).toBe(false);
      context.skip('no Kafka broker');
    });
  });
}

/** Why no brokers of our own can be started, where they cannot. */
export function whyNoJava(): string | undefined {
  if (process.env['EYRIE_TEST_KAFKA'] === 'none') return 'EYRIE_TEST_KAFKA is none';
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore', timeout: 10_000 });
    return undefined;
  } catch {
    return 'no Java';
  }
}
