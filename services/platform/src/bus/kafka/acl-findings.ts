import { type AccessRole, GUARDED_TOPICS, writersOf as rolesThatWrite } from '@eyrie/schemas';
import type { Names } from './names.ts';
import type { Finding } from './topic-findings.ts';

/** A rule of the authorizer about topics. */
export interface Binding {
  /** A topic, `*`, or what topics begin with. */
  readonly name: string;
  readonly isPrefix: boolean;
  readonly principal: string;
  readonly isWrite: boolean;
  readonly isAllow: boolean;
}

/** Undefined: there is no authorizer, and everybody may do everything. Super users are bound by no rule, and told by no broker. */
export type Bindings = readonly Binding[] | undefined;

const EVERYBODY = 'everybody';
/** What brokers do then is one of their settings that they tell nobody. */
const UNRULED = 'without any rule';

/** Principals that may write to a topic (Kafka's name). */
export function writersTo(topic: string, bindings: Bindings): readonly string[] {
  if (bindings === undefined) return [EVERYBODY];
  const ours = bindings.filter(({ name, isPrefix }) =>
    isPrefix ? topic.startsWith(name) : name === '*' || name === topic,
  );
  if (ours.length === 0) return [UNRULED];
  const writing = ours.filter(({ isWrite }) => isWrite);
  const denied = new Set(writing.filter(({ isAllow }) => !isAllow).map(({ principal }) => principal));
  if (denied.has('User:*')) return [];
  const allowed = writing.filter(({ isAllow, principal }) => isAllow && !denied.has(principal));
  return [...new Set(allowed.map(({ principal }) => principal))].sort();
}

/** Who a role is to the brokers. */
export type Principals = Readonly<Record<AccessRole, string>>;

/** Others than Eyrie's roles that may write where a record makes Eyrie act. */
export function compareAccess(
  bindings: Bindings,
  {
    names,
    bootstrap,
    principals,
  }: { readonly names: Names; readonly bootstrap: string; readonly principals: Principals },
): readonly Finding[] {
  return GUARDED_TOPICS.flatMap((topic) => {
    const trusted = rolesThatWrite(topic).map((role) => principals[role]);
    const name = names.topic(topic);
    return writersTo(name, bindings)
      .filter((principal) => !trusted.includes(principal))
      .map((principal) => ({
        topic: name,
        setting: 'ACL Write',
        found: principal,
        wanted: trusted.join(', '),
        mend: mendOf(principal, name, bootstrap),
        isFatal: false,
      }));
  });
}

function mendOf(principal: string, topic: string, bootstrap: string): string {
  if (principal === EVERYBODY) return 'set authorizer.class.name on the brokers, then what `eyrie topics acls` prints';
  if (principal === UNRULED) return '`eyrie topics acls` prints the rules';
  const start = `kafka-acls.sh --bootstrap-server ${bootstrap}`;
  return `${start} --list --topic ${topic} shows the rule, ${start} --remove … takes it away`;
}
