import { startFront } from '@eyrie/platform/testing/clickhouse/front';
import { createMember } from '../test/distributed/fleet.ts';
import type { Ready } from './process.ts';

/** The roles between a post and its alert, each a process of its own on Kafka. Archiver and responder are left out. */
export async function startRoles(
  directory: string,
  kafka: Readonly<Record<string, string>>,
): Promise<{ readonly ready: Ready; stop(): Promise<void> }> {
  const front = await startFront();
  const tokens = { intake_token: `eyrie_${'intake'.repeat(7)}`, api_token: `eyrie_${'api'.repeat(14)}` };
  const env = {
    ...kafka,
    EYRIE_STORE: 'clickhouse',
    EYRIE_CLICKHOUSE_URL: front.url(),
    EYRIE_CLICKHOUSE_USER: front.user,
    EYRIE_CLICKHOUSE_PASSWORD: front.password,
    EYRIE_INTAKE_TOKEN: tokens.intake_token,
    EYRIE_API_TOKEN: tokens.api_token,
    EYRIE_GATEWAY_PORT: '0',
    EYRIE_CONSOLE_PORT: '0',
    EYRIE_HEALTH_PORT: '0',
  };
  const members = ['console', 'gateway', 'processor'].map((role) => createMember({ name: role, role, directory, env }));
  let stopped: Promise<void> | undefined;
  const end = async () => {
    await Promise.all(members.map((member) => member.end('SIGTERM')));
    await front.stop();
  };
  const stop = () => {
    stopped ??= end();
    return stopped;
  };
  const addresses: Record<string, string> = {};
  for (const member of members) {
    if ((await member.start()) === 'ended') {
      await stop();
      throw new Error(`${member.name} ended before it was ready: ${member.words()}`);
    }
    Object.assign(addresses, member.addresses());
  }
  return { ready: { gateway: addresses['gateway'] ?? '', console: addresses['console'] ?? '', ...tokens }, stop };
}
