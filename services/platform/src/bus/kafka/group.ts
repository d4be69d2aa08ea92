import { assign, type Claim } from './assigner.ts';
import { asAppError, errorType } from './errors.ts';
import { AssignerProtocol, type Broker, type Cluster, type GroupMember } from './internals.ts';

export interface GroupOptions {
  /** Kafka's names. */
  readonly groupId: string;
  readonly principal: string;
  readonly topics: readonly string[];
  /** How many there are; asked before each join. */
  readonly partitions: () => number | Promise<number>;
  /** There are more partitions than at the last join: the group is to be joined anew. */
  readonly hasGrown?: () => boolean;
  readonly sessionTimeoutMs: number;
}

/** What a failed request to the coordinator means for the member. */
export type Setback =
  /** Others come or go: join again, with what is owned. */
  | 'rebalance'
  /** The group has gone on without this member: nothing is owned any more. */
  | 'expelled'
  /** Nobody answered: ask again. */
  | 'unreachable'
  | 'refused';

const PROTOCOL = 'eyrie-sticky-1';
const USER_DATA_VERSION = 1;
const EXPELLED = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);
const REFUSED = /AUTHORIZATION|INCONSISTENT_GROUP_PROTOCOL|INVALID_SESSION_TIMEOUT|INVALID_GROUP_ID|GROUP_MAX_SIZE/;

export function setbackOf(error: unknown): Setback {
  const type = errorType(error);
  if (type === 'REBALANCE_IN_PROGRESS') return 'rebalance';
  if (EXPELLED.has(type)) return 'expelled';
  return REFUSED.test(type) || error instanceof TypeError ? 'refused' : 'unreachable';
}

/** One member of a Kafka group (classic protocol), as far as the coordinator knows it. */
export class Group {
  readonly #cluster: Cluster;
  readonly #options: GroupOptions;
  #coordinator: Broker | undefined;
  #memberId = '';
  #generation = -1;
  #partitions = 0;

  constructor(cluster: Cluster, options: GroupOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /**
   * Joins and waits for the others, a session timeout at most.
   * @returns the partition numbers given to this member
   * @throws AppError; what it means for the member is `setbackOf` it
   */
  async join(owned: readonly number[]): Promise<readonly number[]> {
    const { groupId, principal } = this.#options;
    try {
      return await this.#join(owned);
    } catch (error) {
      throw asAppError(error, { principal, group: ['Read', groupId] });
    }
  }

  async #join(owned: readonly number[]): Promise<readonly number[]> {
    const { groupId, topics, sessionTimeoutMs, partitions } = this.#options;
    this.#partitions = await partitions();
    const coordinator = await this.#find();
    const joined = await coordinator.joinGroup({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      memberId: this.#memberId,
      groupProtocols: [
        {
          name: PROTOCOL,
          metadata: AssignerProtocol.MemberMetadata.encode({
            version: 0,
            topics: [...topics],
            userData: Buffer.from(JSON.stringify({ v: USER_DATA_VERSION, owned })),
          }),
        },
      ],
    });
    this.#memberId = joined.memberId;
    this.#generation = joined.generationId;
    const { memberAssignment } = await coordinator.syncGroup({
      groupId,
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupAssignment: joined.leaderId === joined.memberId ? this.#lead(joined.members) : [],
    });
    const assignment = AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment;
    return assignment?.[topics[0] ?? ''] ?? [];
  }

  /** @throws where the group is to be joined anew: `setbackOf` says why */
  async heartbeat(): Promise<void> {
    if (this.#options.hasGrown?.() === true) {
      throw Object.assign(new Error('partitions were added'), { type: 'REBALANCE_IN_PROGRESS' });
    }
    const coordinator = await this.#find();
    await coordinator.heartbeat({
      groupId: this.#options.groupId,
      groupGenerationId: this.#generation,
      memberId: this.#memberId,
    });
  }

  /** Lets the others go on at once; without it they wait for the session timeout. */
  async leave(): Promise<void> {
    if (this.#memberId === '') return;
    const coordinator = await this.#find();
    await coordinator.leaveGroup({ groupId: this.#options.groupId, memberId: this.#memberId });
    this.forget();
  }

  /** The next join is that of a new member. */
  forget(): void {
    this.#memberId = '';
    this.#generation = -1;
  }

  /** The coordinator may be another one now. */
  lose(): void {
    this.#coordinator = undefined;
  }

  async #find(): Promise<Broker> {
    if (!this.#cluster.isConnected()) await this.#cluster.connect();
    this.#coordinator ??= await this.#cluster.findGroupCoordinator({ groupId: this.#options.groupId });
    return this.#coordinator;
  }

  #lead(members: readonly GroupMember[]): { memberId: string; memberAssignment: Buffer }[] {
    const { topics } = this.#options;
    const given = assign(this.#partitions, members.map(claimOf));
    return [...given].map(([memberId, numbers]) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: Object.fromEntries(topics.map((topic) => [topic, [...numbers]])),
        userData: Buffer.alloc(0),
      }),
    }));
  }
}

function claimOf({ memberId, memberMetadata }: GroupMember): Claim {
  const userData = AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData;
  const { owned } = JSON.parse(userData?.toString('utf8') ?? '{}') as { owned?: readonly number[] };
  return { member: memberId, owned: owned ?? [] };
}
