import type { Event, Fingerprint, Identity } from '@eyrie/schemas';
import { Generations } from '../generations.ts';
import { Words } from '../words.ts';
import { fingerprintOf, type Placed } from './placing.ts';
import type { Handle } from './state.ts';
import type { Subject } from './types.ts';

/** Where the events of one container belong, and what that holds for. */
interface Place {
  readonly subject: Subject;
  readonly version: number;
  readonly known: Identity | undefined;
  readonly placed: Placed;
  /** Up to here in the changes of what events told, `known` is what they tell. */
  epoch: number;
}

/** What one detection does in one container: all that finding its alerts takes. */
export interface Spot {
  readonly place: Place;
  readonly print: Fingerprint;
  /** The state's list of the fingerprint; an empty one is no longer the state's. */
  handles: readonly Handle[];
}

/** What events told of their containers, and how often that has changed. */
export interface Told {
  readonly known: ReadonlyMap<string, Identity>;
  readonly knownEpoch: number;
}

const PLACES_MAX = 16_384;
const SPOTS_MAX = 65_536;
const NO_HANDLES: readonly Handle[] = [];

/**
 * Places found before: most events come from a container that told all it knows long ago. Changes speed, never a
 * result: a place holds for the same names in the event, the same inventory, and the same word of other events.
 */
export class Places {
  readonly #words = new Words();
  readonly #places = new Generations<Place>(PLACES_MAX);
  readonly #spots = new Generations<Spot>(SPOTS_MAX);

  find(event: Event, version: number, told: Told): Spot | undefined {
    const id = event.container_id;
    if (id === undefined) return undefined;
    const key = id + event.routing_key;
    const spot = this.#spots.get(key);
    if (spot !== undefined && holds(spot.place, event, version, told)) return spot;
    const place = this.#places.get(id);
    if (place === undefined || !holds(place, event, version, told)) return undefined;
    const fresh = { place, print: fingerprintOf(event.routing_key, place.placed.key), handles: NO_HANDLES };
    this.#spots.set(key, fresh);
    return fresh;
  }

  remember(subject: Subject, version: number, told: Told, placed: Placed): void {
    const { tenant, cluster, time, host, container_id, container, image, namespace, pod, pod_uid } = subject;
    if (container_id === undefined || placed.entity === undefined) return;
    const words = this.#words;
    const names = {
      tenant: words.of(tenant),
      cluster: words.of(cluster),
      time,
      host: words.of(host),
      container_id,
      container: words.of(container),
      image: words.of(image),
      namespace: words.of(namespace),
      pod,
      pod_uid,
    } as Subject;
    const known = told.known.get(placed.entity);
    this.#places.set(container_id, { subject: names, version, known, placed, epoch: told.knownEpoch });
  }
}

function holds(place: Place, event: Event, version: number, { known, knownEpoch }: Told): boolean {
  if (place.version !== version || !isSame(place.subject, event)) return false;
  if (place.epoch === knownEpoch) return true;
  if (known.get(place.placed.entity ?? '') !== place.known) return false;
  place.epoch = knownEpoch;
  return true;
}

/** All names but the time, which a steady place does not hang on. */
function isSame(one: Subject, other: Subject): boolean {
  return (
    one.tenant === other.tenant &&
    one.cluster === other.cluster &&
    one.host === other.host &&
    one.container === other.container &&
    one.image === other.image &&
    one.namespace === other.namespace &&
    one.pod === other.pod &&
    one.pod_uid === other.pod_uid
  );
}
