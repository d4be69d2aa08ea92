import type { Admin } from 'kafkajs';
import type { Membership } from '../bus.ts';
import type { ForeignAssigned, ForeignTopics } from '../foreign.ts';
import type { AssignmentHost } from './assignment.ts';
import { asAppError } from './errors.ts';
import { ForeignAssignment } from './foreign-assignment.ts';
import { ForeignPartitions } from './foreign-partitions.ts';
import type { GroupOptions } from './group.ts';
import type { MemberOptions } from './membership.ts';

/** Who joins which group: Kafka's names of topics, our name of the group. */
export interface Entering<A> extends Pick<GroupOptions, 'topics' | 'partitions' | 'hasGrown'> {
  readonly group: string;
  readonly own: MemberOptions<A>['own'];
  readonly onEnd: () => void;
}

type Enter = (
  entering: Entering<ForeignAssigned>,
  run: (assigned: ForeignAssigned, signal: AbortSignal) => Promise<void>,
) => Membership;

interface Options {
  readonly admin: Admin;
  readonly prefix: string;
  readonly partitionsMs: number;
}

/** Topics of other programs on the cluster; `enter` makes a member of a group. */
export function foreignTopics(
  host: AssignmentHost,
  enter: Enter,
  { admin, prefix, partitionsMs }: Options,
): ForeignTopics {
  /** Groups that have read in the life of this process. */
  const begun = new Set<string>();
  return {
    prefix,
    missing: async (topics) => {
      try {
        const present = new Set(await admin.listTopics());
        return topics.filter((topic) => !present.has(topic));
      } catch (error) {
        throw asAppError(error);
      }
    },
    join: (spec, run) => {
      const { group, topic } = spec;
      const counted = new ForeignPartitions(host, spec, begun, partitionsMs);
      const own = (partition: number, signal: AbortSignal) => new ForeignAssignment(host, spec, partition, signal);
      const counting = { partitions: () => counted.settle(), hasGrown: () => counted.hasGrown() };
      return enter({ group, topics: [topic], ...counting, own, onEnd: () => void counted.close() }, run);
    },
  };
}
