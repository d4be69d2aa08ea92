import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createArchiver, createSqlSocket } from '@eyrie/archiver';
import { createConsole } from '@eyrie/console';
import { createGateway } from '@eyrie/gateway';
import { type DataDirectory, openDataDirectory } from '@eyrie/platform/bus/data-directory';
import { type EmbeddedLog, openLog } from '@eyrie/platform/bus/log';
import { type Clock, systemClock } from '@eyrie/platform/clock';
import { createDocuments, type Documents } from '@eyrie/platform/documents';
import { AppError } from '@eyrie/platform/errors';
import { type Component, type Running, startAll } from '@eyrie/platform/lifecycle';
import { createLogger, type Logger } from '@eyrie/platform/log';
import { maskSecrets } from '@eyrie/platform/mask';
import { createMetrics, type Metrics } from '@eyrie/platform/metrics';
import { createSigner, type Signer } from '@eyrie/platform/sign';
import { type ChdbStore, openChdb } from '@eyrie/platform/store/chdb';
import { authenticate, authenticateCertificate } from '@eyrie/platform/tokens';
import { createJudge, createPrepare, matches } from '@eyrie/processor';
import { createResponder } from '@eyrie/responder';
import type { TenantId } from '@eyrie/schemas';
import type { Config } from './config.ts';

const SETTLE_POLL_MS = 20;

export interface PipelineOptions {
  readonly dataDir: string;
  readonly config: Config;
  /** Which listeners and effects to run; the log, judge and archiver always do. */
  readonly gateway?: boolean;
  readonly console?: boolean;
  readonly responder?: boolean;
}

/** Everything in one process over one data directory. */
export interface Pipeline {
  readonly bus: EmbeddedLog;
  readonly store: ChdbStore;
  readonly documents: Documents;
  readonly signer: Signer;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: Clock;
  readonly gatewayAddress: string;
  readonly consoleAddress: string;
  /** Rejects when a part of it failed beyond repair: the process must end, the input is read again. */
  readonly failed: Promise<never>;
  /** Resolves when everything appended so far has gone all the way. */
  settle(): Promise<void>;
  /** Settles, with the latest count of every alert written whatever its interval: the input has ended. */
  finish(): Promise<void>;
  stop(): Promise<void>;
}

/** How long parts may drain: with what the engine may then take to close, a signal ends the process within ten seconds. */
const DRAIN_MS = 4_500;

