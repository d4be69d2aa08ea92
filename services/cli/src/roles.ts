import { join } from 'node:path';
import { type Archiver, createArchiver, createSqlSocket } from '@eyrie/archiver';
import { type Console, createConsole } from '@eyrie/console';
import { createGateway, type Gateway } from '@eyrie/gateway';
import { AppError } from '@eyrie/platform/errors';
import type { Component } from '@eyrie/platform/lifecycle';
import { maskSecrets } from '@eyrie/platform/mask';
import type { Store } from '@eyrie/platform/store/store';
import { authenticate, authenticateCertificate } from '@eyrie/platform/tokens';
import { createJudge, createPrepare, type Judge, matches, type Role } from '@eyrie/processor';
import { createResponder, createRuleReader, type Responder } from '@eyrie/responder';
import type { TenantId } from '@eyrie/schemas';
import type { Config } from './config.ts';
import type { Foundation } from './foundation.ts';
import { inputsOf } from './inputs.ts';
import type { RoleName } from './role-names.ts';
import { rulePaths } from './rule-paths.ts';
import { slackApprovals } from './slack-approvals.ts';

/** There each archiver reads the judge's counts from its changelogs over the network: seldom. */
const RECONCILE_ON_KAFKA_MS = 600_000;

/** Roles that read or write tables. */
const STORED: ReadonlySet<RoleName> = new Set(['archiver', 'console']);

export function needsStore(roles: ReadonlySet<RoleName>): boolean {
  return [...roles].some((role) => STORED.has(role));
}

/** Whether they fill the tables: only then tokens must be proven to count. */
export function fillsStore(roles: ReadonlySet<RoleName>): boolean {
  return roles.has('archiver');
}

export interface Roles {
  readonly gateway?: Gateway;
  readonly prepare?: Role;
  readonly judge?: Judge;
  readonly archiver?: Archiver;
  readonly responder?: Responder;
  readonly console?: Console;
  /** Readers before writers: intake opens last and closes first. */
  readonly components: readonly Component[];
}

interface RoleOptions {
  /** Why no response rule may be in enforce, where none may. */
  readonly enforceRefusal?: string | undefined;
  /** The input is history: what clusters are like today says nothing of it. */
  readonly isReplay?: boolean | undefined;
  readonly dataDir: string;
  readonly config: Config;
  /** Told of what no part can mend: the process must end, its input is read again. */
  readonly onFailure: (error: unknown) => void;
}

