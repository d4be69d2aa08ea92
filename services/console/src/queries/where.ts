import { parseNanos, type TenantId } from '@eyrie/schemas';

/** Times as ISO 8601 with nine digits, whole numbers as numbers: what the API gives. */
export const FORMAT = "SETTINGS date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0";

/**
 * Conditions of one query. The tenant is the first and cannot be left out; values are bound, never written into the SQL.
 */
export class Where {
  readonly #conditions: string[];
  readonly params: Record<string, unknown>;

  constructor(tenant: TenantId) {
    this.#conditions = ['tenant = {tenant:String}'];
    this.params = { tenant };
  }

  /** With what belongs to no tenant: a record nobody could read does not say whose it is. */
  orNobodys(): this {
    this.#conditions[0] = "tenant IN ({tenant:String}, '')";
    return this;
  }

  /** The column equals the value, where one was asked for. Column names are ours. */
  equals(column: string, value: string | undefined): this {
    return value === undefined ? this : this.add(`${column} = {${column}:String}`, { [column]: value });
  }

  /** The time lies in [from, to), as far as they were asked for. ISO 8601. */
  between(column: string, from: string | undefined, to: string | undefined): this {
    if (from !== undefined) this.add(`${column} >= ${moment('from')}`, { from: parseNanos(from) });
    if (to !== undefined) this.add(`${column} < ${moment('to')}`, { to: parseNanos(to) });
    return this;
  }

  /** Not before a moment, ISO 8601, where one was asked for. */
  since(column: string, from: string | undefined): this {
    const param = `since_${column}`;
    return from === undefined ? this : this.add(`${column} >= ${moment(param)}`, { [param]: parseNanos(from) });
  }

  /** Comes after the last entry of the page before, newest first. Time in nanoseconds. */
  after(column: string, id: string, key: { readonly time: string; readonly id: string } | undefined): this {
    if (key === undefined) return this;
    const isEarlier = `${column} < ${moment('after')}`;
    const isTied = `${column} = ${moment('after')} AND ${id} < {after_id:String}`;
    return this.add(`(${isEarlier} OR (${isTied}))`, { after: key.time, after_id: key.id });
  }

  add(condition: string, params: Readonly<Record<string, unknown>>): this {
    this.#conditions.push(condition);
    Object.assign(this.params, params);
    return this;
  }

  toString(): string {
    return this.#conditions.join(' AND ');
  }
}

/** A bound moment given in nanoseconds. */
function moment(name: string): string {
  return `fromUnixTimestamp64Nano({${name}:Int64}, 'UTC')`;
}
