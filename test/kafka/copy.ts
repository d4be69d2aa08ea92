import type { Bus, GroupSpec, Membership } from '@eyrie/platform/bus/bus';

export const COPY_GROUP: GroupSpec = { group: 'copy', inputs: ['events', 'commands'], state: 'alert-state' };

/** Copies events into alerts, one step a poll, and counts them in state: what a fence must keep exact. */
export function copy(bus: Bus, onCopied: (count: number, partition: number) => void): Membership {
  return bus.join(COPY_GROUP, async (assigned, signal) => {
    const { partition } = assigned;
    let count = 0;
    for await (const [, value] of assigned.restore()) count = Number(value);
    while (!signal.aborted) {
      const records = await assigned.poll({ maxBytes: 20, maxWaitMs: 500 });
      const last = records.at(-1);
      if (last === undefined) continue;
      count += records.length;
      await assigned.transact({
        positions: [{ topic: 'events', next: last.offset + 1 }],
        state: [['count', Buffer.from(String(count))]],
        outputs: records.map(({ value }) => ({ topic: 'alerts', partition, value })),
      });
      onCopied(count, partition);
    }
  });
}
