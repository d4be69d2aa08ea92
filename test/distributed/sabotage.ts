/**
 * Negative controls: loaded before a role (`--import`), it takes one safeguard out of the source as it is read, and fails
 * where that place is not found any more. `EYRIE_TEST_SABOTAGE` names it.
 */
import { registerHooks } from 'node:module';

export const SABOTAGE = {
  /** Every process has transactional ids of its own: nobody is fenced. */
  'no-fence': {
    file: 'services/platform/src/bus/kafka/names.ts',
    found: 'transactionalId(group: string, partition: number): string {\n    return `',
    put: 'transactionalId(group: string, partition: number): string {\n    return process.pid + `',
  },
  /** Every insert has a token of its own: a repeat is no repeat. */
  'no-token': {
    file: 'services/archiver/src/core/ranges.ts',
    found: 'range: BusRange): string {\n  return `',
    put: 'range: BusRange): string {\n  return Math.random() + `',
  },
  /** The judge remembers no event. */
  'no-memory': {
    file: 'services/processor/src/core/judge/seen.ts',
    found: 'return this.#find(this.#probe) >= 0;',
    put: 'return false;',
  },
} as const;

export type Sabotage = keyof typeof SABOTAGE;

const wanted = process.env['EYRIE_TEST_SABOTAGE'] as Sabotage | undefined;
if (wanted !== undefined) {
  const { file, found, put } = SABOTAGE[wanted];
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context);
      if (!url.endsWith(file)) return loaded;
      const source = String(loaded.source);
      if (!source.includes(found)) throw new Error(`${file} holds no more what ${wanted} takes out`);
      return { ...loaded, source: source.replace(found, () => put) };
    },
  });
}
