import type { Admin } from 'kafkajs';
import { AppError } from '../../errors.ts';
import { compareAccess, type Principals } from './acl-findings.ts';
import { Client, type ClientOptions } from './client.ts';
import { describeBindings, describeTopics } from './describe.ts';
import { asAppError, errorType } from './errors.ts';
import { Names } from './names.ts';
import { compareTopics, describeFinding, type Finding } from './topic-findings.ts';

export interface CheckOptions extends ClientOptions {
  readonly prefix: string;
}

/** Three copies, or as many as there are brokers. */
const REPLICAS = 3;

/**
 * Everything in which the topics, and the settings of the brokers they hang on, differ from the table.
 * @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID
 */
export function checkTopics(
  options: CheckOptions & { readonly replicationFactor?: number },
): Promise<readonly Finding[]> {
  return asking(options, async (admin, names) => {
    const { brokers } = await admin.describeCluster();
    const replicationFactor = options.replicationFactor ?? Math.min(REPLICAS, brokers.length);
    const bootstrap = options.brokers.join(',');
    return compareTopics(await describeTopics(admin, names), { ...options, names, bootstrap, replicationFactor });
  });
}

/**
 * Others than Eyrie's roles that may write to topics whose records make Eyrie act, as far as the authorizer tells.
 * Undefined where it may not be asked. @throws as above
 */
export function checkAccess(
  options: CheckOptions & { readonly principals: Principals },
): Promise<readonly Finding[] | undefined> {
  return asking(options, async (admin, names) => {
    try {
      return compareAccess(await describeBindings(admin), { ...options, names, bootstrap: options.brokers.join(',') });
    } catch (error) {
      if (errorType(error) === 'CLUSTER_AUTHORIZATION_FAILED') return undefined;
      throw error;
    }
  });
}

/** At the start: what a role must not run on; what it should not is logged. @throws AppError EYRIE_CONFIG_INVALID naming every such setting */
export async function refuseUnfit(admin: Admin, names: Names, options: CheckOptions): Promise<void> {
  const found = await describeTopics(admin, names);
  if ([...found.topics.values()].some(({ settings }) => Object.keys(settings).length === 0)) {
    options.log.warn('the settings of the topics were not checked: the ACL DescribeConfigs on them is missing');
  }
  const bootstrap = options.brokers.join(',');
  const findings = compareTopics(found, { ...options, names, bootstrap, replicationFactor: 1 });
  const fatal = findings.filter(({ isFatal }) => isFatal);
  const rest = findings.filter(({ isFatal }) => !isFatal);
  if (rest.length > 0)
    options.log.warn(
      { findings: rest.map(describeFinding) },
      'settings of topics or brokers are not as they should be: `eyrie topics check` says what to do',
    );
  if (fatal.length === 0) return;
  throw new AppError('EYRIE_CONFIG_INVALID', `topics do not fit: ${fatal.map(describeFinding).join('; ')}`);
}

async function asking<T>(options: CheckOptions, task: (admin: Admin, names: Names) => Promise<T>): Promise<T> {
  const client = new Client(options);
  const admin = client.admin();
  try {
    await admin.connect();
    return await task(admin, new Names(options.prefix));
  } catch (error) {
    throw asAppError(error, { principal: client.principal, topic: ['Describe', `${options.prefix}*`] });
  } finally {
    await admin.disconnect();
  }
}
