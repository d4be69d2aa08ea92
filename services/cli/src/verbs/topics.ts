import { checkAccess, checkTopics } from '@eyrie/platform/bus/kafka/check';
import { openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { Names } from '@eyrie/platform/bus/kafka/names';
import type { Finding } from '@eyrie/platform/bus/kafka/topic-findings';
import { type PlannedTopic, planTopics } from '@eyrie/platform/bus/kafka/topic-plan';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import type { PartitionCounts } from '@eyrie/platform/bus/layout';
import { systemClock } from '@eyrie/platform/clock';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { ACCESS_ROLES, type AccessRole, aclsOf, inputAcls } from '@eyrie/schemas';
import { aclCommands } from '../acl-commands.ts';
import { readConfig } from '../config.ts';
import { inputsOf } from '../inputs.ts';
import { kafkaOptions, principalsOf } from '../kafka-options.ts';
import { printJson, printLine } from '../print.ts';

interface CreateOptions {
  readonly partitions: PartitionCounts;
  readonly replicationFactor: number;
  readonly minInsyncReplicas?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Makes what is missing, and the identities of the logs, which most roles may not make. */
export async function create({ dryRun, json, ...choices }: CreateOptions): Promise<void> {
  const options = connection();
  const names = new Names(options.prefix);
  if (dryRun === true) {
    const plan = planTopics(names, { ...options, ...choices });
    if (json === true) return printJson(plan);
    return printPlan(plan);
  }
  const made = await createTopics({ ...options, ...choices });
  const bus = await openKafka({ ...options, metrics: createMetrics(), clock: systemClock });
  await bus.close();
  if (json === true) return printJson({ created: made });
  if (made.length === 0)
    printLine('every topic is there already: nothing was changed; `eyrie topics check` compares them');
  else printPlan(made);
}

function printPlan(topics: readonly PlannedTopic[]): void {
  for (const { name, partitions, replicationFactor, settings } of topics) {
    const set = Object.entries(settings).map((one) => one.join('='));
    printLine([name.padEnd(24), `${partitions} × ${replicationFactor}`.padEnd(8), ...set].join('  '));
  }
}

interface CheckOptions {
  readonly replicationFactor?: number;
  readonly json?: boolean;
}

/** Exit code 1 where something is not as it should be. */
export async function check({ json, ...wanted }: CheckOptions): Promise<void> {
  const options = connection();
  const config = readConfig(process.env);
  const topics = await checkTopics({ ...options, ...wanted });
  // Who trusts the topics as they are need not be told again and again who may write.
  const asked = !config.EYRIE_RESPONDER_TRUST_TOPICS;
  const found = asked ? await checkAccess({ ...options, principals: principalsOf(config) }) : [];
  const findings = [...topics, ...(found ?? [])];
  const access = asked ? (found === undefined ? 'not told' : 'compared') : 'trusted';
  if (json === true) printJson({ findings, access });
  else tell(findings, ACCESS_WORDS[access]);
  if (findings.length > 0) process.exitCode = 1;
}

const ACCESS_WORDS = {
  compared: undefined,
  'not told': 'who may write was not told: the ACL Describe on the cluster is missing',
  trusted: 'who may write was not asked: EYRIE_RESPONDER_TRUST_TOPICS',
} as const;

function tell(findings: readonly Finding[], access: string | undefined): void {
  for (const { topic, setting, found, wanted, mend } of findings) {
    printLine(`${topic ?? 'brokers'}: ${setting} is ${found}, wanted ${wanted}`);
    printLine(`    ${mend}`);
  }
  if (findings.length === 0) printLine('the topics are as they should be');
  if (access !== undefined) printLine(access);
}

interface AclOptions {
  readonly role?: AccessRole;
  readonly json?: boolean;
}

/** What an authorizer has to allow each role; asks no broker. */
export function acls({ role, json }: AclOptions): void {
  const config = readConfig(process.env);
  const principals = principalsOf(config);
  const bootstrap = config.EYRIE_KAFKA_BROKERS?.join(',') ?? 'BROKERS';
  const roles = role === undefined ? ACCESS_ROLES : [role];
  const inputs = inputsOf(config).map(({ topic }) => topic);
  const found = roles.map((one) => ({
    role: one,
    principal: principals[one],
    acls: [
      ...aclsOf(one, config.EYRIE_TOPIC_PREFIX),
      ...(one === 'gateway' ? inputAcls(inputs, config.EYRIE_TOPIC_PREFIX) : []),
    ],
  }));
  if (json === true) {
    printJson(found);
    return;
  }
  for (const { role: one, principal, acls: wanted } of found) {
    printLine(`# ${one}`);
    if (one === 'gateway' && inputs.length === 0)
      printLine('# and Read on each topic of other programs that EYRIE_INPUTS_FILE names');
    for (const line of aclCommands(wanted, { principal, bootstrap })) printLine(line);
  }
}

function connection() {
  const config = readConfig(process.env);
  return { ...kafkaOptions(config), log: createLogger({ name: 'topics', level: config.EYRIE_LOG_LEVEL }) };
}
