import type { TenantId } from '@eyrie/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createDocuments, type Documents } from './documents.ts';
import { createLogger } from './log.ts';
import { createSigner } from './sign.ts';
import { type TemporaryLog, temporaryLog } from './testing/temporary-log.ts';
import { authenticate, hashToken, mintToken } from './tokens.ts';

/** Patient: the machine may be busy. */
const poll = <T>(read: () => T, options = { timeout: 20_000 }) => expect.poll(read, options);

const log = createLogger({ name: 'test', level: 'silent' });
const signer = createSigner(Buffer.alloc(32, 1));
const tenant = 'acme' as TenantId;
const body = { matchers: [{ field: 'rule', op: '=' as const, value: 'x' }], starts_at: 0, ends_at: 1, comment: 'why' };

let temporary: TemporaryLog;
const views: Documents[] = [];

function view(by = signer): Documents {
  const documents = createDocuments({
    bus: temporary.bus,
    signer: by,
    log,
    clock: systemClock,
    metrics: temporary.metrics,
  });
  views.push(documents);
  return documents;
}

function silence(documents: Documents, id: string, expectedVersion?: number, comment = 'why') {
  const change = { tenant, kind: 'silence' as const, id, body: { ...body, comment }, author: 'ann' };
  return documents.put(expectedVersion === undefined ? change : { ...change, expectedVersion });
}

beforeEach(() => {
  temporary = temporaryLog();
});
afterEach(async () => {
  await Promise.all(views.splice(0).map((documents) => documents.stop()));
  await temporary.remove();
});

describe('documents', () => {
  it('shows a change once put has resolved, with author, time and version', async () => {
    const documents = view();
    await documents.ready();
    expect(documents.version).toBe(0);
    const record = await silence(documents, 's1');
    expect(record).toMatchObject({ version: 1, author: 'ann', kind: 'silence', id: 's1' });
    expect(documents.list('silence')).toEqual([record]);
    expect(documents.version).toBe(1);
    expect(await silence(documents, 's1', 1)).toMatchObject({ version: 2 });
    expect(documents.version).toBe(2);
  });

  it('knows that its key is not the one that signed them, and is not misled by a forged record among its own', async () => {
    const stranger = createSigner(Buffer.alloc(32, 2));
    const [own, other] = [view(), view(stranger)];
    await silence(own, 's1');
    await poll(() => other.version).toBe(1);
    expect([own.isOfAnotherKey(), other.isOfAnotherKey()]).toEqual([false, true]);
    await temporary.bus.append([
      { topic: 'documents', partition: 0, key: 'forged', value: stranger.seal({ v: 1 as const, kind: 'silence' }) },
    ]);
    await poll(() => own.version).toBe(2);
    expect(own.isOfAnotherKey()).toBe(false);
  });

  it('is restored from the log, removed documents too', async () => {
    const first = view();
    await silence(first, 'kept');
    await silence(first, 'gone');
    await first.put({ tenant, kind: 'silence', id: 'gone', body: null, author: 'bob' });
    const second = view();
    await second.ready();
    expect(second.list('silence').map(({ id }) => id)).toEqual(['kept']);
    expect(second.get(tenant, 'silence', 'gone')).toMatchObject({ version: 2, body: null });
    expect(second.version).toBe(first.version);
  });

  it('refuses a change over a version that is no longer the latest', async () => {
    const documents = view();
    await silence(documents, 's1', 0);
    await expect(silence(documents, 's1', 0)).rejects.toMatchObject({ code: 'EYRIE_HTTP_CONFLICT' });
    expect(documents.get(tenant, 'silence', 's1')?.version).toBe(1);
  });

  it('never lets two writers both believe they won', async () => {
    const [a, b] = [view(), view()];
    await Promise.all([a.ready(), b.ready()]);
    const outcomes = await Promise.allSettled([silence(a, 's1', 0, 'from a'), silence(b, 's1', 0, 'from b')]);
    const won = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
    await poll(() => b.version).toBe(a.version);
    expect(a.get(tenant, 'silence', 's1')).toEqual(b.get(tenant, 'silence', 's1'));
  });

  it('takes concurrent changes one after the other', async () => {
    const documents = view();
    await Promise.all([silence(documents, 's1'), silence(documents, 's1'), silence(documents, 's2')]);
    expect(documents.get(tenant, 'silence', 's1')?.version).toBe(2);
    expect(documents.get(tenant, 'silence', 's2')?.version).toBe(1);
  });

  it('gives no effect to a record of a stranger, and counts it', async () => {
    const documents = view();
    const good = await silence(documents, 's1');
    const forged = createSigner(Buffer.alloc(32, 2)).seal({ ...good, version: 9 });
    for (const value of [forged, 'no json', '[]', JSON.stringify({ ...good, version: 9 })]) {
      await temporary.bus.append([
        { topic: 'documents', partition: 0, key: 'acme/silence/s1', value: Buffer.from(value) },
      ]);
    }
    await poll(() => documents.version).toBe(5);
    expect(documents.get(tenant, 'silence', 's1')).toEqual(good);
    const counted = await temporary.metrics.read('eyrie_dead_letters_total');
    expect(counted.reduce((sum, [, value]) => sum + value, 0)).toBe(4);
  });

  it('gives no effect to an old record that comes again', async () => {
    const documents = view();
    const first = await silence(documents, 's1');
    const second = await silence(documents, 's1');
    await temporary.bus.append([
      { topic: 'documents', partition: 0, key: 'acme/silence/s1', value: Buffer.from(JSON.stringify(first)) },
    ]);
    await poll(() => documents.version).toBe(3);
    expect(documents.get(tenant, 'silence', 's1')).toEqual(second);
  });

  it('tells of each change taken', async () => {
    const documents = view();
    const seen: number[] = [];
    const off = documents.onChange(({ version }) => seen.push(version));
    await silence(documents, 's1');
    await silence(documents, 's1');
    off();
    await silence(documents, 's1');
    expect(seen).toEqual([1, 2]);
  });
});

