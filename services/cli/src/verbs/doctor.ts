import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '@eyrie/platform/errors';
import { coverageText } from '../coverage.ts';
import { printJson, printLine } from '../print.ts';
import { readReadyFile } from '../ready.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do where it is not. */
  readonly next?: string;
}

const GIB = 2 ** 30;

/** Looks at machine, data directory and running process; the exit code is 1 when something is wrong. */
export async function doctor(options: SpeakingOptions): Promise<void> {
  const findings = [...machine(), ...directory(options.dataDir), ...(await running(options))];
  if (options.json === true) printJson(findings);
  else {
    for (const { check, ok, detail, next } of findings) {
      printLine(`${ok ? 'ok    ' : 'FAILED'}  ${check}: ${detail}`);
      if (!ok && next !== undefined) printLine(`        ${next}`);
    }
  }
  if (findings.some(({ ok }) => !ok)) process.exitCode = 1;
}

function machine(): Finding[] {
  const major = Number(process.versions.node.split('.')[0]);
  return [
    {
      check: 'node',
      ok: major >= 24,
      detail: process.versions.node,
      next: 'Start through `npx eyrie`, which brings Node 24.',
    },
    {
      check: 'platform',
      ok:
        (process.platform === 'linux' || process.platform === 'darwin') &&
        (process.arch === 'x64' || process.arch === 'arm64'),
      detail: `${process.platform}-${process.arch}`,
      next: 'The embedded ClickHouse engine runs on Linux and macOS, x64 or arm64.',
    },
    {
      check: 'memory for rows',
      ok: !existsSync('/dev/shm') || statfsSync('/dev/shm').bavail * statfsSync('/dev/shm').bsize > 128 * 2 ** 20,
      detail: existsSync('/dev/shm') ? 'in /dev/shm' : 'in the temporary directory',
      next: 'Give /dev/shm at least 128 MiB (containers: shm_size).',
    },
  ];
}

function directory(path: string): Finding[] {
  if (!existsSync(path)) {
    return [
      {
        check: 'data directory',
        ok: true,
        detail: `${path} does not exist yet; \`eyrie up --data-dir ${path}\` makes it`,
      },
    ];
  }
  const { bavail, bsize } = statfsSync(path);
  const mode = statSync(path).mode & 0o777;
  return [
    {
      check: 'data directory',
      ok: mode === 0o700,
      detail: `${path}, mode ${mode.toString(8)}`,
      next: `chmod 700 ${path}`,
    },
    {
      check: 'free space',
      ok: bavail * bsize > 2 * GIB,
      detail: `${((bavail * bsize) / GIB).toFixed(1)} GiB`,
      next: 'Free some: intake answers 503 when the disk is full.',
    },
  ];
}

async function running(options: SpeakingOptions): Promise<Finding[]> {
  const ready = readReadyFile(join(options.dataDir, 'ready.json'));
  if (ready === undefined && options.url === undefined) {
    return [{ check: 'process', ok: true, detail: 'none runs on this data directory' }];
  }
  try {
    const session = openSession(options);
    const to = new Date().toISOString();
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const [monthly, coverage, refused, letters] = await Promise.all([
      session.monthlyAlerts(),
      session.coverage({ from, to }),
      session.health({ kind: 'refused', limit: 1 }),
      session.deadLetters({ limit: 1 }),
    ]);
    const { difference } = monthly.reconciliation;
    const share = coverage.total.share;
    return [
      { check: 'API', ok: true, detail: ready?.console ?? options.url ?? '' },
      {
        check: 'reconciliation',
        ok: difference === 0,
        detail: `judge and SQL differ by ${difference}`,
        next: 'Wait for the archiver; a lasting difference is a bug worth reporting.',
      },
      {
        check: 'coverage, last hour',
        ok: share === null || share > 0.95,
        detail: coverageText(coverage.total, 'no node gave proof of life yet: `eyrie connect falco` prints a canary'),
        next: 'Nodes without heartbeat: GET /v1/coverage lists them.',
      },
      {
        check: 'refused',
        ok: true,
        detail:
          refused.items.length === 0
            ? 'nothing'
            : `last ${String(refused.items[0]?.['code'])} at ${String(refused.items[0]?.['time'])}`,
      },
      {
        check: 'dead letters',
        ok: true,
        detail:
          letters.items.length === 0
            ? 'none'
            : `last ${String(letters.items[0]?.['reason'])}: \`eyrie dead-letters\` lists them`,
      },
    ];
  } catch (error) {
    return [
      {
        check: 'process',
        ok: false,
        detail: describeError(error),
        next: 'Is it still running? The ready file may be of a killed process.',
      },
    ];
  }
}
