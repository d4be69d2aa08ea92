import { parseNanos } from '@eyrie/schemas';
import { WorkloadInput } from '@eyrie/schemas/api';
import { describe, expect, it } from 'vitest';
import { createSimulator } from './simulator.ts';

const startMs = Date.UTC(2026, 4, 4, 10);
const MINUTE = 60_000;

const take = (seed: number, steps: readonly number[]) => {
  const simulator = createSimulator({ seed, startMs });
  return steps.flatMap((minutes) => simulator.next(startMs + minutes * MINUTE));
};

describe('the simulated cluster', () => {
  it('repeats itself from its seed, and differs with another', () => {
    expect(take(1, [10])).toEqual(take(1, [10]));
    expect(take(1, [10])).not.toEqual(take(2, [10]));
  });

  it('goes on where it stopped, in the order of time', () => {
    const lines = take(1, [1, 2, 5, 5, 10]);
    const times = lines.map((line) => (JSON.parse(line) as { time: string }).time);
    expect([...times].sort()).toEqual(times);
    expect(lines.length).toBeGreaterThan(200);
    expect(lines.length).toBeLessThan(1_000);
  });

  it('speaks as Falco does: keys sorted, nanoseconds whole, metadata sometimes null', () => {
    const lines = take(1, [20]);
    for (const line of lines) {
      const event = JSON.parse(line) as { time: string; output_fields: Record<string, unknown> };
      expect(Object.keys(event)).toEqual([...Object.keys(event)].sort());
      expect(Object.keys(event.output_fields)).toEqual([...Object.keys(event.output_fields)].sort());
      expect(/"evt\.time\.iso8601":(\d+)/.exec(line)?.[1]).toBe(parseNanos(event.time));
    }
    expect(lines.some((line) => line.includes('"container.name":null'))).toBe(true);
  });

  it('has pods an inventory would report, one for each container that speaks', () => {
    const pods = createSimulator({ seed: 1, startMs }).workloads();
    for (const pod of pods) expect(WorkloadInput.safeParse(pod).error).toBeUndefined();
    const ids = new Set(pods.map(({ containers }) => containers[0]?.id?.slice(0, 12)));
    for (const line of take(1, [20])) {
      const { 'container.id': id } = (JSON.parse(line) as { output_fields: Record<string, string> }).output_fields;
      if (id !== 'host') expect(ids.has(id)).toBe(true);
    }
  });

  it('shows noise, attacks and proof of life of every node within ten minutes', () => {
    const events = take(1, [10]).map(
      (line) => JSON.parse(line) as { rule: string; priority: string; hostname: string },
    );
    expect(new Set(events.map(({ rule }) => rule)).size).toBe(11);
    const beats = events.filter(({ rule }) => rule === 'Eyrie heartbeat');
    expect(new Set(beats.map(({ hostname }) => hostname)).size).toBe(3);
    expect(beats).toHaveLength(3 * 21);
  });
});
