import { systemClock } from '@eyrie/platform/clock';
import { createHttpClient } from '@eyrie/platform/http-client';
import { createLogger } from '@eyrie/platform/log';
import { createSigner } from '@eyrie/platform/sign';
import { temporaryLog } from '@eyrie/platform/testing/temporary-log';
import type { ActionRequest } from '@eyrie/schemas';
import { expect, it, vi } from 'vitest';
import { runOwner } from './owner.ts';
import { Progress } from './progress.ts';
import { readSetup } from './setup.ts';
import { testPlace } from './testing/place.ts';

const PLANS = 500;
const REQUESTS = 8_000;
/** A step reads no more bytes of requests than this many have. */
const ONE_READ = 1_500;

const RULE = `
version: 1
rules: [{rule: R, id: r, mode: observe, match: {rules: [R]}, cooldown: 1s, actions: [{action: x, actionner: shell:script, parameters: {script: x.sh}}]}]
`;

it('plans kept stay within their bound while requests come faster than they expire', async () => {
  const [place, temporary, http] = [testPlace(), temporaryLog(), createHttpClient()];
  place.script('x.sh', '#!/bin/sh\n');
  place.rule('r.yaml', RULE);
  const { bus, metrics } = temporary;
  const signer = createSigner(Buffer.alloc(32, 7));
  const setup = readSetup(
    { rulesDir: place.rulesDir, scriptsDir: place.scriptsDir, scriptsMax: 1 },
    { http, clock: systemClock },
  );
  const progress = new Progress();
  const deps = {
    bus,
    signer,
    metrics,
    log: createLogger({ name: 'test', level: 'silent' }),
    clock: systemClock,
    random: Math.random,
    setup: () => setup,
    progress,
  };
  const settings = {
    alertLifeMs: 3_600_000,
    plansMax: PLANS,
    noticesMax: 100,
    notifyDeadlineMs: 1_000,
    partitions: 1,
    activeMax: 100,
    drainMs: 0,
  };
  const context = { rule: 'R', priority: 'Notice', summary: 's'.repeat(200), fields: {} };
  const outputs = Array.from({ length: REQUESTS }, (_, i) => {
    const about = {
      v: 1,
      kind: 'match',
      tenant: 't',
      cluster: 'c',
      rule_id: 'r',
      alert_id: `a${i}`,
      target: `p${i}`,
      context,
    };
    const value = signer.seal(about as unknown as Omit<ActionRequest, 'mac'>);
    return { topic: 'action-requests', partition: 0, key: 't', value } as const;
  });
  let most = 0;
  const spec = { group: 'responder-owner', inputs: ['action-requests'], state: 'action-state' } as const;
  const member = bus.join(spec, (assigned, signal) => {
    // How many are kept, counted as they are written.
    const kept = new Set<string>();
    const counting = new Proxy(assigned, {
      get: (target, name) => {
        if (name !== 'transact') {
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return (step: Parameters<typeof target.transact>[0]) => {
          for (const [key, value] of step.state ?? []) {
            if (!key.startsWith('p/')) continue;
            if (value === null) kept.delete(key);
            else kept.add(key);
          }
          most = Math.max(most, kept.size);
          return target.transact(step);
        };
      },
    });
    return runOwner(counting, signal, () => {}, deps, settings);
  });
  try {
    await bus.append(outputs);
    await progress.until('action-requests', 0, REQUESTS);
    expect(most).toBeLessThan(PLANS + 2 * ONE_READ);
    await vi.waitFor(
      async () => expect((await bus.readState('action-state', 0, 'p/')).length).toBeLessThanOrEqual(PLANS),
      { timeout: 20_000, interval: 50 },
    );
    const [[, reached] = []] = await metrics.read('eyrie_bound_reached_total');
    expect(reached).toBeGreaterThan(1);
  } finally {
    await member.leave();
    await temporary.remove();
    await http.close();
    place.remove();
  }
});
