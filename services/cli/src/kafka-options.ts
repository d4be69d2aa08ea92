import type { Principals } from '@eyrie/platform/bus/kafka/acl-findings';
import type { ClientOptions } from '@eyrie/platform/bus/kafka/client';
import type { Security } from '@eyrie/platform/bus/kafka/security';
import { AppError } from '@eyrie/platform/errors';
import { ACCESS_ROLES, type AccessRole } from '@eyrie/schemas';
import type { Config } from './config.ts';

/** How to reach the brokers; half a setting is refused. @throws AppError EYRIE_CONFIG_INVALID with everything that is wrong */
export function kafkaOptions(config: Config) {
  const wrong: string[] = [];
  const brokers = config.EYRIE_KAFKA_BROKERS ?? [];
  if (brokers.length === 0) wrong.push('EYRIE_KAFKA_BROKERS is missing: host:port of some brokers');
  const security = securityOf(config, wrong);
  if (wrong.length > 0) throw new AppError('EYRIE_CONFIG_INVALID', wrong.join('; '));
  return {
    brokers,
    clientId: config.EYRIE_KAFKA_CLIENT_ID,
    prefix: config.EYRIE_TOPIC_PREFIX,
    sessionTimeoutMs: config.EYRIE_KAFKA_SESSION_TIMEOUT_MS,
    compression: config.EYRIE_KAFKA_COMPRESSION,
    standbyBytes: config.EYRIE_KAFKA_STANDBY_BYTES,
    eventBytes: config.EYRIE_GATEWAY_EVENT_MAX_BYTES,
    ...security,
  } satisfies Omit<ClientOptions, 'log'> & Record<string, unknown>;
}

/** Who each role is to the brokers: ACLs and `topics check` name them. @throws AppError EYRIE_CONFIG_INVALID */
export function principalsOf(config: Config): Principals {
  const given = new Map<string, string>();
  for (const one of config.EYRIE_KAFKA_PRINCIPALS?.split(BETWEEN) ?? []) {
    const [role = '', ...rest] = one.trim().split('=');
    const principal = rest.join('=');
    const isRole = role === EVERY_ROLE || ACCESS_ROLES.includes(role as AccessRole);
    if (isRole && /^\w+:./.test(principal)) given.set(role, principal);
    else {
      const roles = `${EVERY_ROLE}, ${ACCESS_ROLES.join(', ')}`;
      throw new AppError(
        'EYRIE_CONFIG_INVALID',
        `EYRIE_KAFKA_PRINCIPALS: ${one} is not role=User:name (roles: ${roles})`,
      );
    }
  }
  const principalOf = (role: AccessRole) => given.get(role) ?? given.get(EVERY_ROLE) ?? `User:eyrie-${role}`;
  return Object.fromEntries(ACCESS_ROLES.map((role) => [role, principalOf(role)])) as Principals;
}

const EVERY_ROLE = 'all';
/** A principal may hold commas itself: `User:CN=gw,O=example`. */
const BETWEEN = new RegExp(`[,;](?=\\s*(?:${[EVERY_ROLE, ...ACCESS_ROLES].join('|')})=)`);

function securityOf(config: Config, wrong: string[]): Security {
  return { ...tlsOf(config, wrong), ...saslOf(config, wrong) };
}

function tlsOf(config: Config, wrong: string[]): Pick<Security, 'tls'> {
  const caFile = config.EYRIE_KAFKA_TLS_CA_FILE;
  const certFile = config.EYRIE_KAFKA_TLS_CERT_FILE;
  const keyFile = config.EYRIE_KAFKA_TLS_KEY_FILE;
  const isAny = caFile !== undefined || certFile !== undefined || keyFile !== undefined;
  if (isAny && !config.EYRIE_KAFKA_TLS) wrong.push('EYRIE_KAFKA_TLS must be true: files for TLS are named');
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const missing = certFile === undefined ? 'CERT' : 'KEY';
    wrong.push(`EYRIE_KAFKA_TLS_${missing}_FILE is missing: a certificate and its key go together`);
  }
  if (!config.EYRIE_KAFKA_TLS) return {};
  return {
    tls: {
      ...(caFile !== undefined && { caFile }),
      ...(certFile !== undefined && { certFile }),
      ...(keyFile !== undefined && { keyFile }),
    },
  };
}

function saslOf(config: Config, wrong: string[]): Pick<Security, 'sasl'> {
  const mechanism = config.EYRIE_KAFKA_SASL_MECHANISM;
  const username = config.EYRIE_KAFKA_SASL_USERNAME;
  const password = config.EYRIE_KAFKA_SASL_PASSWORD;
  const all = { MECHANISM: mechanism, USERNAME: username, PASSWORD: password };
  const missing = Object.entries(all).flatMap(([key, value]) =>
    value === undefined ? [`EYRIE_KAFKA_SASL_${key}`] : [],
  );
  if (missing.length === 3) return {};
  if (mechanism === undefined || username === undefined || password === undefined) {
    wrong.push(`${missing.join(' and ')} missing: a mechanism, a user and a password go together`);
    return {};
  }
  if (mechanism === 'plain' && !config.EYRIE_KAFKA_TLS) {
    wrong.push(
      'EYRIE_KAFKA_SASL_MECHANISM=plain sends the password as it is: set EYRIE_KAFKA_TLS, or use scram-sha-512',
    );
  }
  return { sasl: { mechanism, username, password } };
}
