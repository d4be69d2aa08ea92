import type { ActionRecord, Alert } from '@eyrie/schemas';
import type { Pipeline } from './pipeline.ts';

/** Where the alerts of a run begin, by partition. */
export async function ends(pipeline: Pipeline): Promise<number[]> {
  const offsets = [];
  for (let partition = 0; partition < pipeline.bus.partitions('alerts'); partition += 1) {
    offsets.push((await pipeline.bus.bounds('alerts', partition)).end);
  }
  return offsets;
}

/** Alerts written since: the ids opened, and the latest version of each. */
export async function alertsSince(
  pipeline: Pipeline,
  from: readonly number[],
): Promise<{ opened: Set<string>; latest: Map<string, Alert> }> {
  const opened = new Set<string>();
  const latest = new Map<string, Alert>();
  for (let partition = 0; partition < from.length; partition += 1) {
    for (let offset = from[partition] ?? 0; ; ) {
      const records = await pipeline.bus.read('alerts', partition, offset);
      if (records.length === 0) break;
      for (const record of records) {
        const alert = JSON.parse(record.value.toString()) as Alert;
        if (alert.change === 'opened') opened.add(alert.alert_id);
        latest.set(alert.alert_id, alert);
        offset = record.offset + 1;
      }
    }
  }
  return { opened, latest };
}

/** The ledger from its beginning: rules on trial have a directory of their own. */
export async function actionsOf({ bus }: Pipeline): Promise<ActionRecord[]> {
  const found: ActionRecord[] = [];
  for (let partition = 0; partition < bus.partitions('actions'); partition += 1) {
    for (let offset = 0; ; ) {
      const records = await bus.read('actions', partition, offset);
      const last = records.at(-1);
      if (last === undefined) break;
      offset = last.offset + 1;
      for (const { value } of records) found.push(JSON.parse(value.toString()) as ActionRecord);
    }
  }
  return found;
}
