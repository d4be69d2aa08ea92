import { TOPIC_NAMES, type TopicName } from '@eyrie/schemas';
import type { Admin, ResourceConfigQuery } from 'kafkajs';
import type { Bindings } from './acl-findings.ts';
import { errorType } from './errors.ts';
import type { Names } from './names.ts';
import type { FoundTopic, FoundTopics } from './topic-findings.ts';

/** Numbers of the protocol. */
const TOPIC = 2;
const BROKER = 4;
const ANY = 1;
const ALL = 2;
const WRITE = 4;
const PREFIXED = 4;
const ALLOW = 3;

type Settings = Readonly<Record<string, string>>;

/** Our topics as they are. What may not be read is left out. @throws what the client throws */
export async function describeTopics(admin: Admin, names: Names): Promise<FoundTopics> {
  const present = new Set(await admin.listTopics());
  const asked = TOPIC_NAMES.map((name) => names.topic(name)).filter((name) => present.has(name));
  const { topics } = asked.length === 0 ? { topics: [] } : await admin.fetchTopicMetadata({ topics: asked });
  const settings = await settingsOf(
    admin,
    asked.map((name) => ({ type: TOPIC, name })),
  );
  const found = new Map<TopicName, FoundTopic>();
  for (const { name, partitions } of topics) {
    const topic = names.topicOf(name);
    if (topic === undefined) continue;
    found.set(topic, {
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      settings: settings?.get(name) ?? {},
    });
  }
  return { topics: found, brokerSettings: await brokerSettings(admin) };
}

/** Rules about topics. @throws what the client throws; CLUSTER_AUTHORIZATION_FAILED where it may not be asked */
export async function describeBindings(admin: Admin): Promise<Bindings> {
  try {
    const { resources } = await admin.describeAcls({
      resourceType: TOPIC,
      resourcePatternType: ANY,
      operation: ANY,
      permissionType: ANY,
    });
    return resources.flatMap(({ resourceName, resourcePatternType, acls }) =>
      acls
        // One that holds for some hosts alone keeps nobody out.
        .filter(({ permissionType, host }) => permissionType === ALLOW || host === '*')
        .map(({ principal, operation, permissionType }) => ({
          name: resourceName,
          isPrefix: resourcePatternType === PREFIXED,
          principal,
          isWrite: operation === ALL || operation === WRITE,
          isAllow: permissionType === ALLOW,
        })),
    );
  } catch (error) {
    if (errorType(error) === 'SECURITY_DISABLED') return undefined;
    throw error;
  }
}

async function brokerSettings(admin: Admin): Promise<Settings | undefined> {
  const { brokers } = await admin.describeCluster();
  const [first] = brokers;
  if (first === undefined) return undefined;
  const name = String(first.nodeId);
  return (await settingsOf(admin, [{ type: BROKER, name }]))?.get(name);
}

/** By resource; undefined where they may not be read. */
async function settingsOf(
  admin: Admin,
  resources: ResourceConfigQuery[],
): Promise<ReadonlyMap<string, Settings> | undefined> {
  if (resources.length === 0) return new Map();
  try {
    const described = await admin.describeConfigs({ resources, includeSynonyms: false });
    return new Map(
      described.resources.map(({ resourceName, configEntries }) => [
        resourceName,
        Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue ?? ''])),
      ]),
    );
  } catch (error) {
    if (errorType(error).endsWith('AUTHORIZATION_FAILED')) return undefined;
    throw error;
  }
}
