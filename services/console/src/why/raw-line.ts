import type { Bus } from '@eyrie/platform/bus/bus';
import { decodeRawFrame, type LineReading, type RawMeta, readLine, type TenantId } from '@eyrie/schemas';

/** A line as the gateway stored it, and how `prepare` reads it. */
export interface RawLine {
  readonly text: string;
  readonly received_at: number;
  readonly cluster: string;
  readonly reading: LineReading;
}

export interface LinePosition {
  readonly partition: number;
  readonly offset: number;
  readonly index: number;
}

/** The tenant's line at a position; undefined where the log no longer holds it, or it is another tenant's. */
export async function readRawLine(bus: Bus, tenant: TenantId, position: LinePosition): Promise<RawLine | undefined> {
  const { partition, offset, index } = position;
  if (partition >= bus.partitions('raw')) return undefined;
  const { start, end } = await bus.bounds('raw', partition);
  if (offset < start || offset >= end) return undefined;
  const [record] = await bus.read('raw', partition, offset, { maxBytes: 1 });
  if (record === undefined || record.offset !== offset) return undefined;
  let first = 0;
  for (const { meta, lines } of decodeRawFrame(record.value)) {
    const line = lines[index - first];
    if (index < first + lines.length && line !== undefined) {
      return meta.tenant === tenant ? rawLine(line, meta) : undefined;
    }
    first += lines.length;
  }
  return undefined;
}

function rawLine(line: Buffer, meta: RawMeta): RawLine {
  return {
    text: line.toString('utf8'),
    received_at: meta.received_at,
    cluster: meta.cluster,
    reading: readLine(line, meta),
  };
}
