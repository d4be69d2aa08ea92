import { rmSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeError } from '../errors.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { createAuthority, hasOpenssl } from '../testing/authority.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../testing/clickhouse/fault-proxy.ts';
import { startTestServer, type TestServer } from '../testing/clickhouse/test-server.ts';
import { SERVER_TABLE_SETTINGS } from './layout.ts';
import { type ClickhouseOptions, type ClickhouseStore, openClickhouse } from './server.ts';

const COLUMNS = [{ name: 'id', type: 'UInt64' }] as const;
const ROWS = 20_000;

let server: TestServer;
let proxy: FaultProxy;
let store: ClickhouseStore;
/** Gives an insert up soon. */
let hasty: ClickhouseStore;
const opened: ClickhouseStore[] = [];
const said: string[] = [];

beforeAll(async () => {
  server = await startTestServer();
  proxy = await startFaultProxy(server.url);
  store = await open();
  hasty = await open({ insertTimeoutMs: 1_000 });
  await store.migrate();
});
afterEach(() => proxy.release());
afterAll(async () => {
  for (const each of opened) await each.close();
  await proxy.down();
  await server.stop();
});

function own(): ClickhouseOptions {
  const { user, password } = server;
  const log = createLogger({ name: 'test', level: 'silent' });
  return { url: proxy.url, user, password, log, metrics: createMetrics() };
}

async function open(over: Partial<ClickhouseOptions> = {}): Promise<ClickhouseStore> {
  const made = await openClickhouse({ ...own(), analyst: server.analyst, ...over });
  opened.push(made);
  return made;
}

/** What was thrown, kept to be searched for secrets. */
async function thrownBy(task: Promise<unknown>): Promise<{ code: string; retryable: boolean; message: string }> {
  const error = await task.then(
    () => new Error('nothing was thrown'),
    (thrown: Error) => thrown,
  );
  said.push(describeError(error), inspect(error, { depth: 8 }));
  return error as never;
}

let tables = 0;
async function scratch(): Promise<string> {
  tables += 1;
  const definition = `(id UInt64) ENGINE = MergeTree ORDER BY id SETTINGS ${SERVER_TABLE_SETTINGS}`;
  await store.command(`CREATE TABLE eyrie.fault_${tables} ${definition}`);
  return `fault_${tables}`;
}

function insert(table: string, token: string, by = store): Promise<void> {
  const rows = Buffer.alloc(ROWS * 8);
  for (let row = 0; row < ROWS; row += 1) rows.writeUInt32LE(row, row * 8);
  return by.insert({ table, columns: COLUMNS, rows, rowCount: ROWS, token });
}

async function count(table: string): Promise<number> {
  const [found] = await store.query<{ n: string }>(`SELECT count() AS n FROM eyrie.${table}`);
  return Number(found?.n);
}

describe('an insert whose end is not known', () => {
  const faults: readonly (readonly [Fault, 'stored' | 'not stored' | 'either'])[] = [
    ['answer-lost', 'stored'],
    ['answer-held', 'stored'],
    ['request-held', 'not stored'],
    ['body-cut', 'not stored'],
    ['unavailable', 'not stored'],
  ];

  it.each(faults)('%s (rows %s): says so, and repeated under its token gives each row once', async (fault, state) => {
    const table = await scratch();
    proxy.meet(fault);
    const error = await thrownBy(insert(table, 'token', fault.endsWith('-held') ? hasty : store));
    expect(error).toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE', retryable: true });
    expect(error.message).toContain(new URL(proxy.url).host);
    await proxy.settled();
    expect(await count(table)).toBe(state === 'stored' ? ROWS : 0);
    await insert(table, 'token');
    // Comes after its own repeat.
    await proxy.release();
    expect(await count(table)).toBe(ROWS);
  });

  it.each(['answer-lost', 'answer-held', 'request-held'] as const)(
    'negative control, %s: under another token the repeat doubles, so these tests can fail',
    async (fault) => {
      const table = await scratch();
      proxy.meet(fault);
      await thrownBy(insert(table, 'token', fault.endsWith('-held') ? hasty : store));
      await insert(table, 'another');
      await proxy.release();
      expect(await count(table)).toBe(2 * ROWS);
    },
  );
});

describe('a server that goes away', () => {
  it('is named while nobody listens, and used again once it is back', async () => {
    const table = await scratch();
    await proxy.down();
    try {
      // The first may still go out on a connection that was cut a moment ago.
      const unavailable = { code: 'EYRIE_STORE_UNAVAILABLE', retryable: true };
      expect(await thrownBy(insert(table, 'token'))).toMatchObject(unavailable);
      const error = await thrownBy(insert(table, 'token'));
      expect(error).toMatchObject(unavailable);
      expect(error.message).toContain('nothing listens there');
      for (const asked of [store.query('SELECT 1'), store.select('SELECT 1')]) {
        expect(await thrownBy(asked)).toMatchObject(unavailable);
      }
    } finally {
      await proxy.up();
    }
    await insert(table, 'token');
    expect(await count(table)).toBe(ROWS);
  });

  it('may close idle connections: reads go on, over few connections', async () => {
    const before = proxy.connections();
    for (let time = 0; time < 20; time += 1) await store.query('SELECT 1');
    expect(proxy.connections() - before).toBeLessThanOrEqual(1);
    proxy.cut();
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    proxy.meet('answer-lost');
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    proxy.meet('answer-lost', 'answer-lost');
    expect(await thrownBy(store.query('SELECT 1'))).toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE' });
  });
});

