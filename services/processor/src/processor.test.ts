import type { Bus } from '@eyrie/platform/bus/bus';
import { systemClock } from '@eyrie/platform/clock';
import { createDocuments } from '@eyrie/platform/documents';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics, type Metrics } from '@eyrie/platform/metrics';
import { createSigner } from '@eyrie/platform/sign';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import {
  type Event,
  encodeRawFrame,
  FrameReader,
  FrameWriter,
  isEvent,
  type Judgement,
  type RawMeta,
  type TopicName,
  visitJudged,
} from '@eyrie/schemas';
import { FALCO_LINES } from '@eyrie/schemas/fixtures';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createJudge, createPrepare, type Role } from './main.ts';
import { falcoFiles } from './testing/falco-files.ts';

const log = createLogger({ name: 'test', level: 'silent' });
const signer = createSigner(Buffer.alloc(32, 7));
const meta = { tenant: 't1', cluster: 'c1', origin: 'file' } as RawMeta;

let home: TemporaryLog;
beforeEach(() => {
  home = temporaryLog();
});
afterEach(() => home.remove());

async function post(lines: readonly Buffer[], change: Partial<RawMeta> = {}): Promise<void> {
  const block = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
  const section = { meta: { ...meta, received_at: Date.now(), ...change, lines: lines.length }, block };
  await home.bus.append([{ topic: 'raw', partition: 0, value: encodeRawFrame([section]) }]);
}

/** Both roles until they have taken everything; gives the metrics of that run. */
async function process(bus: Bus = home.bus): Promise<Metrics> {
  const metrics = createMetrics();
  const deps = { bus, log, metrics, clock: systemClock, onFailure: (error: unknown) => log.fatal(error) };
  const documents = createDocuments({ ...deps, signer });
  const roles = [createPrepare(deps), createJudge({ ...deps, documents, signer })];
  for (const role of roles) await role.start();
  try {
    for (const role of roles) await caughtUp(role);
  } finally {
    for (const role of roles) await role.stop();
    await documents.stop();
  }
  return metrics;
}

