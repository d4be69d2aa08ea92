import type { Bus } from '@eyrie/platform/bus/bus';
import { AppError } from '@eyrie/platform/errors';
import { type ClusterId, LIMITS, type RawSection, type TenantId } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { createAppender } from './appender.ts';
import { fakeBus } from './test-support.ts';

function section(text: string, cluster = 'c1'): RawSection {
  return {
    meta: { tenant: 't1' as TenantId, cluster: cluster as ClusterId, received_at: 1, origin: 'http', lines: 1 },
    block: Buffer.from(`${text}\n`),
  };
}

/** Whom nobody asks how long commits take and which bounds were met. */
function quietAppender(bus: Bus) {
  return createAppender(
    bus,
    () => {},
    () => {},
  );
}

describe('appender', () => {
  it('puts posts of one turn in one record, in order', async () => {
    const { bus, records, sections, state } = fakeBus();
    const { append } = quietAppender(bus);
    await Promise.all([append([section('a')]), append([section('b'), section('c', 'c2')]), append([section('d')])]);
    expect(sections().map(({ lines }) => lines)).toEqual([['a'], ['b'], ['c'], ['d']]);
    expect(records()).toHaveLength(1);
    await append([section('e')]);
    expect(state.appends).toBe(2);
  });

  it('lets large posts wait for the readers, and never a single event', async () => {
    const { bus, state } = fakeBus();
    const { waitForReaders } = quietAppender(bus);
    const owner = section('a').meta;
    await waitForReaders(owner, 64 * 1024 - 1);
    expect(state.waits).toBe(0);
    await waitForReaders(owner, 64 * 1024);
    expect(state.waits).toBe(1);
  });

  it('appends many large posts in parts, each of them once', async () => {
    const { bus, records, sections, state } = fakeBus();
    const { append } = quietAppender(bus);
    await Promise.all(Array.from({ length: 12 }, (_, i) => append([section(`${i}`.repeat(500_000))])));
    expect(sections().map(({ lines }) => lines[0]?.slice(0, 1))).toEqual([...'012345678911']);
    expect(state.appends).toBeGreaterThan(2);
    expect(records()).toHaveLength(12);
  });

  it('waits for more while every turn brings more, within its bound, and never with a lone post', async () => {
    const { bus, state } = fakeBus();
    let bounds = 0;
    const { append } = createAppender(
      bus,
      () => {},
      () => (bounds += 1),
    );
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const lone = append([section('a')]);
    await turn();
    expect(state.appends).toBe(1);
    const gathered = [append([section('b')]), append([section('c')])];
    await turn();
    expect(state.appends).toBe(1);
    gathered.push(append([section('d')]));
    await Promise.all([lone, ...gathered]);
    expect([state.appends, bounds]).toEqual([2, 0]);
    // Somebody always comes: the first ones must not wait for ever.
    const endless: Promise<void>[] = [];
    while (bounds === 0) {
      endless.push(append([section('e')]), append([section('f')]));
      await turn();
    }
    await Promise.all(endless);
    expect(state.appends).toBeGreaterThan(2);
  });

  it('starts a new record where one would grow over its bound, in the same append', async () => {
    const { bus, records, state } = fakeBus();
    const { append } = quietAppender(bus);
    const half = 'x'.repeat(LIMITS.frameBytes * 0.6);
    await Promise.all([append([section(half)]), append([section(half)]), append([section('y')])]);
    expect(records()).toHaveLength(2);
    expect(state.appends).toBe(1);
  });

  it('tells every post of a failed append', async () => {
    const { bus, state } = fakeBus();
    const { append } = quietAppender(bus);
    state.error = new AppError('EYRIE_DISK_FULL', 'full', { retryable: true });
    const results = await Promise.allSettled([append([section('a')]), append([section('b')])]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    state.error = undefined;
    await append([section('c')]);
  });
});
