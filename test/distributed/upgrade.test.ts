/**
 * A rolling upgrade: every role runs the version before (`EYRIE_TEST_PREVIOUS`, a revision of git, by default the commit
 * before this one), and one member after the other is drained and started with this version while events come.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { temporaryDirectory } from '../../bench/process.ts';
import { MAIN } from '../acceptance/eyrie.ts';
import { findBroker } from '../kafka/broker.ts';
import { leftOut } from '../kafka/left-out.ts';
import { wait } from './fleet.ts';
import { run } from './run.ts';
import { expectSound } from './sound.ts';

const EVENTS = 2_000;
const RATE = 150;
const PATIENCE_MS = 600_000;
const ROOT = join(import.meta.dirname, '../..');

/** Workspaces, as the packages directory holds them. */
const OURS = new Set(['@eyrie', 'eyrie']);

const broker = await findBroker();
const home = temporaryDirectory('previous');
afterAll(() => home.remove());
const previous = typeof broker === 'string' ? undefined : checkOut(process.env['EYRIE_TEST_PREVIOUS'] ?? 'HEAD~1');

if (typeof broker === 'string') leftOut('the rolling upgrade', broker);
else {
  const { brokers } = broker;
  afterAll(() => broker.stop());

  it.skipIf(previous === undefined)(
    'loses and doubles nothing while members of two versions work together',
    async () => {
      const undisturbed = await run({ brokers, events: EVENTS });
      const upgraded = await run({
        brokers,
        events: EVENTS,
        rate: RATE,
        actions: undisturbed.traces.length,
        main: previous ?? '',
        disturb: async ({ members }) => {
          for (const member of members) {
            await wait(500);
            expect(await member.end('SIGTERM'), member.words()).toBe(0);
            member.use(MAIN);
            expect(await member.start(), member.words()).toBe('ready');
          }
        },
      });
      expectSound(upgraded, undisturbed);
    },
    PATIENCE_MS,
  );
}

/** The main file of a revision, beside the packages of this one; undefined where git has no history to give. */
function checkOut(revision: string): string | undefined {
  const tree = join(home.path, 'tree');
  mkdirSync(tree);
  try {
    const archive = execFileSync('git', ['archive', revision, 'package.json', 'schemas', 'services'], {
      cwd: ROOT,
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    execFileSync('tar', ['-x', '-C', tree], { input: archive });
  } catch {
    console.warn(`LEFT OUT: the rolling upgrade, git cannot give ${revision}`);
    return undefined;
  }
  linkPackages(tree);
  return join(tree, 'services/cli/src/main.ts');
}

/** Packages of others as they are; workspaces of ours are those of the revision. */
function linkPackages(tree: string): void {
  for (const packages of globSync('{.,services/*,schemas}/node_modules', { cwd: ROOT })) {
    const own = join(tree, packages);
    mkdirSync(own, { recursive: true });
    for (const name of globSync('*', { cwd: join(ROOT, packages) })) {
      if (!OURS.has(name) && !existsSync(join(own, name))) symlinkSync(join(ROOT, packages, name), join(own, name));
    }
  }
  mkdirSync(join(tree, 'node_modules/@eyrie'), { recursive: true });
  for (const file of globSync('{schemas,services/*}/package.json', { cwd: tree })) {
    const { name } = JSON.parse(readFileSync(join(tree, file), 'utf8')) as { name: string };
    symlinkSync(join(tree, dirname(file)), join(tree, 'node_modules', name));
  }
}
