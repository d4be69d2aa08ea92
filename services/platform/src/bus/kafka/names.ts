import { TOPIC_NAMES, type TopicName } from '@eyrie/schemas';

/** The group whose committed offsets hold the identities of the logs; nobody joins it. */
export const IDENTITIES = 'log-identity';

/** Our names on a cluster that others use too: everything starts with one prefix. */
export class Names {
  readonly #prefix: string;
  readonly #topics: ReadonlyMap<string, TopicName>;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#topics = new Map(TOPIC_NAMES.map((name) => [this.topic(name), name]));
  }

  topic(name: TopicName): string {
    return `${this.#prefix}${name}`;
  }

  group(name: string): string {
    return `${this.#prefix}${name}`;
  }

  /** One writer at a time for a partition number of a group: the id its fence hangs on. */
  transactionalId(group: string, partition: number): string {
    return `${this.#prefix}${group}-${partition}`;
  }

  /** Undefined for what is not ours. */
  topicOf(kafkaName: string): TopicName | undefined {
    return this.#topics.get(kafkaName);
  }

  groupOf(kafkaName: string): string | undefined {
    const isOurs = kafkaName.startsWith(this.#prefix) && kafkaName !== this.group(IDENTITIES);
    return isOurs ? kafkaName.slice(this.#prefix.length) : undefined;
  }
}
