import { nanosOfMs } from '@eyrie/schemas';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anAlert, T0 } from './test-support/alert.ts';
import { type Harness, type Json, startConsole } from './test-support/harness.ts';

/** Patient: the machine may be busy. */
const poll = <T>(read: () => T, options = { timeout: 20_000 }) => expect.poll(read, options);

const runs = 8 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);

interface Reader {
  readonly alerts: Json[];
  readonly events: { event: string; data: Json }[];
  readonly lastId: () => string;
  close(): Promise<void>;
}

/** Reads a stream in the background until closed. */
async function openStream(harness: Harness, token: string, lastId?: string, query = ''): Promise<Reader> {
  const stopping = new AbortController();
  const response = await fetch(new URL(`/v1/stream${query}`, harness.console.address), {
    headers: { authorization: `Bearer ${token}`, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) },
    signal: stopping.signal,
  });
  expect(response.status).toBe(200);
  const alerts: Json[] = [];
  const events: { event: string; data: Json }[] = [];
  let id = lastId ?? '';
  let held = '';
  const done = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      held += decoder.decode(chunk, { stream: true });
      const blocks = held.split('\n\n');
      held = blocks.pop() ?? '';
      for (const block of blocks) {
        id = /^id: (.*)$/m.exec(block)?.[1] ?? id;
        const event = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (event === undefined || data === undefined) continue;
        events.push({ event, data: JSON.parse(data) });
        if (event === 'alert') alerts.push(JSON.parse(data));
      }
    }
  })().catch(() => undefined);
  return {
    alerts,
    events,
    lastId: () => id,
    close: async () => {
      stopping.abort();
      await done;
    },
  };
}

describe('stream', () => {
  let harness: Harness;
  let token: string;
  beforeEach(async () => {
    harness = await startConsole({ partitions: 3 });
    token = await harness.token('acme');
  });
  afterEach(() => harness.stop());

  it('gives each told version of the own tenant, as it is written', async () => {
    const reader = await openStream(harness, token);
    await harness.publish(
      anAlert('a'),
      anAlert('b', { tenant: 'other' }),
      anAlert('c', { notify: false }),
      anAlert('d', { disposition: 'suppressed' }),
      anAlert('e', { disposition: 'suppressed', change: 'verdict', version: 2 }),
      anAlert('f', { opened_at: nanosOfMs(T0 + 1) }),
    );
    await poll(() => reader.alerts.length).toBe(3);
    const ids = new Set(reader.alerts.map((alert) => alert.alert_id));
    expect(ids).toEqual(new Set(['a', 'e', 'f'].map((name) => anAlert(name).alert_id)));
    expect(reader.alerts[0].opened_at).toMatch(/^2026-10-20T12:00:00\.\d{9}Z$/);
    expect(reader.alerts[0].mac).toBeUndefined();
    await reader.close();
  });

  it('gives hidden alerts on request, and a bound token its cluster alone', async () => {
    const all = await openStream(harness, token, undefined, '?include=suppressed');
    const bound = await openStream(harness, await harness.token('acme', ['read'], 'c2'));
    await harness.publish(anAlert('a', { disposition: 'suppressed' }), anAlert('b', { cluster: 'c2' as never }));
    await poll(() => all.alerts.length).toBe(2);
    await poll(() => bound.alerts.length).toBe(1);
    expect(bound.alerts[0].alert_id).toBe(anAlert('b').alert_id);
    await Promise.all([all.close(), bound.close()]);
  });

  it('loses nothing and doubles nothing over any reconnects', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 5 }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.nat(),
        async (sessions, seed) => {
          const sent: string[] = [];
          const got: string[] = [];
          let lastId: string | undefined;
          const publish = async (count: number) => {
            const alerts = Array.from({ length: count }, (_, i) =>
              anAlert(`${seed}/${sent.length + i}/${Math.random()}`),
            );
            sent.push(...alerts.map((alert) => alert.alert_id));
            if (alerts.length > 0) await harness.publish(...alerts);
          };
          for (const [index, bursts] of sessions.entries()) {
            // Some are written while nobody reads, some while the stream opens, some while it is open.
            if (index > 0) await publish(7);
            const opening = publish(index === 0 ? 0 : 5);
            const reader = await openStream(harness, token, lastId);
            await opening;
            for (const burst of bursts) await publish(burst);
            const isLast = index === sessions.length - 1;
            if (isLast)
              await poll(() => got.length + reader.alerts.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(
                sent.length,
              );
            else await poll(() => reader.lastId()).not.toBe('');
            await reader.close();
            lastId = reader.lastId();
            got.push(...reader.alerts.map((alert) => alert.alert_id));
          }
          expect(got.length).toBe(sent.length);
          expect(new Set(got)).toEqual(new Set(sent));
        },
      ),
      { numRuns: runs },
    );
  });

  it('says so when the id is of another log, and refuses what is no id', async () => {
    const reader = await openStream(harness, token, 'other-log:0,0,0');
    await poll(() => reader.events.map(({ event }) => event)).toEqual(['gap']);
    await reader.close();
    for (const id of ['nonsense', 'x:', ':1', 'x:-1']) {
      const answer = await harness.call(token, 'GET', `/v1/stream?last_event_id=${encodeURIComponent(id)}`);
      expect([id, answer.status, answer.body.error.code]).toEqual([id, 400, 'EYRIE_HTTP_BAD_REQUEST']);
    }
    const beyond = `${harness.bus.logIdentity('alerts', 0)}:999999,0,0`;
    expect((await harness.call(token, 'GET', `/v1/stream?last_event_id=${beyond}`)).status).toBe(400);
  });

  it('ends with the server, in time', async () => {
    const reader = await openStream(harness, token);
    const start = performance.now();
    await harness.console.stop();
    expect(performance.now() - start).toBeLessThan(2_000);
    await reader.close();
  });

  it('cuts a client that does not read, and lets the others live', async () => {
    const reader = await openStream(harness, token);
    const slow = await fetch(new URL('/v1/stream', harness.console.address), {
      headers: { authorization: `Bearer ${token}` },
    });
    const samples = Array.from({ length: 5 }, () => ({ command_line: 'x'.repeat(20_000) }));
    for (let i = 0; i < 120; i += 1) await harness.publish(anAlert(`big${i}`, { samples: samples as never }));
    await poll(() => reader.alerts.length, { timeout: 10_000 }).toBe(120);
    const reached = async () =>
      (await harness.metrics.read('eyrie_bound_reached_total')).filter(
        ([{ bound }]) => bound === 'stream_pending_bytes',
      );
    await poll(async () => (await reached()).length, { timeout: 10_000 }).toBe(1);
    await slow.body?.cancel().catch(() => undefined);
    await reader.close();
  });

  it('gives a signed record only', async () => {
    const reader = await openStream(harness, token);
    const forged = { ...anAlert('forged'), mac: 'AAAA' };
    await harness.bus.append([
      { topic: 'alerts', partition: 0, key: forged.alert_id, value: Buffer.from(JSON.stringify(forged)) },
    ]);
    await harness.publish(anAlert('true'));
    await poll(() => reader.alerts.length).toBe(1);
    expect(reader.alerts[0].alert_id).toBe(anAlert('true').alert_id);
    await reader.close();
  });
});
