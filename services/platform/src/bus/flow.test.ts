import type { TopicName } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { Flow, type Reader } from './flow.ts';
import { Notifier } from './notifier.ts';

const TOPIC: TopicName = 'events';
const ALWAYS = new AbortController().signal;
const FAR = 64 * 1024 * 1024;
/** The two waits of `flow.ts`. */
const STILL_MS = 300;
const HOLD_MS = 400;

function createReader(): Reader & { at: number; left: number } {
  return { at: 0, left: FAR, next: (): number => 0, unread: (): number => 0 };
}

function setUp() {
  let bounds = 0;
  const flow = new Flow(new Notifier(systemClock), () => (bounds += 1));
  const reader = createReader();
  reader.next = () => reader.at;
  reader.unread = () => reader.left;
  flow.add(reader, TOPIC, 0);
  const timed = async () => {
    const start = performance.now();
    await flow.hold([[TOPIC, 0]], ALWAYS);
    return performance.now() - start;
  };
  const move = (left: number) => {
    reader.at += 1;
    reader.left = left;
    flow.moved(TOPIC, 0);
  };
  return { flow, reader, timed, move, bounds: () => bounds };
}

describe('flow', () => {
  it('holds nobody whose readers keep up, or who has none', async () => {
    const { flow, reader, timed, bounds } = setUp();
    reader.left = 1_000;
    expect(await timed()).toBeLessThan(STILL_MS);
    reader.left = FAR;
    flow.remove(reader, TOPIC, 0);
    expect(await timed()).toBeLessThan(STILL_MS);
    expect(bounds()).toBe(0);
  });

  it('goes on the moment the reader has caught up, and not before', async () => {
    const { timed, move, bounds } = setUp();
    let isCaughtUp = false;
    setTimeout(() => move(FAR - 1), 30);
    setTimeout(() => {
      isCaughtUp = true;
      move(0);
    }, 90);
    await timed();
    expect(isCaughtUp).toBe(true);
    expect(bounds()).toBe(0);
  });

  it('waits once for a reader that stands still, even when another moves, and again when it has moved', async () => {
    const { flow, timed, move } = setUp();
    const other = createReader();
    other.next = () => other.at;
    flow.add(other, TOPIC, 0);
    const moving = setInterval(() => {
      other.at += 1;
      flow.moved(TOPIC, 0);
    }, 10);
    expect(await timed()).toBeGreaterThan(STILL_MS - 5);
    expect(await timed()).toBeLessThan(STILL_MS - 5);
    move(FAR);
    expect(await timed()).toBeGreaterThan(STILL_MS - 5);
    clearInterval(moving);
  });

  it('waits for a slow reader up to its bound, and counts that', async () => {
    const { timed, move, bounds } = setUp();
    const moving = setInterval(() => move(FAR), 20);
    expect(await timed()).toBeGreaterThan(HOLD_MS - 5);
    clearInterval(moving);
    expect(bounds()).toBe(1);
  });

  it('lets a writer with a queue of its own wait longer', async () => {
    const { flow, move } = setUp();
    const moving = setInterval(() => move(FAR), 20);
    const start = performance.now();
    await flow.holdQueued(TOPIC, 0);
    clearInterval(moving);
    expect(performance.now() - start).toBeGreaterThan(2 * HOLD_MS);
  });

  it('ends with its signal, and when the reader leaves', async () => {
    const { flow, reader, timed, bounds } = setUp();
    await flow.hold([[TOPIC, 0]], AbortSignal.timeout(30));
    setTimeout(() => flow.remove(reader, TOPIC, 0), 30);
    expect(await timed()).toBeLessThan(STILL_MS - 5);
    expect(bounds()).toBe(0);
  });
});
