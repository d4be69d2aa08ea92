import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Broker, Settings } from './broker.ts';

const VERSION = '4.4.0';
/** Survives the checkout: 43 MB. */
const CACHE = join(tmpdir(), `eyrie-test-kafka-${VERSION}`);
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>eyrie</groupId><artifactId>test-kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>`;
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg';
const START_MS = 120_000;
const STOP_MS = 10_000;
const LOOK_MS = 50;

/** A node that may be killed and started again on the same data. */
export interface Node {
  /** `host:port` for clients. */
  readonly address: string;
  /** Resolves once it is up. @throws when it does not come up */
  start(): Promise<void>;
  /** At once, as a crash does. */
  kill(): Promise<void>;
  /** Ends it, and its data. */
  remove(): Promise<void>;
}

/** A node in a process of its own, formatted and not started, its data in a directory that goes with it. */
export function createNode({ port, properties, users = [] }: Settings): Node {
  const classPath = join(download(), '*');
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-kafka-'));
  const file = join(directory, 'server.properties');
  const log = join(directory, 'broker.log');
  const lines = Object.entries({ ...properties, 'log.dirs': join(directory, 'data') });
  writeFileSync(file, lines.map(([name, value]) => `${name}=${value}\n`).join(''));
  const added = users.flatMap((user) => ['--add-scram', user]);
  const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file, ...added];
  execFileSync('java', ['-cp', classPath, ...format], { stdio: 'ignore' });
  let running: { readonly process: ChildProcess; readonly ended: Promise<void> } | undefined;
  const kill = () => void running?.process.kill('SIGKILL');

  async function start(): Promise<void> {
    // Into a file: a pipe nobody empties while this process is busy would hold the broker up in the middle of its work.
    const output = openSync(log, 'w');
    const started = spawn('java', ['-Xmx512m', '-cp', classPath, 'kafka.Kafka', file], {
      stdio: ['ignore', 'ignore', output],
    });
    closeSync(output);
    let isOver = false;
    const ended = new Promise<void>((resolve) => started.once('close', () => resolve()));
    void ended.then(() => {
      isOver = true;
    });
    running = { process: started, ended };
    process.once('exit', kill);
    const deadline = performance.now() + START_MS;
    while (!readFileSync(log, 'utf8').includes('Kafka Server started')) {
      if (isOver || performance.now() > deadline) {
        throw new Error(`the broker did not start: ${readFileSync(log, 'utf8').slice(-2_000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    process.off('exit', kill);
    running?.process.kill(signal);
    const killing = setTimeout(kill, STOP_MS);
    await running?.ended;
    clearTimeout(killing);
  }

  return {
    address: `127.0.0.1:${port}`,
    start,
    kill: () => end('SIGKILL'),
    remove: async () => {
      await end('SIGTERM');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A broker alone. */
export async function startJava(settings: Settings): Promise<Broker> {
  const node = createNode(settings);
  try {
    await node.start();
  } catch (error) {
    await node.remove();
    throw error;
  }
  return { brokers: [node.address], stop: node.remove };
}

/** @returns the directory of the jars */
function download(): string {
  const lib = join(CACHE, 'lib');
  if (existsSync(lib)) return lib;
  console.error(`Kafka ${VERSION} is fetched from Maven Central into ${CACHE} (43 MB, once)`);
  mkdirSync(CACHE, { recursive: true });
  const half = mkdtempSync(join(CACHE, 'half-'));
  writeFileSync(join(half, 'pom.xml'), POM);
  const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(half, 'lib')}`];
  execFileSync('mvn', ['-B', '-q', ...copy], { cwd: half, stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 });
  // Whole or not at all; another process may have been first.
  if (!existsSync(lib)) renameSync(join(half, 'lib'), lib);
  rmSync(half, { recursive: true, force: true });
  return lib;
}

if (import.meta.main) console.log(download());
