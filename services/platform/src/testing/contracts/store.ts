import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { SELECT_ATTACKS, SELECTS } from './store-selects.ts';

/** A store under test, with scratch tables of its own beside those of the migrations. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Statements that are no part of the port: scratch tables. */
  command(sql: string): Promise<void>;
  /** Settings of a table under which tokens count. */
  readonly tableSettings: string;
  /** Ends the engine at once, as a crash does; it comes back by itself. */
  crash(): Promise<void>;
  remove(): Promise<void>;
}

const COLUMNS = [
  { name: 'id', type: 'UInt64' },
  { name: 'text', type: 'String' },
] as const;

function encode(rows: readonly (readonly [id: bigint, text: Buffer])[]): Buffer {
  return Buffer.concat(
    rows.map(([id, text]) => {
      if (text.length > 16_383) throw new RangeError('the test encodes short texts');
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(id);
      const length = text.length < 128 ? [text.length] : [(text.length & 127) | 128, text.length >> 7];
      return Buffer.concat([head, Buffer.from(length), text]);
    }),
  );
}

function batch(table: string, token: string, ...rows: readonly (readonly [bigint, string | Buffer])[]) {
  const encoded = rows.map(([id, text]) => [id, Buffer.from(text as string)] as const);
  return { table, columns: COLUMNS, rows: encode(encoded), rowCount: rows.length, token };
}