describe('tokens', () => {
  const now = 1_000;

  async function token(documents: Documents, expires_at?: number) {
    const text = mintToken();
    await documents.put({
      tenant,
      kind: 'token',
      id: 'ci',
      author: 'ann',
      body: {
        name: 'ci',
        sha256: hashToken(text),
        cluster: 'c1',
        scopes: ['read'],
        ...(expires_at === undefined ? {} : { expires_at }),
      },
    });
    return text;
  }

  it('knows whose token it is', async () => {
    const documents = view();
    const text = await token(documents);
    expect(text).toMatch(/^eyrie_[A-Za-z0-9_-]{43}$/);
    expect(authenticate(documents, text, now)).toEqual({ name: 'ci', tenant, cluster: 'c1', scopes: ['read'] });
    expect(authenticate(documents, `${text}x`, now)).toBeUndefined();
    expect(authenticate(documents, hashToken(text), now)).toBeUndefined();
    expect(authenticate(documents, '', now)).toBeUndefined();
  });

  it('refuses an expired, a replaced and a revoked token', async () => {
    const documents = view();
    const text = await token(documents, now + 1);
    expect(authenticate(documents, text, now)).toBeDefined();
    expect(authenticate(documents, text, now + 1)).toBeUndefined();
    const next = await token(documents);
    expect(authenticate(documents, text, now)).toBeUndefined();
    expect(authenticate(documents, next, now)).toBeDefined();
    await documents.put({ tenant, kind: 'token', id: 'ci', body: null, author: 'ann' });
    expect(authenticate(documents, next, now)).toBeUndefined();
  });

  it('keeps no token text in the log', async () => {
    const documents = view();
    const text = await token(documents);
    const records = await temporary.bus.read('documents', 0, 0);
    expect(records.length).toBeGreaterThan(0);
    for (const { value } of records) expect(value.toString('utf8')).not.toContain(text.slice('eyrie_'.length));
  });
});
