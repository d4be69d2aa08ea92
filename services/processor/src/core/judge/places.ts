import type { Event, Fingerprint, Identity, RoutingKey } from '@eyrie/schemas';
import { Generations } from '../generations.ts';
import { Words } from '../words.ts';
import type { Handle } from './handle.ts';
import { fingerprintOf, type Placed } from './placing.ts';
import type { JudgeState } from './state.ts';
import { targetKey } from './targets.ts';
import type { Subject } from './types.ts';

/** Where the events of one container belong, and what that holds for. */
interface Place {
  readonly subject: Subject;
  readonly version: number;
  readonly known: Identity | undefined;
  readonly placed: Placed;
  /** Key of the target its events are. */
  readonly target: string;
  /** By routing key. */
  readonly spots: Map<string, Spot>;
  /** Up to here in the changes of what events told, `known` is what they tell. */
  epoch: number;
}

/** What one detection does in one container: all that finding its alerts takes. */
export interface Spot {
  readonly place: Place;
  readonly print: Fingerprint;
  /** The state's list of the fingerprint; an empty one is no longer the state's. */
  handles: readonly Handle[];
  /** Where the target stood in the alert last looked at. */
  target: number;
  /** Labels an alert was found to hold. */
  told: Told | undefined;
}

interface Told {
  readonly handle: Handle;
  readonly tags: Event['tags'] | undefined;
  readonly tactics: Event['tactics'] | undefined;
  readonly techniques: Event['techniques'] | undefined;
}

/** What events told of their containers, and how often that has changed. */
export interface Known {
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
  #places = new Generations<Place>(PLACES_MAX);
  #spots = 0;

  find(event: Event, version: number, told: Known): Spot | undefined {
    const id = event.container_id;
    if (id === undefined) return undefined;
    const place = this.#places.get(id);
    if (place === undefined || !holds(place, event, version, told)) return undefined;
    return place.spots.get(event.routing_key) ?? this.#spotIn(place, event.routing_key);
  }

  /** Forgets all when full: whoever makes so many has opened an alert with each, which costs far more. */
  #spotIn(place: Place, key: RoutingKey): Spot {
    const print = fingerprintOf(key, place.placed.key);
    const spot = { place, print, handles: NO_HANDLES, target: 0, told: undefined };
    if (this.#spots >= SPOTS_MAX) {
      this.#places = new Generations(PLACES_MAX);
      this.#spots = 0;
      return spot;
    }
    this.#spots += 1;
    place.spots.set(key, spot);
    return spot;
  }

  remember(subject: Subject, version: number, told: Known, placed: Placed): void {
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
    this.#places.set(container_id, {
      subject: names,
      version,
      known,
      placed,
      target: targetKey(names, placed.identity),
      spots: new Map(),
      epoch: told.knownEpoch,
    });
  }
}

/** The state's list of the spot's fingerprint. */
export function handlesAt(spot: Spot, { byFingerprint }: JudgeState): readonly Handle[] {
  if (spot.handles.length === 0) spot.handles = byFingerprint.get(spot.print) ?? NO_HANDLES;
  return spot.handles;
}

function holds(place: Place, event: Event, version: number, { known, knownEpoch }: Known): boolean {
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