/** What every adapter of the store port promises. */
export function describeStore(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let subject: StoreUnderTest;
    let store: Store;
    let tables = 0;

    beforeAll(async () => {
      subject = await make();
      store = subject.store;
      await store.migrate();
    });
    afterAll(() => subject.remove());

    async function scratch(settings = subject.tableSettings): Promise<string> {
      tables += 1;
      const table = `scratch_${tables}`;
      const definition = `(id UInt64, text String) ENGINE = MergeTree ORDER BY id SETTINGS ${settings}`;
      await subject.command(`CREATE TABLE eyrie.${table} ${definition}`);
      await subject.command(`CREATE TABLE eyrie.${table}_copy ${definition}`);
      await subject.command(
        `CREATE MATERIALIZED VIEW eyrie.${table}_feed TO eyrie.${table}_copy AS SELECT * FROM eyrie.${table}`,
      );
      return table;
    }

    async function count(table: string): Promise<number> {
      const [row] = await store.query<{ n: string }>(`SELECT count() AS n FROM eyrie.${table}`);
      return Number(row?.n);
    }

    describe('tokens', () => {
      it('inserts one token once, in the table and in what is fed by it', async () => {
        const table = await scratch();
        for (let time = 0; time < 3; time += 1) await store.insert(batch(table, 'a', [1n, 'x'], [2n, 'y']));
        expect([await count(table), await count(`${table}_copy`)]).toEqual([2, 2]);
      });

      it('keeps the same rows under another token, and genuine duplicates within one insert', async () => {
        const table = await scratch();
        await store.insert(batch(table, 'a', [1n, 'x'], [1n, 'x']));
        await store.insert(batch(table, 'b', [1n, 'x'], [1n, 'x']));
        expect([await count(table), await count(`${table}_copy`)]).toEqual([4, 4]);
      });

      it('takes one token in two tables as two inserts', async () => {
        const [first, second] = [await scratch(), await scratch()];
        await store.insert(batch(first, 'a', [1n, 'x']));
        await store.insert(batch(second, 'a', [1n, 'x']));
        expect([await count(first), await count(second)]).toEqual([1, 1]);
      });

      it('takes tokens of any characters apart', async () => {
        const table = await scratch();
        for (const token of ["a'b", 'a\\', 'a\\\\', "'", 'a b', '🦅']) {
          await store.insert(batch(table, token, [1n, token]));
          await store.insert(batch(table, token, [1n, token]));
        }
        expect(await count(table)).toBe(6);
      });

      it('holds a token through a crash right after the insert', async () => {
        const table = await scratch();
        await store.insert(batch(table, 'a', [1n, 'x']));
        await subject.crash();
        await untilAvailable(() => store.insert(batch(table, 'a', [1n, 'x'])));
        expect([await count(table), await count(`${table}_copy`)]).toEqual([1, 1]);
      });

      it('answers what a crash cut short with a retryable error, and the repeat counts once', async () => {
        const table = await scratch();
        const rows = Array.from({ length: 20_000 }, (_, index) => [BigInt(index), 'text'.repeat(100)] as const);
        const cut = store.insert(batch(table, 'a', ...rows)).then(
          () => undefined,
          (error: AppError) => error,
        );
        await subject.crash();
        const error = await cut;
        if (error !== undefined) expect(error).toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE', retryable: true });
        await untilAvailable(() => store.insert(batch(table, 'a', ...rows)));
        expect([await count(table), await count(`${table}_copy`)]).toEqual([20_000, 20_000]);
      });

      it('negative control: without a window a token is ignored, so these tests can fail', async () => {
        const table = await scratch('non_replicated_deduplication_window = 0');
        await store.insert(batch(table, 'a', [1n, 'x']));
        await store.insert(batch(table, 'a', [1n, 'x']));
        expect(await count(table)).toBe(2);
      });

      it('passes its self-test', async () => {
        await store.selfTest();
        await store.selfTest();
      });
    });

    describe('values', () => {
      it('stores every byte in a text, also what is no UTF-8', async () => {
        const table = await scratch();
        const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
        await store.insert(batch(table, 'a', [1n, all], [2n, ''], [3n, '\\N'], [4n, 'é🦅\u0000']));
        const rows = await store.query<{ h: string }>(`SELECT hex(text) AS h FROM eyrie.${table} ORDER BY id`);
        const expected = [all, '', '\\N', 'é🦅\u0000'].map((text) => Buffer.from(text as string));
        expect(rows.map(({ h }) => h)).toEqual(expected.map((text) => text.toString('hex').toUpperCase()));
      });

      it('gives 64-bit integers exactly, as text', async () => {
        const table = await scratch();
        await store.insert(batch(table, 'a', [18_446_744_073_709_551_615n, 'x'], [9_007_199_254_740_993n, 'y']));
        const rows = await store.query<{ id: string }>(`SELECT id FROM eyrie.${table} ORDER BY id`);
        expect(rows.map(({ id }) => id)).toEqual(['9007199254740993', '18446744073709551615']);
      });

      it('binds parameters as values, whatever they hold', async () => {
        const hostile = "'; DROP TABLE eyrie.events; -- \\ \n\t {x:String} \u0000🦅";
        const [row] = await store.query<{ a: string; b: string }>('SELECT {a:String} AS a, {b:UInt64} AS b', {
          a: hostile,
          b: '18446744073709551615',
        });
        expect(row).toEqual({ a: hostile, b: '18446744073709551615' });
      });

      it('bounds rows of a query only when asked', async () => {
        expect(await store.query('SELECT number FROM numbers(10)', {}, { maxRows: 3 })).toHaveLength(3);
        expect(await store.query('SELECT number FROM numbers(10)')).toHaveLength(10);
      });

      it('answers many queries at once, each with its own bounds', async () => {
        const sizes = Array.from({ length: 40 }, (_, index) => index + 1);
        const answers = await Promise.all(
          sizes.map((size) => store.query('SELECT number FROM numbers(100)', {}, { maxRows: size })),
        );
        expect(answers.map((rows) => rows.length)).toEqual(sizes);
      });
    });

    describe('errors', () => {
      it('names what it refuses, not retryable', async () => {
        await expect(store.query('SELECT nothing FROM eyrie.events')).rejects.toMatchObject({
          code: 'EYRIE_STORE_REJECTED',
          retryable: false,
          message: expect.stringContaining('nothing'),
        });
      });

      it('refuses rows cut off in the middle, whole', async () => {
        const table = await scratch();
        const whole = batch(table, 'a', [1n, 'x'], [2n, 'y']);
        await expect(store.insert({ ...whole, rows: whole.rows.subarray(0, -3) })).rejects.toMatchObject({
          code: 'EYRIE_STORE_REJECTED',
        });
        expect(await count(table)).toBe(0);
      });
    });

    describe('migrations', () => {
      it('apply once', async () => {
        const again = await store.migrate();
        expect(again.length).toBeGreaterThan(0);
        expect(again.every(({ applied }) => !applied)).toBe(true);
      });

      it('refuses a newer number and a changed content, and names them', async () => {
        const insert = (number: number, checksum: string) =>
          subject.command(
            `INSERT INTO eyrie.migrations (number, name, checksum) VALUES (${number}, 'other', '${checksum}')`,
          );
        const remove = () => subject.command("DELETE FROM eyrie.migrations WHERE name = 'other'");
        await insert(9_999, 'x');
        await expect(store.migrate()).rejects.toMatchObject({
          code: 'EYRIE_STORE_MIGRATION',
          message: expect.stringContaining('9999_other'),
        });
        await remove();
        await insert(1, 'x');
        await expect(store.migrate()).rejects.toMatchObject({ message: expect.stringContaining('0001_other') });
        await remove();
        await store.migrate();
      });
    });

    describe('select', () => {
      it.each(SELECTS)('runs %s', async (sql) => {
        const { columns, rows } = await store.select(sql);
        expect(columns.length).toBeGreaterThan(0);
        expect(Array.isArray(rows)).toBe(true);
      });

      it.each(SELECT_ATTACKS)('refuses %s', async (sql) => {
        await expect(store.select(sql)).rejects.toMatchObject({ code: 'EYRIE_SQL_REFUSED' });
      });

      it('cuts rows at the bound and says so', async () => {
        const exact = await store.select('SELECT number FROM numbers(5)', { maxRows: 5 });
        expect([exact.rows.length, exact.truncated]).toEqual([5, false]);
        const cut = await store.select('SELECT number FROM numbers(1000000) ORDER BY number', { maxRows: 5 });
        expect([cut.rows, cut.truncated]).toEqual([[['0'], ['1'], ['2'], ['3'], ['4']], true]);
      });

      it('ends at the bound of time', async () => {
        const started = performance.now();
        await expect(
          store.select('SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1', { timeoutMs: 500 }),
        ).rejects.toMatchObject({ code: 'EYRIE_SQL_LIMIT' });
        expect(performance.now() - started).toBeLessThan(5_000);
      });

      it('ends at the bound of memory, and goes on', async () => {
        await expect(store.select('SELECT groupArray(number) FROM numbers(1000000000)')).rejects.toMatchObject({
          code: 'EYRIE_SQL_LIMIT',
        });
        expect((await store.select('SELECT 1')).rows).toEqual([[1]]);
      });

      it('says what is wrong with a statement', async () => {
        await expect(store.select('SELECT nothing FROM events')).rejects.toMatchObject({
          code: 'EYRIE_STORE_REJECTED',
          message: expect.stringContaining('nothing'),
        });
        await expect(store.select('SELEC 1')).rejects.toMatchObject({ code: 'EYRIE_STORE_REJECTED' });
      });
    });
  });
}

async function untilAvailable(task: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await task();
    } catch (error) {
      if ((error as AppError).code !== 'EYRIE_STORE_UNAVAILABLE' || attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
