import type { Session as Engine } from 'chdb';
import { openSession } from './clickhouse.ts';
import { createExecutor } from './executor.ts';
import type { FromChild, ToChild } from './protocol.ts';

/**
 * The process that holds the embedded engine: `node chdb-child.ts DIRECTORY ENGINE_ARGUMENT…`. It lives as long as the
 * channel to its parent, also when the parent is killed: the engine must never outlive the lock of the data directory.
 */
type EngineClass = new (path: string, options: { connectionArgs: string[] }) => Engine;

const RETRY_MS = 50;
const [directory = '', waitText = '0', ...engineArguments] = process.argv.slice(2);

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

/** At once and whatever the engine's threads do: parts are renamed into place whole, so nothing half written counts. */
function end(): never {
  process.kill(process.pid, 'SIGKILL');
  process.exit(1);
}

process.on('disconnect', end);

/** Machines without a build of the engine, and those whose C library cannot load it, are named as such. */
async function loadEngine() {
  try {
    return { ...(await import('chdb')), ...(await import('chdb/connection')) };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    tell({ broken: 'unsupported', message: `${process.platform}-${process.arch}: ${why}` });
    return undefined;
  }
}

/** The engine locks its directory: a restart waits here until the process before it is gone. */
async function openEngine(Engine: EngineClass): Promise<Engine> {
  const until = Date.now() + Number(waitText);
  for (;;) {
    try {
      return new Engine(directory, { connectionArgs: engineArguments });
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

const loaded = await loadEngine();
try {
  if (loaded === undefined) process.disconnect();
  else {
    const engine = await openEngine(loaded.Session);
    const executor = createExecutor(() => openSession(loaded.createChdbConnection({ path: directory })));
    process.on('message', (message: ToChild) => {
      if ('close' in message) {
        void executor.close().then(() => {
          engine.close();
          process.disconnect();
        }, end);
        return;
      }
      void executor.run(message.request).then((reply) => tell({ id: message.id, reply }), end);
    });
    tell({ ready: true });
  }
} catch (error) {
  tell({ broken: 'unopened', message: error instanceof Error ? error.message : String(error) });
  process.disconnect();
}
