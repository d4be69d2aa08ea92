import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Bus } from '@eyrie/platform/bus/bus';
import { Client, type ClientOptions } from '@eyrie/platform/bus/kafka/client';
import { type KafkaOptions, openKafka } from '@eyrie/platform/bus/kafka/kafka';
import type { Sasl } from '@eyrie/platform/bus/kafka/security';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import { createLogger } from '@eyrie/platform/log';
import { createAuthority, hasOpenssl } from '@eyrie/platform/testing/authority';
import { TOPIC_NAMES } from '@eyrie/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeAccess } from './access.ts';
import { kafkaOptions } from './kafka-child.ts';
import { leftOut, OWN_BROKER, whyNoJava } from './left-out.ts';
import { expire, PASSWORD, replace, type SecuredBroker, startSecured } from './secured-broker.ts';

const why = hasOpenssl ? whyNoJava() : 'no openssl';

if (why !== undefined) leftOut('TLS, SASL and ACLs of Kafka', why, `${OWN_BROKER}, and openssl`);
else describe('Kafka that asks who is there', security);

function security(): void {
  let broker: SecuredBroker;
  const prefix = `test-${randomBytes(4).toString('hex')}.`;
  const lines: string[] = [];

  beforeAll(async () => {
    broker = await startSecured();
    await createTopics({
      ...kafkaOptions({ brokers: [broker.open], prefix }),
      partitions: { raw: 1, alerts: 1, actions: 1, shared: 1 },
      replicationFactor: 1,
    });
    // Whoever may do everything makes the identities of the logs.
    await (await openKafka(at(broker.open, {}))).close();
  }, 180_000);
  afterAll(() => broker.stop());

  /** A listener, and everything that is logged kept. */
  function at(address: string, security: Partial<ClientOptions>): KafkaOptions {
    const log = createLogger({
      name: 'test',
      level: 'trace',
      pretty: false,
      destination: { write: (line) => void lines.push(line) },
    });
    return { ...kafkaOptions({ brokers: [address], prefix }), ...security, log };
  }

  const ca = () => ({ caFile: broker.authority.path('ca.pem') });
  const certificate = (name: string, from = broker.authority) => ({
    certFile: from.path(`${name}.pem`),
    keyFile: from.path(`${name}.key`),
  });
  const user = (username: string, mechanism: Sasl['mechanism'] = 'plain', password = PASSWORD): Sasl => ({
    mechanism,
    username,
    password,
  });

  /** What the library says of it, with a time in which it has to. */
  async function failure(options: KafkaOptions): Promise<{ code: string; message: string }> {
    const opened = openKafka(options).then(
      async (bus: Bus) => {
        await bus.close();
        throw new Error('it opened');
      },
      (error: unknown) => error as { code: string; message: string },
    );
    const { code, message } = await opened;
    return { code, message };
  }

  test.for(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'SASL %s over TLS opens the bus, its groups and its steps',
    async (mechanism) => {
      await useBus(await openKafka(at(broker.sasl, { tls: ca(), sasl: user('admin', mechanism) })));
    },
  );

  test('a client certificate opens it too', async () => {
    const options = at(broker.mutual, { tls: { ...ca(), ...certificate('client') } });
    const client = new Client(options);
    expect(client.principal).toBe('User:CN=client');
    const admin = new Client(at(broker.open, {})).admin();
    await admin.connect();
    await allow(admin, client.principal, EVERYTHING);
    await admin.disconnect();
    await useBus(await openKafka(options));
  });

  test.for(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'a wrong password is told at once and never printed: %s',
    async (mechanism) => {
      const wrong = 'wrong-9999-secret';
      lines.length = 0;
      const { code, message } = await failure(at(broker.sasl, { tls: ca(), sasl: user('admin', mechanism, wrong) }));
      expect(code).toBe('EYRIE_CONFIG_INVALID');
      expect(message).toContain('EYRIE_KAFKA_SASL_PASSWORD');
      expect(lines.length).toBeGreaterThan(0);
      expect(message + lines.join('')).not.toContain(wrong);
      expect(message + lines.join('')).not.toContain(Buffer.from(wrong).toString('base64'));
    },
  );

  test('a mechanism the listener does not offer is named', async () => {
    const oauth = { mechanism: 'aws' as 'plain', username: 'admin', password: PASSWORD };
    expect(await failure(at(broker.sasl, { tls: ca(), sasl: oauth }))).toMatchObject({
      code: 'EYRIE_CONFIG_INVALID',
      message: expect.stringContaining('EYRIE_KAFKA_SASL_MECHANISM'),
    });
  });

  test('an authority that is not trusted, and an expired broker', async () => {
    const stranger = createAuthority();
    const found = await Promise.all([
      failure(at(broker.sasl, { tls: { caFile: stranger.path('ca.pem') }, sasl: user('admin') })),
      failure(at(broker.sasl, { tls: {}, sasl: user('admin') })),
      failure(at(broker.expired, { tls: ca() })),
    ]);
    rmSync(stranger.directory, { recursive: true });
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringContaining('EYRIE_KAFKA_TLS_CA_FILE'),
      expect.stringContaining('EYRIE_KAFKA_TLS_CA_FILE'),
      expect.stringMatching(/expired.*renew/),
    ]);
    for (const { code } of found) expect(code).toBe('EYRIE_CONFIG_INVALID');
  });

  test('a client certificate that is missing, foreign, expired or not a certificate', async () => {
    const { authority } = broker;
    expire(authority, 'late');
    const stranger = createAuthority();
    stranger.issue('stranger');
    const files = (one: object) => at(broker.mutual, { tls: { ...ca(), ...one } });
    const [missing, foreign] = await Promise.all([
      failure(files({})),
      failure(files(certificate('stranger', stranger))),
    ]);
    rmSync(stranger.directory, { recursive: true });
    expect(missing).toMatchObject({ code: 'EYRIE_CONFIG_INVALID', message: expect.stringContaining('TLS_CERT_FILE') });
    expect(foreign).toMatchObject({ code: 'EYRIE_CONFIG_INVALID', message: expect.stringContaining('does not know') });
    await expect(failure(files(certificate('late')))).resolves.toMatchObject({
      code: 'EYRIE_CONFIG_INVALID',
      message: expect.stringMatching(/late\.pem: the certificate expired/),
    });
    await expect(
      failure(files({ ...certificate('client'), keyFile: authority.path('server.key') })),
    ).resolves.toMatchObject({
      code: 'EYRIE_CONFIG_INVALID',
      message: expect.stringContaining('client.pem'),
    });
    await expect(failure(files({ certFile: authority.path('none.pem') }))).resolves.toMatchObject({
      code: 'EYRIE_CONFIG_INVALID',
      message: expect.stringContaining('none.pem'),
    });
  });

  test('a listener of another kind is told from a broker that is down', async () => {
    const found = await Promise.all([
      failure(at(broker.sasl, {})),
      failure(at(broker.sasl, { tls: ca() })),
      failure(at(broker.open, { tls: ca() })),
    ]);
    for (const one of found) {
      expect(one).toMatchObject({
        code: 'EYRIE_BUS_UNAVAILABLE',
        message: expect.stringContaining('ask for TLS or SASL'),
      });
    }
  });

  test('files changed on disk count from the next connection on, and those that are open stay', async () => {
    const { authority } = broker;
    const stranger = createAuthority();
    stranger.issue('stranger');
    authority.issue('turning');
    const kept = { pem: stranger.path('kept.pem'), key: stranger.path('kept.key') };
    replace(stranger, 'kept', { pem: authority.path('turning.pem'), key: authority.path('turning.key') });
    const client = new Client(at(broker.mutual, { tls: { ...ca(), ...certificate('turning') } }));
    const first = client.admin();
    await first.connect();
    replace(authority, 'turning', { pem: stranger.path('stranger.pem'), key: stranger.path('stranger.key') });
    const second = client.admin();
    await expect(second.connect()).rejects.toThrow();
    await second.disconnect();
    expect(Array.isArray(await first.listTopics())).toBe(true);
    replace(authority, 'turning', kept);
    const third = client.admin();
    await third.connect();
    await Promise.all([first.disconnect(), third.disconnect()]);
    rmSync(stranger.directory, { recursive: true });
  });

  describeAccess({
    prefix,
    lines,
    admin: () => at(broker.open, {}),
    as: (name) => at(broker.sasl, { tls: ca(), sasl: user(name) }),
  });

  describe('what an ACL does not allow is named', () => {
    const refused = (...parts: string[]) => ({
      code: 'EYRIE_CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(parts.map((part) => part.replaceAll('.', String.raw`\.`)).join('.*'))),
    });

    const tell = ({ code, message }: { code: string; message: string }) => ({ code, message });

    async function granting(allowed: readonly Allowed[]): Promise<void> {
      const admin = new Client(at(broker.open, {})).admin();
      await admin.connect();
      await allow(admin, 'User:nobody', allowed);
      await admin.disconnect();
    }

    test('one after the other: topics, identities, writing, a group, its transactions, what a step writes', async () => {
      const options = at(broker.sasl, { tls: ca(), sasl: user('nobody') });
      /** A rule takes effect some moments after it was accepted. */
      const until = (task: () => Promise<unknown>, ...parts: string[]) =>
        expect.poll(() => task().then(() => ({}), tell), { timeout: 20_000 }).toMatchObject(refused(...parts));
      const open = async () => (await openKafka(options)).close();
      const topics: readonly Allowed[] = TOPIC_NAMES.map((name) => ['topic', `${prefix}${name}`, DESCRIBE]);
      await until(open, `${prefix}raw`, 'User:nobody', 'Describe');
      await granting(topics);
      await until(open, 'User:nobody', 'Describe on group', `${prefix}log-identity`);
      await granting([['group', `${prefix}log-identity`, DESCRIBE]]);
      await expect.poll(() => open().then(() => 'open', tell), { timeout: 20_000 }).toBe('open');
      expect(lines.some((line) => line.includes('settings of the topics were not checked'))).toBe(true);
      const bus = await openKafka(options);
      const output = { topic: 'raw', partition: 0, value: Buffer.from('x') } as const;
      await until(() => bus.append([output]), 'User:nobody', `Write on topic ${prefix}raw`);
      await until(() => bus.read('raw', 0, 0), 'User:nobody', `Read on topic ${prefix}raw`);
      const join = () =>
        bus.join({ group: 'prepare', inputs: ['raw'] }, async (assigned) => {
          await assigned.transact({ positions: [], outputs: [{ ...output, topic: 'events' }] });
        }).done;
      await until(join, `Read on group ${prefix}prepare`);
      await granting([['group', `${prefix}prepare`, READ]]);
      await until(join, `Write on transactional id ${prefix}prepare-0`);
      await granting([['transactional', `${prefix}prepare-0`, WRITE]]);
      await until(join, `Read on topic ${prefix}raw`);
      await granting([['topic', `${prefix}raw`, READ]]);
      await until(join, `Write on topic ${prefix}events`);
      await granting([['topic', `${prefix}events`, WRITE]]);
      await expect.poll(() => join().then(() => 'done', tell), { timeout: 20_000 }).toBe('done');
      expect((await bus.bounds('events', 0)).end).toBeGreaterThan(0);
      await bus.close();
    });
  });
}

