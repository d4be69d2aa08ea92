import type { TopicName } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { Flow, type Reader } from './flow.ts';

const TOPIC: TopicName = 'events';
const FAR = 64 * 1024 * 1024;
/** The waits of `flow.ts`. */
const STILL_MS = 300;
const HOLD_MS = 400;
const QUEUED_HOLD_MS = 1_000;

/** A reader that is far behind. */
function createReader() {
  const reader = { at: 0, left: FAR, next: () => reader.at, unread: () => reader.left };
  return reader satisfies Reader;
}

/** Time that passes only while somebody waits: up to the next thing that happens, or as long as he would wait. */
function setUp() {
  let now = 0;
  let bounds = 0;
  const happenings: { readonly at: number; readonly happen: () => void }[] = [];
  const notifier = {
    notify: () => {},
    wait: async (_: unknown, ms: number) => {
      happenings.sort((a, b) => a.at - b.at);
      const next = happenings[0];
      if (next === undefined || next.at > now + ms) {
        now += ms;
        return;
      }
      now = next.at;
      happenings.shift();
      next.happen();
    },
  };
  const flow = new Flow(
    notifier,
    () => (bounds += 1),
    () => now,
  );
  const reader = createReader();
  flow.add(reader, TOPIC, 0);
  const later = (ms: number, happen: () => void) => happenings.push({ at: now + ms, happen });
  /** Something happens every so often, for two seconds. */
  const every = (ms: number, happen: () => void) => {
    for (let at = ms; at <= 2_000; at += ms) later(at, happen);
  };
  const timed = async (wait: () => Promise<void>) => {
    const start = now;
    await wait();
    return now - start;
  };
  const never = new AbortController().signal;
  const hold = (signal = never) => timed(() => flow.hold([[TOPIC, 0]], signal));
  return {
    flow,
    reader,
    later,
    every,
    hold,
    holdQueued: () => timed(() => flow.holdQueued(TOPIC, 0)),
    bounds: () => bounds,
  };
}

describe('flow', () => {
  it('holds nobody whose readers keep up, or who has none', async () => {
    const { flow, reader, hold, bounds } = setUp();
    reader.left = 1_000;
    expect(await hold()).toBe(0);
    reader.left = FAR;
    flow.remove(reader, TOPIC, 0);
    expect(await hold()).toBe(0);
    expect(bounds()).toBe(0);
  });

  it('goes on the moment the reader has caught up, and not before', async () => {
    const { reader, later, hold, bounds } = setUp();
    later(30, () => Object.assign(reader, { at: 1, left: FAR - 1 }));
    later(90, () => Object.assign(reader, { at: 2, left: 0 }));
    expect(await hold()).toBe(90);
    expect(bounds()).toBe(0);
  });

  it('waits once for a reader that stands still, even when another moves, and again when it has moved', async () => {
    const { flow, reader, every, hold, bounds } = setUp();
    const other = createReader();
    other.left = 0;
    flow.add(other, TOPIC, 0);
    every(10, () => (other.at += 1));
    expect(await hold()).toBe(STILL_MS);
    expect(await hold()).toBe(0);
    reader.at += 1;
    expect(await hold()).toBe(STILL_MS);
    expect(bounds()).toBe(0);
  });

  it('waits for a slow reader up to its bound, and counts that', async () => {
    const { reader, every, hold, bounds } = setUp();
    every(20, () => (reader.at += 1));
    expect(await hold()).toBe(HOLD_MS);
    expect(bounds()).toBe(1);
  });

  it('lets a writer with a queue of its own wait longer', async () => {
    const { reader, every, holdQueued } = setUp();
    every(20, () => (reader.at += 1));
    expect(await holdQueued()).toBe(QUEUED_HOLD_MS);
  });

  it('ends with its signal, and when the reader leaves', async () => {
    const { flow, reader, later, hold, bounds } = setUp();
    const stop = new AbortController();
    later(30, () => stop.abort());
    expect(await hold(stop.signal)).toBe(30);
    later(30, () => flow.remove(reader, TOPIC, 0));
    expect(await hold()).toBe(30);
    expect(bounds()).toBe(0);
  });
});
