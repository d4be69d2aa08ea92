import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** A broker in a process of its own, its data in a directory that goes with it. */
export async function startJava({ port, properties, users = [] }: Settings): Promise<Broker> {
  const classPath = join(download(), '*');
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-kafka-'));
  const file = join(directory, 'server.properties');
  const lines = Object.entries({ ...properties, 'log.dirs': join(directory, 'data') });
  writeFileSync(file, lines.map(([name, value]) => `${name}=${value}\n`).join(''));
  const added = users.flatMap((user) => ['--add-scram', user]);
  const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file, ...added];
  execFileSync('java', ['-cp', classPath, ...format], { stdio: 'ignore' });
  const running = spawn('java', ['-Xmx512m', '-cp', classPath, 'kafka.Kafka', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => running.once('close', () => resolve()));
  const end = () => running.kill('SIGKILL');
  process.once('exit', end);
  async function stop(): Promise<void> {
    process.off('exit', end);
    running.kill('SIGTERM');
    const killing = setTimeout(end, STOP_MS);
    await ended;
    clearTimeout(killing);
    rmSync(directory, { recursive: true, force: true });
  }
  const isReady = await new Promise<boolean>((resolve) => {
    let said = '';
    running.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4_096);
      if (said.includes('Kafka Server started')) resolve(true);
    });
    void ended.then(() => resolve(false));
    setTimeout(() => resolve(false), START_MS).unref();
  });
  if (isReady) return { brokers: [`127.0.0.1:${port}`], stop };
  await stop();
  throw new Error('the broker did not start');
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
