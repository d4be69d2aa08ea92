import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Bus } from '@eyrie/platform/bus/bus';
import { openDataDirectory, renewLogIdentity } from '@eyrie/platform/bus/data-directory';
import { type Clock, systemClock } from '@eyrie/platform/clock';
import { createDocuments, type Documents } from '@eyrie/platform/documents';
import { AppError } from '@eyrie/platform/errors';
import { createLogger, type Logger } from '@eyrie/platform/log';
import { createMetrics, type Metrics } from '@eyrie/platform/metrics';
import { hasGoneBack } from '@eyrie/platform/reconciliation/gone-back';
import { createSigner, type Signer } from '@eyrie/platform/sign';
import type { Store } from '@eyrie/platform/store/store';
import { createVitals, type Vitals } from '@eyrie/platform/vitals';
import { type Config, unknownSettings } from './config.ts';
import { openBus } from './open-bus.ts';
import { openStore } from './open-store.ts';

/** What roles stand on: the log, the tables where a role needs them, documents, keys, and what tells of it all. */
export interface Foundation {
  readonly bus: Bus;
  readonly store: Store | undefined;
  readonly documents: Documents;
  readonly signer: Signer;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: Clock;
  readonly vitals: Vitals;
  close(): Promise<void>;
}

interface FoundationOptions {
  readonly dataDir: string;
  readonly config: Config;
  /** Named in every line of the log. */
  readonly name: string;
  readonly needsStore: boolean;
  readonly fillsStore: boolean;
}

/** Opens the data directory and all that lies in it or elsewhere; a failure closes what was opened. @throws AppError */
export async function openFoundation(options: FoundationOptions): Promise<Foundation> {
  const { dataDir, config, name, needsStore, fillsStore } = options;
  const clock = systemClock;
  const log = createLogger({ name, level: config.EYRIE_LOG_LEVEL });
  const unknown = unknownSettings(process.env);
  if (unknown.length > 0) log.warn({ settings: unknown }, 'no such settings: they have no effect');
  const metrics = createMetrics();
  const directory = openDataDirectory(dataDir);
  const closers: (() => Promise<void> | void)[] = [() => directory.close()];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const signer = createSigner(config.EYRIE_BUS === 'embedded' ? directory.signingKey : signingKeyOf(config));
    if (config.EYRIE_BUS === 'embedded') refuseLostLog(dataDir);
    let bus = await openBus(directory, { config, clock, log, metrics });
    closers.push(() => bus.close());
    if (needsStore && config.EYRIE_STORE === 'chdb') await refuseLostRows(bus, dataDir);
    const store = needsStore ? await openStore({ dataDir, config, log, metrics, fillsStore }) : undefined;
    closers.push(() => store?.close());
    if (config.EYRIE_BUS === 'embedded' && store !== undefined && (await hasGoneBack(bus, store))) {
      log.warn(
        { dataDir },
        'rows are there of lines the log does not hold: it was restored, and gets another identity',
      );
      await bus.close();
      bus = await openBus(renewLogIdentity(directory), { config, clock, log, metrics });
    }
    const documents = createDocuments({ bus, signer, log, clock, metrics });
    closers.push(() => documents.stop());
    await documents.ready();
    if (config.EYRIE_BUS === 'kafka' && documents.isOfAnotherKey()) throw otherKey(config);
    const vitals = createVitals({ bus, ...(store !== undefined && { store }), clock, log, metrics });
    return { bus, store, documents, signer, metrics, log, clock, vitals, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Roles on one Kafka cluster check each other's records, so they share a key. @throws AppError EYRIE_CONFIG_INVALID */
export function signingKeyOf(config: Config): Buffer {
  const given = config.EYRIE_SIGNING_KEY;
  if (given !== undefined) return Buffer.from(given, 'hex');
  throw new AppError(
    'EYRIE_CONFIG_INVALID',
    'EYRIE_SIGNING_KEY is missing: every role on Kafka needs the same one; `openssl rand -hex 32` makes it',
  );
}

/** Such a gateway would refuse every token, such a processor write alerts nobody takes, such a console replace what others trust. */
function otherKey({ EYRIE_TOPIC_PREFIX: prefix }: Config): AppError {
  return new AppError(
    'EYRIE_CONFIG_INVALID',
    `EYRIE_SIGNING_KEY: no record of ${prefix}documents was signed with it, so it is not the key the other roles hold. ` +
      'Give this one theirs; if the old key is lost, make the topics anew',
  );
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
async function refuseLostRows(bus: Bus, dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, 'clickhouse', 'store'))) return;
  const written = (await bus.groups()).some(({ group, next }) => group.startsWith('archiver') && next > 0);
  if (!written) return;
  throw new AppError(
    'EYRIE_DATA_DIR_DAMAGED',
    `${join(dataDir, 'clickhouse')} is missing or empty, but the log says that rows were written there. ` +
      'Restore it from a backup, or start with an empty data directory',
  );
}