/** Opens the data directory and starts the parts in order; a failure stops what was started. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { config } = options;
  const clock = systemClock;
  const log = createLogger({ name: 'eyrie', level: config.EYRIE_LOG_LEVEL });
  const metrics = createMetrics();
  const directory = openDataDirectory(options.dataDir);
  const closers: (() => Promise<void> | void)[] = [() => directory.close()];
  const close = async () => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    refuseLostLog(options.dataDir);
    const bus = openBus(directory, { config, clock, log, metrics });
    closers.push(() => bus.close());
    await refuseLostRows(bus, options.dataDir);
    const store = await openChdb({
      dataDir: options.dataDir,
      log,
      metrics,
      retention: {
        eventsDays: config.EYRIE_STORE_EVENTS_DAYS,
        versionsDays: config.EYRIE_STORE_VERSIONS_DAYS,
        healthDays: config.EYRIE_STORE_HEALTH_DAYS,
      },
    });
    closers.push(() => store.close());
    await store.migrate();
    await store.selfTest();
    const signer = createSigner(directory.signingKey);
    const documents = createDocuments({ bus, signer, log, clock, metrics });
    closers.push(() => documents.stop());
    await documents.ready();

    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    failed.catch(() => {});
    const deps = { bus, store, documents, signer, log, metrics, clock, onFailure: (error: unknown) => fail(error) };
    const access = {
      authenticate: (token: string) => authenticate(documents, token, clock.now()),
      authenticateCertificate: ({ sha256 }: { readonly sha256: string }) =>
        authenticateCertificate(documents, sha256, clock.now()),
    };

    const prepare = createPrepare(deps);
    const judge = createJudge(deps, {
      windowMs: config.EYRIE_PROCESSOR_WINDOW_MS,
      graceMs: config.EYRIE_PROCESSOR_GRACE_MS,
      intervalMs: config.EYRIE_PROCESSOR_INTERVAL_MS,
    });
    const archiver = createArchiver(deps, { batchRows: config.EYRIE_ARCHIVER_BATCH_ROWS });
    const responder = createResponder(
      { ...deps, random: Math.random },
      {
        scriptsMax: config.EYRIE_RESPONDER_SCRIPTS_MAX,
        scratchDir: join(options.dataDir, 'scratch'),
        ...(config.EYRIE_RULES_DIR === undefined ? {} : { rulesDir: config.EYRIE_RULES_DIR }),
        ...(config.EYRIE_SCRIPTS_DIR === undefined ? {} : { scriptsDir: config.EYRIE_SCRIPTS_DIR }),
        ...(config.EYRIE_CONNECTIONS_FILE === undefined ? {} : { connectionsFile: config.EYRIE_CONNECTIONS_FILE }),
      },
    );
    const console = createConsole(
      {
        ...deps,
        ...access,
        operator: config.EYRIE_TENANT as TenantId,
        mask: maskSecrets,
        explain: { matches, rules: responder.explain },
      },
      { host: config.EYRIE_CONSOLE_HOST, port: config.EYRIE_CONSOLE_PORT, ...tlsOf(config, 'CONSOLE') },
    );
    const gateway = createGateway(
      { ...deps, ...access },
      {
        host: config.EYRIE_GATEWAY_HOST,
        port: config.EYRIE_GATEWAY_PORT,
        bodyBytes: config.EYRIE_GATEWAY_BODY_MAX_BYTES,
        eventBytes: config.EYRIE_GATEWAY_EVENT_MAX_BYTES,
        quotaOf: () => quotaOf(config),
        operator: config.EYRIE_TENANT as TenantId,
        ...tlsOf(config, 'GATEWAY'),
      },
    );

    // Readers before writers: intake opens last and closes first.
    const components: Component[] = [archiver, createSqlSocket(deps, { dataDir: options.dataDir })];
    if (options.responder !== false) components.push(responder);
    components.push(judge, prepare);
    if (options.console !== false) components.push(console);
    if (options.gateway !== false) components.push(gateway);
    const running: Running = await startAll(components, { log, deadlineMs: DRAIN_MS });
    const settle = async () => {
      for (const role of [prepare, judge]) {
        while (!(await role.caughtUp())) await clock.sleep(SETTLE_POLL_MS);
      }
      if (options.responder !== false) await responder.caughtUp();
      await archiver.caughtUp();
    };
    return {
      bus,
      store,
      documents,
      signer,
      metrics,
      log,
      clock,
      failed,
      get gatewayAddress() {
        return gateway.address;
      },
      get consoleAddress() {
        return console.address;
      },
      settle,
      finish: async () => {
        await settle();
        await judge.writeGrowth();
        await settle();
      },
      stop: async () => {
        await running.stop();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * A log that begins anew under its old identity gives its inserts tokens that ClickHouse has seen: rows of accepted
 * events would be dropped as repeats. @throws AppError EYRIE_DATA_DIR_DAMAGED
 */
function refuseLostLog(dataDir: string): void {
  const file = join(dataDir, 'log', 'data.mdb');
  if (!existsSync(join(dataDir, 'clickhouse')) || (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  throw new AppError(
    'EYRIE_DATA_DIR_DAMAGED',
    `${file} is missing or empty, but rows were written from it. Restore it from a backup, or start with an empty data directory`,
  );
}

/** Rows the log believes written must not vanish unnoticed. @throws AppError EYRIE_DATA_DIR_DAMAGED */
async function refuseLostRows(bus: EmbeddedLog, dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, 'clickhouse', 'store'))) return;
  const written = (await bus.groups()).some(({ group, next }) => group.startsWith('archiver') && next > 0);
  if (!written) return;
  throw new AppError(
    'EYRIE_DATA_DIR_DAMAGED',
    `${join(dataDir, 'clickhouse')} is missing or empty, but the log says that rows were written there. ` +
      'Restore it from a backup, or start with an empty data directory',
  );
}

function openBus(
  directory: DataDirectory,
  { config, ...deps }: { config: Config; clock: Clock; log: Logger; metrics: Metrics },
): EmbeddedLog {
  const partitions = config.EYRIE_BUS_PARTITIONS;
  return openLog({
    dataDir: directory,
    partitions: { raw: partitions, alerts: partitions, actions: partitions },
    maxBytes: config.EYRIE_BUS_MAX_BYTES,
    retention: { targetBytes: config.EYRIE_BUS_TARGET_BYTES },
    sync: config.EYRIE_BUS_SYNC,
    ...deps,
  });
}

/** One for every tenant; 0 = none. */
function quotaOf(config: Config) {
  const eventsPerSecond = config.EYRIE_GATEWAY_TENANT_EVENTS_PER_SECOND;
  const bytesPerDay = config.EYRIE_GATEWAY_TENANT_BYTES_PER_DAY;
  return { ...(eventsPerSecond > 0 && { eventsPerSecond }), ...(bytesPerDay > 0 && { bytesPerDay }) };
}

function tlsOf(config: Config, service: 'GATEWAY' | 'CONSOLE') {
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
