import type { Event, Fingerprint, Identity, RoutingKey } from '@eyrie/schemas';
import { Words } from '../words.ts';
import { fingerprintOf, type Placed } from './placing.ts';
import type { Subject } from './types.ts';

/** Where the events of one container belong, and what that holds for. */
interface Place {
  readonly subject: Subject;
  readonly version: number;
  readonly known: Identity | undefined;
  readonly placed: Placed;
  readonly prints: Map<RoutingKey, Fingerprint>;
}

const PLACES_MAX = 16_384;
const PRINTS_MAX = 256;

/**
 * Places found before: most events come from a container that told all it knows long ago. Changes speed, never a
 * result: a place holds for the same names in the event, the same inventory, and the same word of other events.
 */
export class Places {
  readonly #words = new Words();
  #young = new Map<string, Place>();
  #old = new Map<string, Place>();

  find(event: Event, version: number, known: ReadonlyMap<string, Identity>): Place | undefined {
    const id = event.container_id;
    if (id === undefined) return undefined;
    const young = this.#young.get(id);
    const place = young ?? this.#old.get(id);
    if (place === undefined || place.version !== version || !isSame(place.subject, event)) return undefined;
    if (place.placed.entity === undefined || known.get(place.placed.entity) !== place.known) return undefined;
    if (young === undefined) this.#keep(id, place);
    return place;
  }

  remember(subject: Subject, version: number, known: Identity | undefined, placed: Placed): void {
    const { tenant, cluster, time, host, container_id, container, image, namespace, pod, pod_uid } = subject;
    if (container_id === undefined) return;
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
    this.#keep(container_id, { subject: names, version, known, placed, prints: new Map() });
  }

  #keep(id: string, place: Place): void {
    if (this.#young.size >= PLACES_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(id, place);
  }
}

export function printOf({ prints, placed }: Place, routingKey: RoutingKey): Fingerprint {
  const held = prints.get(routingKey);
  if (held !== undefined) return held;
  if (prints.size >= PRINTS_MAX) prints.clear();
  const print = fingerprintOf(routingKey, placed.key);
  prints.set(routingKey, print);
  return print;
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
