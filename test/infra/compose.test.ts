import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROLE_NAMES } from '../../services/cli/src/role-names.ts';
import { ask, isLeftOut } from './judge.ts';

const root = new URL('../../', import.meta.url).pathname;
const FILES = ['docker-compose.yml', 'docker-compose.all-in-one.yml'];
const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      build: z.object({ dockerfile: z.string(), target: z.string() }).optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.coerce.string()).default({}),
      ports: z.array(z.string()).default([]),
      volumes: z.array(z.string()).default([]),
      networks: z.array(z.string()).default([]),
      read_only: z.boolean().default(false),
      cap_drop: z.array(z.string()).default([]),
      security_opt: z.array(z.string()).default([]),
      privileged: z.boolean().default(false),
      depends_on: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
  networks: z.record(z.string(), z.unknown()).default({}),
  volumes: z.record(z.string(), z.unknown()).default({}),
});
type Compose = z.infer<typeof Compose>;
const text = (file: string) => readFileSync(join(root, file), 'utf8');
const composeOf = (yaml: string): Compose => Compose.parse(parse(yaml, { merge: true }));
const scratch = mkdtempSync(join(tmpdir(), 'eyrie-compose-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What a service must hold and does not. */
function problemsOf({ services, networks, volumes }: Compose): string[] {
  const problems: string[] = [];
  for (const [name, service] of Object.entries(services)) {
    const say = (problem: string) => problems.push(`${name}: ${problem}`);
    if (!/:[\w.-]*\d|^eyrie:local/.test(service.image)) say(`${service.image} is not pinned`);
    for (const port of service.ports) if (!port.startsWith('127.0.0.1:')) say(`${port} is open to the network`);
    for (const volume of service.volumes) {
      const [source = ''] = volume.split(':');
      const isThere = /^[./]/.test(source)
        ? !source.startsWith('.') || existsSync(join(root, source))
        : source in volumes;
      if (!isThere) say(`${source} is not there`);
    }
    for (const network of service.networks) if (!(network in networks)) say(`network ${network} is not there`);
    for (const other of Object.keys(service.depends_on)) if (!(other in services)) say(`${other} is not there`);
    for (const [key, value] of Object.entries(service.environment)) {
      if (/(PASSWORD|TOKEN|SECRET|SIGNING_KEY)/.test(key) && !/_FILE$/.test(key)) say(`${key} holds a secret`);
      if (key.endsWith('_FILE') && !service.volumes.some((volume) => value.startsWith(`${volume.split(':')[1]}/`))) {
        say(`${key}: ${value} is not mounted`);
      }
    }
    if (service.privileged && name !== 'falco') say('is privileged');
    if (service.build === undefined) continue;
    if (!service.read_only) say('may write its root');
    if (!service.cap_drop.includes('ALL')) say('keeps capabilities');
    if (!service.security_opt.includes('no-new-privileges:true')) say('may gain privileges');
  }
  return problems;
}

test.each(FILES)('%s: pinned, closed to the network, read-only, without secrets', (file) => {
  expect(problemsOf(composeOf(text(file)))).toEqual([]);
});

test.each([
  ['a floating image', 'prom/prometheus:v3.16.0', 'prom/prometheus', 'prometheus: prom/prometheus is not pinned'],
  ['an open port', '127.0.0.1:2802:2802', '2802:2802', 'console: 2802:2802 is open to the network'],
  ['a missing file', './infra/prometheus:', './infra/prom:', 'prometheus: ./infra/prom is not there'],
  ['a secret', 'EYRIE_SIGNING_KEY_FILE: /secrets', 'EYRIE_SIGNING_KEY: /secrets', 'EYRIE_SIGNING_KEY holds a secret'],
  ['a secret nobody mounts', '/secrets/clickhouse/password\n\nx-on', '/run/password\n\nx-on', 'is not mounted'],
  ['a network nobody defines', 'networks: [store]', 'networks: [vault]', 'clickhouse: network vault is not there'],
  ['a volume nobody defines', '- kafka-data:', '- kafka:', 'kafka: kafka is not there'],
  ['a service nobody defines', 'kafka: { condition', 'kavka: { condition', 'topics: kavka is not there'],
  ['a writable root', 'read_only: true\n  cap', 'read_only: false\n  cap', 'gateway: may write its root'],
])('%s is found', (_, what, instead, problem) => {
  const changed = text('docker-compose.yml').replaceAll(what, instead);
  expect(changed).not.toBe(text('docker-compose.yml'));
  expect(problemsOf(composeOf(changed)).join('\n')).toContain(problem);
});

test('every role runs, and Prometheus asks every one', () => {
  const { services } = composeOf(text('docker-compose.yml'));
  const scraped = parse(text('infra/prometheus/prometheus.yml')).scrape_configs[0].dns_sd_configs[0].names;
  expect([...scraped].toSorted()).toEqual(ROLE_NAMES.toSorted());
  for (const role of ROLE_NAMES) {
    expect(services[role]?.command).toEqual([role, '--data-dir', '/data']);
    expect(services[role]?.networks).toContain('metrics');
    expect(services[role]?.build?.target).toBe('roles');
  }
});

const leftOut = isLeftOut('compose');
test.skipIf(leftOut).each(FILES)('%s holds to the Compose specification', (file) => {
  expect(ask('compose', ['-format', 'json', file], { cwd: root })).toMatchObject({ code: 0 });
});

test.skipIf(leftOut).each([
  ['an unknown field', '    networks: [bus]\n', '    netwerks: [bus]\n'],
  ['an unknown condition', 'condition: service_healthy }', 'condition: service_well }'],
])('the specification finds %s', (_, what, instead) => {
  const changed = text('docker-compose.yml').replace(what, instead);
  expect(changed).not.toBe(text('docker-compose.yml'));
  const file = join(scratch, 'docker-compose.yml');
  writeFileSync(file, changed);
  expect(ask('compose', [file], { cwd: scratch }).code).not.toBe(0);
});
