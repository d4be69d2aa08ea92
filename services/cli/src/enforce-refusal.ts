import { checkAccess } from '@eyrie/platform/bus/kafka/check';
import type { Logger } from '@eyrie/platform/log';
import type { Config } from './config.ts';
import { kafkaOptions, principalsOf } from './kafka-options.ts';

const HOW_TO_TRUST = 'set EYRIE_RESPONDER_TRUST_TOPICS to trust them as they are';

/**
 * Whoever writes to the topics must not thereby move anything: why no response rule may be in enforce here; undefined where
 * only Eyrie's roles may write, or where it was told to trust the topics. @throws AppError EYRIE_BUS_UNAVAILABLE
 */
export async function enforceRefusal(config: Config, log: Logger): Promise<string | undefined> {
  if (config.EYRIE_BUS === 'embedded' || config.EYRIE_RESPONDER_TRUST_TOPICS) return undefined;
  const writers = await checkAccess({ ...kafkaOptions(config), log, principals: principalsOf(config) });
  if (writers === undefined) {
    return `the brokers do not tell who may write to the topics (the ACL Describe on the cluster is missing); ${HOW_TO_TRUST}`;
  }
  if (writers.length === 0) return undefined;
  const named = writers.map(({ topic, found }) => `${topic}: ${found}`).join(', ');
  return `others may write to topics (${named}); \`eyrie topics check\` says what mends it, or ${HOW_TO_TRUST}`;
}
