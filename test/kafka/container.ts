import { execFileSync } from 'node:child_process';
import type { Broker, Settings } from './broker.ts';

const IMAGE = 'apache/kafka:4.1.0';
const PULL_MS = 300_000;
const START_MS = 60_000;

/** The image takes a server property as an environment variable. */
export async function startContainer({ port, properties }: Settings): Promise<Broker> {
  const environment = Object.entries(properties).flatMap(([name, value]) => [
    '--env',
    `KAFKA_${name.toUpperCase().replaceAll('.', '_')}=${value}`,
  ]);
  const args = ['run', '--detach', '--rm', '--publish', `127.0.0.1:${port}:${port}`, ...environment, IMAGE];
  const id = docker(args, PULL_MS).trim();
  const stop = async () => void docker(['rm', '--force', id], START_MS);
  for (const end = Date.now() + START_MS; Date.now() < end; ) {
    if (docker(['logs', id], START_MS).includes('Kafka Server started')) {
      return { brokers: [`127.0.0.1:${port}`], stop };
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await stop();
  throw new Error('the container did not start');
}

function docker(args: readonly string[], timeout: number): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout });
}
