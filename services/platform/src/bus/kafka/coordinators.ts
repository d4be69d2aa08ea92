import type { Clock } from '../../clock.ts';
import { retry } from '../../retry.ts';
import { asAppError, errorType } from './errors.ts';
import type { Broker, Cluster } from './internals.ts';
import type { Needs } from './refusals.ts';
import { refresh } from './sequenced-writer.ts';

/** Kafka's numbers of the two kinds. */
const TYPES = { group: 0, transaction: 1 } as const;
/** The step before is being ended by the coordinator: its markers take some milliseconds. */
const ENDING = 'CONCURRENT_TRANSACTIONS';
/** From such milliseconds to a coordinator that is gone, and has a successor after some seconds. */
const RETRY = { initialMs: 4, maximumMs: 200, deadlineMs: 30_000 } as const;

/** Asks coordinators of groups and transactions, and finds them anew where they have moved. */
export class Coordinators {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #known = new Map<string, Broker>();

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /**
   * What may be asked twice.
   * @throws AppError EYRIE_FENCED, EYRIE_CONFIG_INVALID; EYRIE_BUS_UNAVAILABLE when there is no answer for half a minute
   */
  async ask<T>(
    type: keyof typeof TYPES,
    id: string,
    needs: Needs,
    request: (coordinator: Broker) => Promise<T>,
  ): Promise<T> {
    let hasMoved = false;
    return retry(this.#clock, { ...RETRY, random: Math.random }, async () => {
      try {
        if (hasMoved) await refresh(this.#cluster);
        return await request(await this.#find(type, id));
      } catch (error) {
        hasMoved = errorType(error) !== ENDING;
        if (hasMoved) this.#known.delete(`${type}/${id}`);
        throw asAppError(error, needs);
      }
    });
  }

  /** The coordinator known, if one is. */
  async askOnce<T>(
    type: keyof typeof TYPES,
    id: string,
    request: (coordinator: Broker) => Promise<T>,
  ): Promise<T | undefined> {
    const known = this.#known.get(`${type}/${id}`);
    return known === undefined ? undefined : request(known);
  }

  async #find(type: keyof typeof TYPES, id: string): Promise<Broker> {
    const known = this.#known.get(`${type}/${id}`);
    if (known !== undefined) return known;
    const found = await this.#cluster.findGroupCoordinator({ groupId: id, coordinatorType: TYPES[type] });
    this.#known.set(`${type}/${id}`, found);
    return found;
  }
}
