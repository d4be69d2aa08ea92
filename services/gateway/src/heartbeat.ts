import type { Bus } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { Logger } from '@eyrie/platform/log';
import { type ClusterId, encodeRawFrame, type TenantId } from '@eyrie/schemas';

interface Dependencies {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whose heartbeats they are. */
  readonly operator: TenantId;
}

/** What stands in the place of a sensor's line. */
const LINE = Buffer.from('{"rule":"Eyrie heartbeat"}\n');

/** Raises a heartbeat each interval, in one raw partition after the other: the path is measured also while nothing else comes. */
export function raiseHeartbeats({ bus, clock, log, operator }: Dependencies, everyMs: number): () => void {
  let partition = 0;
  let isUnderWay = false;

  async function raise(): Promise<void> {
    if (isUnderWay) return;
    isUnderWay = true;
    try {
      const meta = { tenant: operator, cluster: 'eyrie' as ClusterId, received_at: clock.now(), lines: 1 } as const;
      const value = encodeRawFrame([{ meta: { ...meta, origin: 'heartbeat' }, block: LINE }]);
      await bus.append([{ topic: 'raw', partition, value }]);
      partition = (partition + 1) % bus.partitions('raw');
    } catch (error) {
      log.debug({ err: error }, 'a heartbeat could not be written');
    } finally {
      isUnderWay = false;
    }
  }

  const timer = setInterval(() => void raise(), everyMs).unref();
  return () => clearInterval(timer);
}