/** Makes the roles asked for, not started. @throws AppError EYRIE_CONFIG_INVALID */
export function createRoles(names: ReadonlySet<RoleName>, foundation: Foundation, options: RoleOptions): Roles {
  const { dataDir, config, onFailure } = options;
  const { documents, clock, vitals } = foundation;
  const deps = { ...foundation, onFailure };
  // A listener may take requests whatever the stages of the same process do: what it needs is log and tables.
  const isReady = () => {
    const { log = true, store = true } = vitals.parts();
    return { log, store };
  };
  const access = {
    authenticate: (token: string) => authenticate(documents, token, clock.now()),
    authenticateCertificate: ({ sha256 }: { readonly sha256: string }) =>
      authenticateCertificate(documents, sha256, clock.now()),
  };
  const operator = config.EYRIE_TENANT as TenantId;
  const rules = rulePaths(config);
  const when = <T>(name: RoleName, make: () => T): T | undefined => (names.has(name) ? make() : undefined);

  const archiver = when('archiver', () =>
    createArchiver(
      { ...deps, store: storeOf(foundation) },
      {
        batchRows: config.EYRIE_ARCHIVER_BATCH_ROWS,
        ...(config.EYRIE_BUS === 'kafka' && { reconcileMs: RECONCILE_ON_KAFKA_MS }),
      },
    ),
  );
  const responder = when('responder', () =>
    createResponder(
      { ...deps, random: Math.random },
      {
        ...rules,
        scriptsMax: config.EYRIE_RESPONDER_SCRIPTS_MAX,
        scratchDir: join(dataDir, 'scratch'),
        provesActions: options.isReplay !== true,
        ...(options.enforceRefusal !== undefined && { enforceRefusal: options.enforceRefusal }),
      },
    ),
  );
  const judge = when('processor', () =>
    createJudge(deps, {
      windowMs: config.EYRIE_PROCESSOR_WINDOW_MS,
      graceMs: config.EYRIE_PROCESSOR_GRACE_MS,
      intervalMs: config.EYRIE_PROCESSOR_INTERVAL_MS,
    }),
  );
  const prepare = when('processor', () => createPrepare(deps));
  // Where no responder runs beside it, the console reads the rules itself: `why` asks them.
  const reader = names.has('console') && responder === undefined ? createRuleReader(foundation, rules) : undefined;
  const console = when('console', () =>
    createConsole(
      {
        ...deps,
        ...access,
        store: storeOf(foundation),
        operator,
        mask: maskSecrets,
        explain: { matches, rules: (input) => (responder ?? reader)?.explain(input) ?? [] },
        ...(config.EYRIE_CONNECTIONS_FILE !== undefined && {
          slackApprovals: slackApprovals(config.EYRIE_CONNECTIONS_FILE, deps.log),
        }),
      },
      { host: config.EYRIE_CONSOLE_HOST, port: config.EYRIE_CONSOLE_PORT, isReady, ...tlsOf(config, 'CONSOLE') },
    ),
  );
  const gateway = when('gateway', () =>
    createGateway(
      { ...deps, ...access },
      {
        host: config.EYRIE_GATEWAY_HOST,
        port: config.EYRIE_GATEWAY_PORT,
        bodyBytes: config.EYRIE_GATEWAY_BODY_MAX_BYTES,
        eventBytes: config.EYRIE_GATEWAY_EVENT_MAX_BYTES,
        inputs: inputsOf(config),
        quotaOf: () => quotaOf(config),
        operator,
        heartbeatMs: config.EYRIE_GATEWAY_HEARTBEAT_MS,
        isReady,
        ...tlsOf(config, 'GATEWAY'),
      },
    ),
  );
  const sql = foundation.store && createSqlSocket({ ...deps, store: foundation.store }, { dataDir });
  const all = { archiver, sql, responder, judge, prepare, reader, console, gateway };
  const components = Object.values(all).filter((component) => component !== undefined);
  const { sql: _, reader: __, ...made } = all;
  return { ...Object.fromEntries(Object.entries(made).filter(([, role]) => role !== undefined)), components };
}

function storeOf({ store }: Foundation): Store {
  if (store === undefined) throw new TypeError('this role needs the tables');
  return store;
}

/** One for every tenant; 0 = none. */
function quotaOf(config: Config) {
  const eventsPerSecond = config.EYRIE_GATEWAY_TENANT_EVENTS_PER_SECOND;
  const bytesPerDay = config.EYRIE_GATEWAY_TENANT_BYTES_PER_DAY;
  return { ...(eventsPerSecond > 0 && { eventsPerSecond }), ...(bytesPerDay > 0 && { bytesPerDay }) };
}

/** @throws AppError EYRIE_CONFIG_INVALID */
export function tlsOf(config: Config, service: 'GATEWAY' | 'CONSOLE') {
  const certFile = config[`EYRIE_${service}_TLS_CERT_FILE`];
  const keyFile = config[`EYRIE_${service}_TLS_KEY_FILE`];
  const clientCaFile = config[`EYRIE_${service}_TLS_CLIENT_CA_FILE`];
  if (certFile === undefined && keyFile === undefined && clientCaFile === undefined) return {};
  // Half a setting must not end in plain HTTP.
  if (certFile === undefined || keyFile === undefined) {
    const missing = certFile === undefined ? 'CERT' : 'KEY';
    throw new AppError(
      'EYRIE_CONFIG_INVALID',
      `EYRIE_${service}_TLS_${missing}_FILE is missing: TLS needs a certificate and its key`,
    );
  }
  return { tls: { certFile, keyFile, ...(clientCaFile === undefined ? {} : { clientCaFile }) } };
}
