import { TOPIC_NAMES, TOPICS, type TopicName } from './topics.ts';

/** What a role reads and writes, and the groups it joins. One table: ACLs, `topics check` and the documents are made of it. */
interface RoleAccess {
  readonly reads: readonly TopicName[];
  readonly writes: readonly TopicName[];
  /** Groups it joins and transactional ids it writes with begin with these. */
  readonly groups: readonly string[];
}

export const ACCESS = {
  // Topics of other programs, where it reads some, are named by its own file: Read on each comes on top.
  gateway: { reads: ['documents'], writes: ['raw', 'health'], groups: ['input.'] },
  processor: {
    // It keeps the identities of all logs from expiring, which asks leave to read them.
    reads: TOPIC_NAMES,
    writes: ['events', 'judged', 'alerts', 'alert-state', 'health', 'dead-letter'],
    groups: ['prepare', 'judge', 'log-identity'],
  },
  archiver: {
    reads: ['judged', 'alerts', 'actions', 'documents', 'health', 'dead-letter'],
    writes: ['health', 'dead-letter'],
    groups: ['archiver', 'archiver-actions', 'archiver-documents', 'archiver-records'],
  },
  responder: {
    reads: ['judged', 'alerts', 'action-requests', 'action-state', 'documents', 'workloads', 'images'],
    writes: ['action-requests', 'actions', 'action-state', 'health', 'dead-letter'],
    groups: ['responder', 'responder-owner'],
  },
  console: {
    // The ledger and its head, to verify it; approvals and undos are requests to its owner.
    reads: ['raw', 'alerts', 'documents', 'workloads', 'actions', 'action-state'],
    writes: ['documents', 'commands', 'workloads', 'action-requests'],
    groups: [],
  },
} as const satisfies Record<string, RoleAccess>;

export type AccessRole = keyof typeof ACCESS;
export const ACCESS_ROLES = Object.keys(ACCESS) as readonly AccessRole[];

/** Whoever writes here makes Eyrie act: nobody but the roles of the table should. */
export const GUARDED_TOPICS = TOPIC_NAMES.filter((name) => TOPICS[name].signed);

export function writersOf(topic: TopicName): readonly AccessRole[] {
  return ACCESS_ROLES.filter((role) => (ACCESS[role].writes as readonly TopicName[]).includes(topic));
}

export interface Acl {
  readonly resource: 'topic' | 'group' | 'transactional-id' | 'cluster';
  /** Kafka's name; `prefixed`: all that begin with it. */
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  readonly operations: readonly ('Read' | 'Write' | 'Describe' | 'DescribeConfigs')[];
}

/** The least a role needs on a cluster where our names begin with `prefix`. */
export function aclsOf(role: AccessRole, prefix: string): readonly Acl[] {
  const { reads, writes, groups }: RoleAccess = ACCESS[role];
  const acl = (resource: Acl['resource'], name: string, ...operations: Acl['operations']): Acl => ({
    resource,
    name: `${prefix}${name}`,
    pattern: 'literal',
    operations,
  });
  const each = TOPIC_NAMES.flatMap((name) => {
    const operations = [
      ...(reads.includes(name) ? (['Read'] as const) : []),
      ...(writes.includes(name) ? (['Write'] as const) : []),
    ];
    return operations.length === 0 ? [] : [acl('topic', name, ...operations)];
  });
  return [
    // Settings of topics and brokers are checked at the start; the responder asks too who else may write.
    { ...ours('topic', prefix), operations: ['Describe', 'DescribeConfigs'] },
    { ...ours('group', prefix), operations: ['Describe'] },
    {
      resource: 'cluster',
      name: 'kafka-cluster',
      pattern: 'literal',
      operations: role === 'responder' ? ['Describe', 'DescribeConfigs'] : ['DescribeConfigs'],
    },
    ...each,
    ...groups.flatMap((group): Acl[] => [
      { ...acl('group', group, 'Read'), pattern: 'prefixed' },
      { ...acl('transactional-id', group, 'Write'), pattern: 'prefixed' },
    ]),
  ];
}

/** What a gateway needs besides, where it reads topics of other programs. */
export function inputAcls(topics: readonly string[], prefix: string): readonly Acl[] {
  if (topics.length === 0) return [];
  return [
    { resource: 'topic', name: `${prefix}dead-letter`, pattern: 'literal', operations: ['Write'] },
    ...topics.flatMap((topic): Acl[] => [
      { resource: 'topic', name: topic, pattern: 'literal', operations: ['Read', 'Describe'] },
      { resource: 'group', name: `${prefix}${inputGroup(topic)}`, pattern: 'literal', operations: ['Read'] },
      {
        resource: 'transactional-id',
        name: `${prefix}${inputGroup(topic)}-`,
        pattern: 'prefixed',
        operations: ['Write'],
      },
    ]),
  ];
}

/** The group that reads a topic of another program. */
export function inputGroup(topic: string): string {
  return `input.${topic}`;
}

/** Everything of ours; without a prefix, everything there is. */
function ours(resource: Acl['resource'], prefix: string): Omit<Acl, 'operations'> {
  return prefix === '' ? { resource, name: '*', pattern: 'literal' } : { resource, name: prefix, pattern: 'prefixed' };
}
