import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataDirectory, openDataDirectory } from '../bus/data-directory.ts';
import { type EmbeddedLog, type LogOptions, openLog } from '../bus/log.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { createMetrics, type Metrics } from '../metrics.ts';

export interface TemporaryLog {
  readonly bus: EmbeddedLog;
  readonly dataDir: DataDirectory;
  readonly metrics: Metrics;
  /** How a child process opens the same directory while it is closed here. */
  readonly child: { readonly module: string; readonly argument: string };
  /** Closes the log and opens the same directory again, after `meanwhile`. */
  reopen(meanwhile?: () => Promise<void>): Promise<EmbeddedLog>;
  /** Closes, and removes the directory. */
  remove(): Promise<void>;
}

/** A real embedded log in a directory of its own, for tests. */
export function temporaryLog(options: Partial<Omit<LogOptions, 'dataDir'>> = {}): TemporaryLog {
  const path = mkdtempSync(join(tmpdir(), 'eyrie-log-'));
  const metrics = options.metrics ?? createMetrics();
  const log = options.log ?? createLogger({ name: 'test', level: 'silent' });
  let dataDir = openDataDirectory(path);
  const open = () => openLog({ clock: systemClock, ...options, log, metrics, dataDir });
  let bus = open();
  async function close(): Promise<void> {
    await bus.close();
    dataDir.close();
  }
  return {
    get bus() {
      return bus;
    },
    get dataDir() {
      return dataDir;
    },
    metrics,
    child: { module: join(import.meta.dirname, 'log-child.ts'), argument: path },
    reopen: async (meanwhile) => {
      await close();
      await meanwhile?.();
      dataDir = openDataDirectory(path);
      bus = open();
      return bus;
    },
    remove: async () => {
      await close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}