async function useBus(bus: Bus): Promise<void> {
  const value = randomBytes(8);
  const [appended] = await bus.append([{ topic: 'raw', partition: 0, value }]);
  const records = await bus.read('raw', 0, appended?.offset ?? 0);
  expect(records[0]?.value).toEqual(value);
  await bus.join({ group: 'prepare', inputs: ['raw'] }, async (assigned) => {
    const records = await assigned.poll({ maxBytes: 1_000, maxWaitMs: 5_000 });
    const next = (records.at(-1)?.offset ?? 0) + 1;
    await assigned.transact({
      positions: [{ topic: 'raw', next }],
      outputs: [{ topic: 'events', partition: 0, value }],
    });
  }).done;
  await bus.close();
}

type Admin = ReturnType<Client['admin']>;
type Acl = Parameters<Admin['createAcls']>[0]['acl'][number];
type Allowed = readonly [
  kind: 'topic' | 'group' | 'transactional' | 'cluster',
  name: string,
  operation: Acl['operation'],
];

const KINDS = { topic: 2, group: 3, cluster: 4, transactional: 5 } as const;
const ALL = 2;
const READ = 3;
const WRITE = 4;
const DESCRIBE = 8;
const EVERYTHING: readonly Allowed[] = [
  ['topic', '*', ALL],
  ['group', '*', ALL],
  ['transactional', '*', ALL],
];

async function allow(admin: Admin, principal: string, allowed: readonly Allowed[]): Promise<void> {
  await admin.createAcls({
    acl: allowed.map(([kind, resourceName, operation]) => ({
      resourceType: KINDS[kind],
      resourceName,
      resourcePatternType: 3,
      principal,
      host: '*',
      operation,
      permissionType: 3,
    })),
  });
}