describe('a start says what is wrong', () => {
  it('with user or password, and names the settings', async () => {
    for (const wrong of [{ password: 'no' }, { user: 'nobody' }]) {
      const error = await thrownBy(open(wrong));
      expect(error).toMatchObject({ code: 'EYRIE_STORE_FORBIDDEN', retryable: false });
      expect(error.message).toContain(`user ${wrong.user ?? server.user}`);
      expect(error.message).toContain('EYRIE_CLICKHOUSE_USER and EYRIE_CLICKHOUSE_PASSWORD');
    }
    const analyst = { ...server.analyst, password: 'no' };
    const error = await thrownBy(open({ analyst }));
    expect(error).toMatchObject({ code: 'EYRIE_STORE_FORBIDDEN' });
    expect(error.message).toContain('EYRIE_CLICKHOUSE_ANALYST_PASSWORD');
  });

  it('with an address', async () => {
    const cases = [
      ['http://no-such-host.invalid:8123', 'no such host: check EYRIE_CLICKHOUSE_URL'],
      ['http://127.0.0.1:1', 'nothing listens there'],
      [proxy.url.replace('http:', 'https:'), 'does not speak TLS there'],
    ] as const;
    for (const [url, words] of cases) {
      const error = await thrownBy(open({ url }));
      expect(error).toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE', message: expect.stringContaining(words) });
      expect(error.message).toContain(new URL(url).host);
    }
    for (const url of [
      'clickhouse:8123',
      'tcp://ch:9000',
      'http://eyrie:geheim@ch:8123',
      'http://ch:8123/?password=geheim',
      'http://ch:8123/eyrie',
    ]) {
      expect(await thrownBy(open({ url }))).toMatchObject({ code: 'EYRIE_CONFIG_INVALID' });
    }
    expect(said.filter((text) => text.includes('geheim'))).toEqual([]);
  });

  it('with a right that is missing', async () => {
    const reader = await open(server.analyst);
    const error = await thrownBy(reader.command('CREATE TABLE eyrie.none (id UInt8) ENGINE = MergeTree ORDER BY id'));
    expect(error).toMatchObject({ code: 'EYRIE_STORE_FORBIDDEN', retryable: false });
    expect(error.message).toContain(`user ${server.analyst.user}`);
  });
});

describe('who does not fill the tables', () => {
  it('leaves their retention to those who do', async () => {
    const days = async () => {
      const [found] = await store.query<{ text: string }>(
        "SELECT create_table_query AS text FROM system.tables WHERE database = 'eyrie' AND name = 'events'",
      );
      return /toIntervalDay\((\d+)\)/.exec(found?.text ?? '')?.[1];
    };
    const retention = { eventsDays: 30 };
    const before = await days();
    await (await open({ retention, keepsRetention: true })).migrate();
    expect(await days()).toBe(before);
    await (await open({ retention })).migrate();
    expect(await days()).toBe('30');
    await store.migrate();
    expect(await days()).toBe(before);
  });
});

describe('statements from outside', () => {
  it('run as the analyst, read-only, and as nobody else', async () => {
    const from = proxy.seen.length;
    expect((await store.select('SELECT count() FROM migrations')).rows).toEqual([['4']]);
    const asked = proxy.seen.slice(from);
    expect(asked.length).toBeGreaterThan(0);
    for (const { user, parameters } of asked) {
      expect([user, parameters.get('readonly'), parameters.get('database')]).toEqual([
        server.analyst.user,
        '2',
        'eyrie',
      ]);
    }
    const alone = await openClickhouse(own());
    opened.push(alone);
    await alone.select('SELECT 1');
    expect(proxy.seen.at(-1)?.user).toBe(server.user);
  });

  it('an analyst cannot write by any other way either', async () => {
    const table = await scratch();
    const write = async ({ user, password }: { user: string; password: string }) =>
      fetch(server.url(), {
        method: 'POST',
        body: `INSERT INTO eyrie.${table} VALUES (1)`,
        headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
      });
    expect((await write(server.analyst)).ok).toBe(false);
    expect(await count(table)).toBe(0);
    // The same by another user is written: so this test can fail.
    expect((await write(server)).ok).toBe(true);
    expect(await count(table)).toBe(1);
  });
});

describe.runIf(hasOpenssl)('TLS', () => {
  it('trusts the authority it is given, and shows its certificate', async () => {
    const authority = createAuthority();
    authority.issue('client', server.user);
    const [ca, cert, key] = ['ca.pem', 'client.pem', 'client.key'].map((name) => Buffer.from(authority.read(name)));
    const own = { key: authority.read('server.key'), cert: authority.read('server.pem') };
    const plain = await startFaultProxy(server.url, own);
    const mutual = await startFaultProxy(server.url, { ...own, ca: authority.read('ca.pem'), requestCert: true });
    try {
      const trusting = await open({ url: plain.url, tls: { ca: ca as Buffer } });
      expect(await trusting.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
      const error = await thrownBy(open({ url: plain.url }));
      expect(error.message).toContain('EYRIE_CLICKHOUSE_TLS_CA_FILE');
      const certified = await open({
        url: mutual.url,
        tls: { ca: ca as Buffer, cert: cert as Buffer, key: key as Buffer },
      });
      expect(await certified.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(await thrownBy(open({ url: mutual.url, tls: { ca: ca as Buffer } }))).toMatchObject({
        code: 'EYRIE_STORE_UNAVAILABLE',
      });
    } finally {
      await plain.down();
      await mutual.down();
      rmSync(authority.directory, { recursive: true, force: true });
    }
  });
});

it('no error of all these held a password', () => {
  expect(said.filter((text) => text.includes(server.user)).length).toBeGreaterThan(3);
  const secrets = [server.password, server.analyst.password].flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
  ]);
  expect(said.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
});
