/** A responder on a real broker, killed with -9 between two states of the ledger, or asleep there beyond its session. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { judgedOutput } from '../../services/responder/src/testing/judged.ts';
import { type FakeKubernetes, fakeKubernetes } from '../../services/responder/src/testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from '../../services/responder/src/testing/place.ts';
import {
  connectLab,
  countEndings,
  detectionIn,
  numberedPod,
  podPath,
  readLedger,
  terminateRule,
  uidOf,
  watchDeletions,
} from '../../services/responder/src/testing/terminations.ts';
import { findBroker } from './broker.ts';
import { leftOut } from './left-out.ts';
import { type TemporaryKafka, temporaryKafka } from './temporary-bus.ts';

const TARGETS = 8;
/** Scripts at a time. */
const AT_ONCE = 4;
const SOON = { timeout: 60_000, interval: 100 };
const PATIENCE_MS = 120_000;
/** Long enough for whoever woke up to do what it was about to do. */
const AWAKE_MS = 1_500;
const CHILD = join(import.meta.dirname, 'responder-child.ts');

/** Stopped by a signal, as the kernel tells (Linux). */
function isAsleep({ pid }: ChildProcess): boolean {
  return /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

const broker = await findBroker();

if (typeof broker === 'string') leftOut('responses on Kafka', broker);
else {
  const pods = Array.from({ length: TARGETS }, (_, number) => ({ number }));
  const children = new Set<ChildProcess>();
  let api: FakeKubernetes;
  let place: TestPlace;
  let under: TemporaryKafka;

  beforeAll(async () => {
    api = await fakeKubernetes();
  });
  afterAll(async () => {
    await api.close();
    await broker.stop();
  });
  beforeEach(async () => {
    place = testPlace();
    under = await temporaryKafka(broker.brokers);
    api.reset();
    for (const pod of pods) api.objects.set(podPath(pod), numberedPod(pod));
    connectLab(place, api);
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    await under.remove();
    place.remove();
  });

  function start(failpoint = ''): { readonly child: ChildProcess; readonly ended: Promise<NodeJS.Signals | null> } {
    const args = [CHILD, under.child.argument, place.rulesDir, place.scriptsDir, place.connectionsFile];
    const child = spawn('node', args, {
      env: { ...process.env, EYRIE_FAILPOINT: failpoint },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.add(child);
    return { child, ended: new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal))) };
  }

  const ledgerEnded = () =>
    vi.waitFor(async () => {
      const endings = countEndings(await readLedger(under.bus));
      expect(Object.values(endings).reduce((sum, count) => sum + count, 0)).toBe(TARGETS);
      return endings;
    }, SOON);

  /** How the intents ended after a first life that ended at the failpoint, or slept there, and a second one. */
  async function twoLives(failpoint: string): Promise<Readonly<Record<string, number>>> {
    // In every partition, so that one is owned by nobody else.
    const spread = pods.map((pod, index) => judgedOutput([detectionIn(pod)], index % under.bus.partitions('judged')));
    await under.bus.append(spread);
    const first = start(failpoint);
    const sleeps = failpoint.endsWith(':stop');
    if (sleeps) await vi.waitFor(() => expect(isAsleep(first.child)).toBe(true), SOON);
    else expect(await first.ended).toBe('SIGKILL');
    start();
    const endings = await ledgerEnded();
    if (sleeps) {
      first.child.kill('SIGCONT');
      await new Promise((resolve) => setTimeout(resolve, AWAKE_MS));
      expect(await ledgerEnded()).toEqual(endings);
    }
    return endings;
  }

  const POINTS = ['before-intent:1', 'after-intent:1', 'before-effect:1', 'before-effect:5', 'after-effect:1'];

  describe('pods', () => {
    const ALL = pods.map(uidOf).sort();

    async function endPods(failpoint: string, next: (uid: string) => string) {
      place.rule('kill.yaml', terminateRule());
      const deletions = watchDeletions(api, next);
      try {
        const endings = await twoLives(failpoint);
        return { endings, uids: deletions.uids.toSorted() };
      } finally {
        deletions.done();
      }
    }

    it.each([...POINTS, 'after-effect:6', 'before-effect:1:stop', 'after-intent:1:stop'])(
      'ended by a responder that dies or sleeps at %s are ended once, none is left, and no other under their names',
      async (failpoint) => {
        const { endings, uids } = await endPods(failpoint, (uid) => `${uid}-again`);
        expect(uids).toEqual(ALL);
        const { 'succeeded done': done = 0, 'succeeded already_gone': gone = 0, ...others } = endings;
        expect(others).toEqual({});
        expect(done + gone).toBe(TARGETS);
      },
      PATIENCE_MS,
    );

    it(
      'ended twice would be seen: where the uid says nothing, one is (negative control)',
      async () => {
        const { uids } = await endPods('after-effect:1', (uid) => uid);
        expect(uids.length).toBeGreaterThan(TARGETS);
      },
      PATIENCE_MS,
    );
  });

  describe('scripts', () => {
    const traces = () => join(place.path, 'traces');

    /** How often each intent's script ran. */
    function runs(): readonly string[] {
      return existsSync(traces()) ? readdirSync(traces()).map((file) => file.split('.')[0] ?? '') : [];
    }

    async function runScripts(failpoint: string) {
      place.script(
        'trace.sh',
        `#!/bin/sh\nmkdir -p ${traces()}\nmktemp ${traces()}/$EYRIE_ACTION_INTENT_KEY.XXXXXX\nsleep 0.05\n`,
      );
      const trace = '{action: trace, actionner: shell:script, parameters: {script: trace.sh}}';
      place.rule(
        'trace.yaml',
        `version: 1\nrules: [{rule: T, id: t, mode: enforce, match: {priority: ">=Notice"}, actions: [${trace}]}]\n`,
      );
      const endings = await twoLives(failpoint);
      // What a killed process began goes on by itself.
      await new Promise((resolve) => setTimeout(resolve, AWAKE_MS));
      return endings;
    }

    /** None twice; what succeeded ran, and what may not have is unknown: at most those that ran at the same time. */
    function expectOnce({
      'succeeded done': done = 0,
      'unknown crash': unknown = 0,
      ...others
    }: Record<string, number>) {
      expect(others).toEqual({});
      expect(done + unknown).toBe(TARGETS);
      expect(new Set(runs()).size).toBe(runs().length);
      expect(runs().length).toBeGreaterThanOrEqual(done);
      return unknown;
    }

    it.each([...POINTS, 'before-effect:1:stop'])(
      'of a responder that dies or sleeps at %s run once at most, each open one is unknown once',
      async (failpoint) => {
        const unknown = expectOnce(await runScripts(failpoint));
        // Before the intent nothing was begun; after it something was.
        if (failpoint === 'before-intent:1') expect(unknown).toBe(0);
        else expect(unknown).toBeGreaterThan(0);
        expect(unknown).toBeLessThanOrEqual(AT_ONCE);
      },
      PATIENCE_MS,
    );

    it(
      'that ran twice would be seen (negative control)',
      async () => {
        const endings = await runScripts('after-effect:1');
        const [file = ''] = readdirSync(traces());
        copyFileSync(join(traces(), file), join(traces(), `${file.split('.')[0]}.again`));
        expect(() => expectOnce(endings)).toThrow();
      },
      PATIENCE_MS,
    );
  });
}
