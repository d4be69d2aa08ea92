import type { TopicName } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { Flow, type Reader } from './flow.ts';
import { Notifier } from './notifier.ts';

const TOPIC: TopicName = 'events';
const FAR = 64 * 1024 * 1024;

function createReader(): Reader & { at: number; left: number } {
  return { at: 0, left: FAR, next: (): number => 0, unread: (): number => 0 };
}

function setUp() {
  const flow = new Flow(new Notifier(systemClock));
  const reader = createReader();
  reader.next = () => reader.at;
  reader.unread = () => reader.left;
  flow.add(reader, TOPIC, 0);
  const timed = async () => {
    const start = performance.now();
    await flow.hold([[TOPIC, 0]]);
    return performance.now() - start;
  };
  const move = (left: number) => {
    reader.at += 1;
    reader.left = left;
    flow.moved(TOPIC, 0);
  };
  return { flow, reader, timed, move };
}

describe('flow', () => {
  it('holds nobody whose readers keep up, or who has none', async () => {
    const { flow, reader, timed } = setUp();
    reader.left = 1_000;
    expect(await timed()).toBeLessThan(20);
    reader.left = FAR;
    flow.remove(reader, TOPIC, 0);
    expect(await timed()).toBeLessThan(20);
  });

  it('goes on the moment the reader has caught up', async () => {
    const { timed, move } = setUp();
    setTimeout(() => move(FAR - 1), 30);
    setTimeout(() => move(0), 100);
    const waited = await timed();
    expect(waited).toBeGreaterThan(80);
    expect(waited).toBeLessThan(190);
  });

  it('does not wait for a reader that stands still, even when another moves', async () => {
    const { flow, timed } = setUp();
    const other = createReader();
    flow.add(other, TOPIC, 0);
    const moving = setInterval(() => flow.moved(TOPIC, 0), 10);
    const waited = await timed();
    clearInterval(moving);
    expect(waited).toBeGreaterThan(180);
    expect(waited).toBeLessThan(450);
  });

  it('waits for a slow reader half a second at most', async () => {
    const { timed, move } = setUp();
    const moving = setInterval(() => move(FAR), 20);
    const waited = await timed();
    clearInterval(moving);
    expect(waited).toBeGreaterThan(450);
    expect(waited).toBeLessThan(900);
  });

  it('ends with its signal', async () => {
    const { flow } = setUp();
    const start = performance.now();
    await flow.hold([[TOPIC, 0]], AbortSignal.timeout(30));
    expect(performance.now() - start).toBeLessThan(150);
  });
});
