import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { type ClusterId, type Event, priorityRank, type TenantId } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { SOURCES } from '../../sources/index.ts';
import { createMemos } from '../prepare/memo.ts';
import { prepareLine } from '../prepare/prepare-line.ts';
import { ScoreHistory } from './history.ts';
import { scoreEvent } from './score.ts';

const file = join(env['EYRIE_TEST_DATA'] ?? '../shared/data', 'falco', 'real-host-events.jsonl');

function readEvents(): Event[] {
  const tools = { sources: SOURCES, memos: createMemos() };
  const meta = {
    tenant: 't' as TenantId,
    cluster: 'c' as ClusterId,
    received_at: Date.UTC(2026, 0, 1),
    origin: 'file',
  };
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .flatMap((line, index) => {
      const position = { log: 'log', partition: 0, offset: 0, index };
      const prepared = prepareLine({ line: Buffer.from(line), meta: meta as never, index, position }, tools);
      return prepared.kind === 'event' ? [prepared.event] : [];
    });
}

/** Share of pairs in which the attack ranks higher; ties are half. */
function separation(attacks: readonly number[], benign: readonly number[]): number {
  let won = 0;
  for (const a of attacks) for (const b of benign) won += a > b ? 1 : a === b ? 0.5 : 0;
  return won / attacks.length / benign.length;
}

describe.runIf(existsSync(file))('genuine events of hosts, nothing learned yet', () => {
  const events = existsSync(file) ? readEvents() : [];
  const isAttack = ({ image, parent_name }: Event) =>
    image === 'falcosecurity/event-generator' || parent_name === 'event-generator';
  const attacks = events.filter(isAttack);
  const benign = events.filter(({ container_id }) => container_id === 'host');
  const score = (event: Event) => scoreEvent(new ScoreHistory(), { event, identity: {} });

  it('attacks rank above the noise of hosts, far better than by priority', () => {
    expect([attacks.length > 600, benign.length > 70]).toEqual([true, true]);
    const p = (list: readonly Event[]) => list.map((event) => score(event).p_attack);
    const rank = (list: readonly Event[]) => list.map(({ priority }) => priorityRank(priority));
    const byScore = separation(p(attacks), p(benign));
    const byPriority = separation(rank(attacks), rank(benign));
    expect(byScore).toBeGreaterThan(0.95);
    expect(byPriority).toBeLessThan(0.6);
  });

  it('nothing is suppressed', () => {
    expect(events.filter((event) => score(event).band === 'suppress')).toEqual([]);
  });
});
