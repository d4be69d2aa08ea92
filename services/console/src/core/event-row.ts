import { type Event, IDENTITY_FIELDS, type Identity, type Judgement, type Nanos, parseNanos } from '@eyrie/schemas';

/** A row of `eyrie.events`: times as ISO 8601, absent text as '', absent numbers as null. */
export type EventRow = Readonly<Record<string, unknown>> & {
  readonly event_id: string;
  readonly cluster: string;
  readonly alert_id: string;
  readonly time: string;
  readonly raw_log: string;
  readonly raw_partition: number;
  readonly raw_offset: number;
  readonly raw_index: number;
};

const FLAGS = ['privileged', 'clamped'];

/** Columns that hold something: absent text is '' in a row, absent numbers are null. */
export function withoutAbsent(row: object): Record<string, unknown> {
  const isHeld = (value: unknown) =>
    value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(row).filter(([, value]) => isHeld(value)));
}

/** The row without what is absent, its raw position as one value. */
export function factsOfRow(row: EventRow): Readonly<Record<string, unknown>> {
  const { raw_log: log, raw_partition: partition, raw_offset: offset, raw_index: index, ...columns } = row;
  const facts = withoutAbsent(columns);
  for (const name of FLAGS) if (facts[name] !== undefined) facts[name] = facts[name] === 1 || facts[name] === true;
  if (facts['clamped'] === false) delete facts['clamped'];
  return { ...facts, raw_pos: { log, partition, offset, index } };
}

/** What the judge saw, taken back from the row: the event, whom it was joined to, and how it ended. */
export function judgedOfRow(row: EventRow): { event: Event; identity: Identity; judgement: Judgement } {
  const { raw: _, ...facts } = factsOfRow(row);
  const identity: Record<string, unknown> = {};
  for (const name of IDENTITY_FIELDS) if (facts[name] !== undefined) identity[name] = facts[name];
  const ms = (name: string) => ({ [name]: Date.parse(String(facts[name])) });
  // Columns are named like the fields of Event and Judgement.
  const event = {
    ...facts,
    v: 1,
    time: parseNanos(row.time) ?? ('' as Nanos),
    ...ms('received_at'),
    ...(facts['container_started_at'] === undefined ? {} : ms('container_started_at')),
  };
  return {
    event: event as unknown as Event,
    identity: identity as Identity,
    judgement: { ...facts, v: 1, ...ms('judged_at') } as unknown as Judgement,
  };
}