async function caughtUp(role: Role): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await role.caughtUp())) {
    if (Date.now() > end) throw new Error(`${role.name} did not catch up`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Outcomes as `stage/outcome/reason` → number. */
async function outcomes(metrics: Metrics): Promise<Record<string, number>> {
  const rows = await metrics.read('eyrie_outcomes_total');
  return Object.fromEntries(rows.map(([l, value]) => [`${l['stage']}/${l['outcome']}/${l['reason']}`, value]));
}

async function records(topic: TopicName) {
  const { start } = await home.bus.bounds(topic, 0);
  return home.bus.read(topic, 0, start, { maxBytes: 64 * 1024 * 1024 });
}

async function judged(): Promise<{ judgement: Judgement; event: Event; line: string }[]> {
  const entries = [];
  for (const { value } of await records('judged')) {
    const reader = new FrameReader(value, 'judged');
    for (let i = 0; i < reader.entries; i += 1) {
      const judgement = JSON.parse(reader.nextText()) as Judgement;
      entries.push({ judgement, event: JSON.parse(reader.nextText()) as Event, line: reader.nextText() });
    }
  }
  return entries;
}

/** Values JSON can hold and JavaScript cannot, and the other way round. */
const ODD_LINES = [
  '{"output_fields":{"proc.tty":1e999,"proc.pid":-0,"user.uid":18446744073709551615,"proc.cmdline":"\\ud800 \\u0000"},',
  '{"output_fields":{"__proto__":{"a":1},"constructor":1,"proc.tty":"34816","fd.lport":65536.5,"container.id":"","container.start_ts":1e999},',
].map((head, at) => Buffer.from(`${head}"rule":"odd ${at}","priority":"Notice","time":"2026-01-05T00:00:0${at}Z"}`));

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);

it('passes a heartbeat on as such, and no line of a sensor that says it is one', async () => {
  const forged = { ...JSON.parse(FALCO_LINES.alphabetical), heartbeat: true, origin: 'heartbeat' };
  await post([Buffer.from('{}')], { origin: 'heartbeat' });
  await post([Buffer.from(JSON.stringify(forged))]);
  const metrics = await process();
  const entries: [string, boolean][] = [];
  for (const record of await records('judged')) {
    visitJudged(record, ({ judgement, event }) => entries.push([judgement.outcome, event.heartbeat === true]));
  }
  expect(entries).toEqual([
    ['canary', true],
    ['opened', false],
  ]);
  expect(await records('alerts')).toHaveLength(1);
  expect(await outcomes(metrics)).toEqual({ 'judge/canary/heartbeat': 1, 'judge/opened/new_fingerprint': 1 });
});

describe('processor', () => {
  it.each([...falcoFiles()])(
    'gives every line of %s one outcome, and a second reading no new alert',
    async (_n, lines) => {
      await post(lines);
      const first = await outcomes(await process());
      expect(sum(first)).toBe(lines.length);
      const before = { alerts: (await records('alerts')).length, judged: (await judged()).length };
      const events = new Set((await judged()).map(({ event }) => event.event_id)).size;

      await post(lines);
      const second = await outcomes(await process());
      expect(sum(second)).toBe(lines.length);
      expect(second['judge/duplicate/event_id'] ?? 0).toBe(before.judged);
      expect((await records('alerts')).length).toBe(before.alerts);
      expect(new Set((await judged()).map(({ event }) => event.event_id)).size).toBe(events);
    },
  );

  it.each([...falcoFiles(), ['odd values', ODD_LINES] as const])(
    'hands on what readers of the bytes would read: %s',
    async (_n, lines) => {
      await post(lines);
      const counts = await outcomes(await process());
      let compared = 0;
      for (const { value, made } of await records('events')) {
        const reader = new FrameReader(value, 'events');
        for (const event of made as readonly Event[]) {
          expect(JSON.parse(reader.nextText())).toEqual(event);
          reader.skip(1);
          compared += 1;
        }
      }
      for (const { value, made } of await records('judged')) {
        const read: unknown[] = [];
        visitJudged({ value }, (entry) => read.push(entry));
        expect(read).toEqual(made);
        const raws: string[] = [];
        visitJudged({ value }, (_entry, raw) => raws.push(raw.toString()));
        const handed: string[] = [];
        visitJudged({ value, made }, (_entry, raw) => handed.push(raw.toString()));
        expect(handed).toEqual(raws);
      }
      for (const { value, made } of await records('alerts')) {
        const { mac: _, ...read } = JSON.parse(value.toString()) as Record<string, unknown>;
        expect(read).toEqual(made);
      }
      const judged = Object.entries(counts).filter(([name]) => name.startsWith('judge/'));
      expect(compared).toBe(sum(Object.fromEntries(judged)));
    },
  );

  it('keeps the exact line, and refused ones in the dead letter', async () => {
    const line = FALCO_LINES.alphabetical;
    await post([Buffer.from(line), Buffer.from('{"rule":')], { origin: 'http' });
    expect(await outcomes(await process())).toEqual({
      'judge/opened/new_fingerprint': 1,
      'prepare/rejected/not_json': 1,
    });
    expect((await judged()).map((entry) => entry.line)).toEqual([line]);
    const [letter] = (await records('dead-letter')).map(({ value }) => JSON.parse(value.toString()));
    expect(letter).toMatchObject({ reason: 'not_json', bytes: 8, head: Buffer.from('{"rule":').toString('base64') });
    expect(letter.raw_pos).toMatchObject({ partition: 0, offset: 0, index: 1 });
  });

  it('signs alerts', async () => {
    await post([Buffer.from(FALCO_LINES.alphabetical)]);
    await process();
    const alerts = (await records('alerts')).map(({ value }) => value);
    expect(alerts).toHaveLength(1);
    expect(alerts.every((alert) => signer.isSealed(alert))).toBe(true);
    const changed = alerts.map((alert) => Buffer.from(JSON.stringify({ ...JSON.parse(alert.toString()), count: 999 })));
    expect(changed.some((alert) => signer.isSealed(alert))).toBe(false);
  });

  it('sets aside records it cannot read, and goes on', async () => {
    await home.bus.append([
      { topic: 'raw', partition: 0, value: Buffer.from('eyrie/99 raw 1\n{}\n') },
      { topic: 'raw', partition: 0, value: Buffer.from('nonsense') },
    ]);
    await post([Buffer.from(FALCO_LINES.alphabetical)]);
    expect(await outcomes(await process())).toEqual({
      'prepare/dead-lettered/newer_format': 1,
      'prepare/dead-lettered/unreadable': 1,
      'judge/opened/new_fingerprint': 1,
    });
    expect(await records('dead-letter')).toHaveLength(2);
  });

  it('commits between records when short lines end as many long dead letters', async () => {
    for (let record = 0; record < 4; record += 1) await post(new Array(12_000).fill(Buffer.from('{}')));
    expect(await outcomes(await process())).toEqual({ 'prepare/rejected/missing_rule': 48_000 });
    const steps = await home.metrics.read('eyrie_bus_transactions_total');
    expect(steps.find(([{ group }]) => group === 'prepare')?.[1]).toBe(2);
  });

  it('gives an oversize line its whole length and hash', async () => {
    const sha256 = 'ab'.repeat(32);
    await post([Buffer.from('{}'), Buffer.from('x'.repeat(100))], {
      oversize: [{ index: 1, bytes: 5_000_000, sha256 }],
    });
    const counts = await outcomes(await process());
    expect(counts).toEqual({ 'prepare/rejected/missing_rule': 1, 'prepare/rejected/line_too_long': 1 });
    const letters = (await records('dead-letter')).map(({ value }) => JSON.parse(value.toString()));
    expect(letters[1]).toMatchObject({ reason: 'line_too_long', bytes: 5_000_000, sha256 });
  });

  it('refuses commands without the mac of this installation', async () => {
    const command = {
      v: 1,
      kind: 'verdict',
      id: 'x',
      tenant: 't1',
      alert_id: 'a',
      routing_key: '00',
      status: 'dismissed',
      by: 'm',
      at: 1,
    };
    await home.bus.append([
      { topic: 'commands', partition: 0, value: Buffer.from(JSON.stringify({ ...command, mac: 'AAAA' })) },
      { topic: 'commands', partition: 0, value: signer.seal(command) },
      { topic: 'commands', partition: 0, value: Buffer.from('null') },
    ]);
    await process();
    const letters = (await records('dead-letter')).map(({ value }) => JSON.parse(value.toString()));
    expect(letters.map(({ reason }) => reason)).toEqual(['bad_signature', 'unknown_alert', 'unreadable']);
    // A frame of events at the same offset would have another place.
    expect(letters[0].raw_pos.log).toMatch(/\/commands$/);
  });

  it('sets aside what only looks like an event, whatever is wrong with it, and goes on', async () => {
    await post([Buffer.from(FALCO_LINES.null_metadata)]);
    await process();
    const [frame] = await records('events');
    const reader = new FrameReader(frame?.value ?? Buffer.alloc(0), 'events');
    const [event, line] = [JSON.parse(reader.nextText()) as Record<string, unknown>, reader.nextText()];
    const wrong = [null, 1, 'x', [], {}, true];
    const spoiled = Object.keys({ ...event, tags: [], process_id: 1, heartbeat: true }).flatMap((field) =>
      wrong.map((value) => ({ ...event, [field]: value })),
    );
    // Of some fields one of these is a value they may have.
    const shapes: readonly unknown[] = [...wrong, ...spoiled].filter((shape) => !isEvent(shape));
    expect(shapes.length).toBeGreaterThan(100);
    const writer = new FrameWriter('events');
    for (const shape of shapes) writer.add(JSON.stringify(shape), line);
    writer.add(JSON.stringify(event), line);
    await home.bus.append([{ topic: 'events', partition: 0, value: writer.finish() }]);
    expect(await outcomes(await process())).toEqual({
      'judge/dead-lettered/unreadable': shapes.length,
      'judge/duplicate/raw_position': 1,
    });
  });

  it('sets aside frames of a gateway that is none, and goes on', async () => {
    const metas = [null, {}, { ...meta, received_at: 1, lines: -1 }, { ...meta, received_at: 1, lines: 1e9 }];
    for (const one of metas) {
      const writer = new FrameWriter('raw');
      writer.add(JSON.stringify(one));
      await home.bus.append([{ topic: 'raw', partition: 0, value: writer.finish() }]);
    }
    await post([Buffer.from(FALCO_LINES.null_metadata)]);
    const counts = await outcomes(await process());
    expect(counts['prepare/dead-lettered/unreadable']).toBe(metas.length);
    expect(counts['judge/opened/new_fingerprint']).toBe(1);
    const letters = (await records('dead-letter')).map(({ value }) => JSON.parse(value.toString()));
    expect(letters.map(({ raw_pos }) => raw_pos.offset)).toEqual([0, 1, 2, 3]);
  });

  it('sets aside an entry it cannot read, and judges its neighbours', async () => {
    await post([Buffer.from(FALCO_LINES.null_metadata)]);
    await process();
    const [frame] = await records('events');
    const reader = new FrameReader(frame?.value ?? Buffer.alloc(0), 'events');
    const [event, line] = [reader.nextText(), reader.nextText()];
    const writer = new FrameWriter('events');
    writer.add('{"v":1,', line);
    writer.add(JSON.stringify({ ...JSON.parse(event), v: 99 }), line);
    writer.add(event, line);
    const whole = writer.finish();
    const cut = Buffer.from(whole.toString('latin1').replace('events 3', 'events 5'), 'latin1');
    await home.bus.append([{ topic: 'events', partition: 0, value: cut }]);
    expect(await outcomes(await process())).toEqual({
      'judge/dead-lettered/unreadable': 3,
      'judge/dead-lettered/newer_format': 1,
      'judge/duplicate/raw_position': 1,
    });
    const letters = (await records('dead-letter')).map(({ value }) => JSON.parse(value.toString()));
    expect(letters.map(({ reason, raw_pos }) => [reason, raw_pos.index])).toEqual([
      ['unreadable', 0],
      ['newer_format', 1],
      ['unreadable', 3],
    ]);
  });

  it.each([
    ['a/alert', '{"f":99,"record":{}}'],
    ['seen/0', '\u0063 more'],
    ['history/t1/rule', '{"f":99,"key":"k","row":{}}'],
  ])('refuses state of a newer version by name: %s', async (key, value) => {
    const group = { group: 'judge', inputs: ['events', 'commands'], state: 'alert-state' } as const;
    await home.bus.join(group, async (assigned) => {
      if (assigned.partition === 0) await assigned.transact({ positions: [], state: [[key, Buffer.from(value)]] });
    }).done;
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const deps = {
      bus: home.bus,
      log: createLogger({ name: 'test', level: 'error', pretty: false, destination }),
      metrics: createMetrics(),
      clock: systemClock,
      onFailure: () => undefined,
    };
    const documents = createDocuments({ ...deps, signer });
    const judge = createJudge({ ...deps, documents, signer });
    await judge.start();
    await expect.poll(() => lines.length).toBeGreaterThan(0);
    await judge.stop();
    await documents.stop();
    expect(JSON.parse(lines[0] ?? '').err).toMatchObject({
      code: 'EYRIE_DATA_DIR_NEWER',
      message: expect.stringMatching(/99, newer than .*Run the version that wrote it/),
    });
  });

  it('loses and doubles nothing when steps fail', async () => {
    const lines = [...falcoFiles()].flatMap(([, all]) => all);
    for (let i = 0; i < lines.length; i += 40) await post(lines.slice(i, i + 40));
    // Every second step of each role fails before it is committed.
    const counts = await outcomes(await process(failing(home.bus, 2)));
    expect(sum(counts)).toBe(lines.length);
    const ids = (await judged())
      .filter(({ judgement }) => judgement.outcome !== 'duplicate')
      .map(({ event }) => event.event_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(3);
  });

  it('amends an alert when the inventory speaks late', async () => {
    const [line] = [FALCO_LINES.null_metadata];
    await post([Buffer.from(line)]);
    await process();
    const snapshot = {
      v: 1,
      tenant: 't1',
      cluster: 'c1',
      uid: 'u1',
      namespace: 'shop',
      pod: 'cart-1',
      node: 'node-1',
      owner: { kind: 'Deployment', name: 'cart' },
      containers: [{ name: 'cart', id: '3f2a91c07be4'.padEnd(64, '0'), image: 'registry.example/shop/cart' }],
      observed_at: Date.now(),
    };
    await home.bus.append([
      { topic: 'workloads', partition: 0, key: 't1/c1/u1', value: Buffer.from(JSON.stringify(snapshot)) },
    ]);
    const metrics = createMetrics();
    const deps = { bus: home.bus, log, metrics, clock: systemClock, onFailure: (error: unknown) => log.fatal(error) };
    const documents = createDocuments({ ...deps, signer });
    const judge = createJudge({ ...deps, documents, signer });
    await judge.start();
    const end = Date.now() + 10_000;
    const latest = async () => JSON.parse((await records('alerts')).at(-1)?.value.toString() ?? '{}');
    while ((await latest()).identity?.workload === undefined && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await judge.stop();
    await documents.stop();
    expect(await latest()).toMatchObject({
      change: 'amended',
      identity: { workload: 'cart', pod_uid: 'u1' },
      count: 1,
    });
  });
});

/** The bus, but each n-th step of a run throws instead of being committed. */
function failing(bus: Bus, n: number): Bus {
  let steps = 0;
  return new Proxy(bus, {
    get(target, name) {
      if (name !== 'join') {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      const join: Bus['join'] = (spec, run) =>
        target.join(spec, (assigned, signal) => {
          const flaky = new Proxy(assigned, {
            get(inner, key) {
              const value: unknown = Reflect.get(inner, key);
              if (key !== 'transact') return typeof value === 'function' ? value.bind(inner) : value;
              return async (step: Parameters<typeof inner.transact>[0]) => {
                steps += 1;
                if (steps % n === 0) throw new Error('the step failed');
                return inner.transact(step);
              };
            },
          });
          return run(flaky, signal);
        });
      return join;
    },
  });
}
