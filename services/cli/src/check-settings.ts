import { AppError } from '@eyrie/platform/errors';
import { clickhouseOptions } from './clickhouse-options.ts';
import { type Config, unknownSettings } from './config.ts';
import { signingKeyOf } from './foundation.ts';
import { inputsOf } from './inputs.ts';
import { kafkaOptions } from './kafka-options.ts';
import type { RoleName } from './role-names.ts';
import { needsStore, tlsOf } from './roles.ts';

/**
 * Everything that can be told of the settings of some roles before anything is opened: a broker that does not answer must
 * not hide what else is wrong. @throws AppError EYRIE_CONFIG_INVALID with all of it
 */
export function checkSettings(
  config: Config,
  roles: ReadonlySet<RoleName>,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const checks: readonly (readonly [isAsked: boolean, check: () => unknown])[] = [
    [config.EYRIE_BUS === 'kafka', () => kafkaOptions(config)],
    [config.EYRIE_BUS === 'kafka', () => signingKeyOf(config)],
    [needsStore(roles) && config.EYRIE_STORE === 'clickhouse', () => clickhouseOptions(config)],
    [roles.has('gateway'), () => inputsOf(config)],
    [roles.has('gateway'), () => tlsOf(config, 'GATEWAY')],
    [roles.has('console'), () => tlsOf(config, 'CONSOLE')],
  ];
  const problems = checks.flatMap(([isAsked, check]) => (isAsked ? problemOf(check) : []));
  if (problems.length === 0) return;
  // What is missing may be there under another name.
  const unknown = unknownSettings(env).map((name) => `${name} is no setting`);
  throw new AppError('EYRIE_CONFIG_INVALID', [...problems, ...unknown].join('; '));
}

function problemOf(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof AppError && error.code === 'EYRIE_CONFIG_INVALID') return [error.message];
    throw error;
  }
}
