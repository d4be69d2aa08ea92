import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLogger } from '@eyrie/platform/log';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Responder } from './main.ts';
import { judgedOutput } from './testing/judged.ts';
import { type FakeKubernetes, fakeKubernetes } from './testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { changes } from './testing/pods.ts';
import { testResponder } from './testing/responder.ts';
import {
  connectLab,
  countEndings,
  detectionIn,
  numberedPod,
  podPath,
  readLedger,
  terminateRule,
} from './testing/terminations.ts';

const ALERTS = 10_000;
const AT_ONCE = 500;
/** In one namespace, before the others begin. */
const FIRST = 100;
const RULE_LIMIT = 20;
const NAMESPACE_LIMIT = 3;
/** What an alert leaves behind: a plan, and that it was asked for. */
const HEAP_EACH = 4_096;

let api: FakeKubernetes;
let place: TestPlace;
let temporary: TemporaryLog;
let responder: Responder;
let said: Record<string, unknown>[];

beforeAll(async () => {
  api = await fakeKubernetes();
});
afterAll(() => api.close());
beforeEach(() => {
  place = testPlace();
  temporary = temporaryLog();
  connectLab(place, api);
  api.reset();
  said = [];
});
afterEach(async () => {
  await temporary.remove();
  place.remove();
});

const pods = Array.from({ length: ALERTS }, (_, number) => ({
  number,
  namespace: number < FIRST ? 'shop' : `team-${number % 50}`,
}));

/** How much the heap grew meanwhile, bytes. */
async function storm(count: number): Promise<number> {
  for (const pod of pods.slice(0, count)) api.objects.set(podPath(pod), numberedPod(pod));
  const destination = { write: (line: string) => void said.push(JSON.parse(line)) };
  const log = createLogger({ name: 'test', level: 'warn', pretty: false, destination });
  responder = testResponder(
    { bus: temporary.bus, metrics: temporary.metrics, log },
    { rulesDir: place.rulesDir, connectionsFile: place.connectionsFile },
  );
  await responder.start();
  const before = heap();
  try {
    for (let at = 0; at < count; at += AT_ONCE) {
      const some = pods.slice(at, Math.min(count, at + AT_ONCE)).map(detectionIn);
      // Each comes again, folded into its alert: that is no other request.
      await temporary.bus.append([
        judgedOutput(some),
        judgedOutput(some.map((one) => ({ ...one, outcome: 'folded' }))),
      ]);
    }
    await responder.caughtUp();
    return heap() - before;
  } finally {
    await responder.stop();
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe(`${ALERTS} alerts, each of a pod of its own`, () => {
  it('act as often as the limits allow, end once each in the ledger, and are told in a line for each limit', async () => {
    place.rule('kill.yaml', terminateRule({ rule: `${RULE_LIMIT}/1h`, limits: `{namespace: ${NAMESPACE_LIMIT}/1h}` }));
    const grown = await storm(ALERTS);

    expect(changes(api)).toHaveLength(RULE_LIMIT);
    expect(api.objects.size).toBe(ALERTS - RULE_LIMIT);
    const heldBack = {
      limit_namespace: FIRST - NAMESPACE_LIMIT,
      limit_rule: ALERTS - FIRST - (RULE_LIMIT - NAMESPACE_LIMIT),
    };
    expect(countEndings(await readLedger(temporary.bus))).toEqual({
      'succeeded done': RULE_LIMIT,
      'suppressed limit_namespace': heldBack.limit_namespace,
      'suppressed limit_rule': heldBack.limit_rule,
    });

    const begun = said.filter(({ limit, suppressed }) => limit !== undefined && suppressed === undefined);
    const about = { tenant: 'default', rule_id: 'kill', mode: 'enforce' };
    expect(begun).toMatchObject([
      { ...about, limit: 'limit_namespace' },
      { ...about, limit: 'limit_rule' },
    ]);
    const sum = (limit: string) =>
      said.reduce((total, line) => (line['limit'] === limit ? total + Number(line['suppressed'] ?? 0) : total), 0);
    expect({ limit_namespace: sum('limit_namespace'), limit_rule: sum('limit_rule') }).toEqual(heldBack);
    // Two limits: each begins, each is counted when the process stops; and once a minute, on a slow machine.
    expect(said.length).toBeLessThan(20);
    console.info(`heap grown by ${grown} bytes, ${Math.round(grown / ALERTS)} an alert`);
    expect(grown).toBeLessThan(ALERTS * HEAP_EACH);
  });

  it('would act as often as they are without a limit that holds (negative control)', async () => {
    place.rule('kill.yaml', terminateRule());
    await storm(FIRST);
    expect(changes(api)).toHaveLength(FIRST);
    expect(countEndings(await readLedger(temporary.bus))).toEqual({ 'succeeded done': FIRST });
    expect(said).toEqual([]);
  });
});
