import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

const ANY_BROKER = 'Set EYRIE_TEST_KAFKA=host:port, or install Docker, or Java and Maven';
/** For tests that need a broker of their own making. */
export const OWN_BROKER = 'Install Java and Maven';

/** Says loudly what is left out without a broker, and how to get one; in CI that is a failure, unless it is meant. */
export function leftOut(what: string, why: string, help = ANY_BROKER): void {
  describe(what, () => {
    test('a broker is there', (context) => {
      console.warn(`LEFT OUT: ${what}, no Kafka broker (${why}). ${help}`);
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
