import type { Identity } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { anEvent, someOptions } from './building.test-support.ts';
import { evolve } from './evolve.ts';
import { Places } from './places.ts';
import { entityOf, place } from './placing.ts';
import { JudgeState } from './state.ts';

const IDENTITY: Identity = { namespace: 'shop', workload_kind: 'Deployment', workload: 'api', container: 'main' };

describe('remembered places', () => {
  const event = anEvent(0, { container_id: 'abcdefabcdef', host: 'node-1' });
  const told = { known: new Map<string, Identity>([[entityOf(event) ?? '', IDENTITY]]), knownEpoch: 3 };
  const placed = place(event, entityOf(event), IDENTITY, someOptions({ identify: () => IDENTITY }));
  const places = new Places();
  places.remember(event, 7, told, placed);

  it('hold for the same names at any time', () => {
    const later = { ...event, time: `${event.time.slice(0, -1)}9` as typeof event.time };
    expect(places.find(later, 7, told)?.place.placed).toBe(placed);
  });

  it('hold when other containers told something', () => {
    expect(places.find(event, 7, { ...told, knownEpoch: 4 })?.place.placed).toBe(placed);
  });

  it.each([
    ['another inventory', event, 8, told],
    ['another host', { ...event, host: 'node-2' }, 7, told],
    ['another pod', { ...event, pod: 'other' }, 7, told],
    ['another word of other events', event, 7, { known: new Map<string, Identity>(), knownEpoch: 5 }],
  ])('do not hold for %s', (_, other, version, words) => {
    expect(places.find(other, version, words)).toBeUndefined();
  });

  it('are looked at again after each word of another event', () => {
    const state = new JudgeState(0);
    const effects = [{ kind: 'known', entity: 'a', identity: IDENTITY }] as const;
    evolve(
      state,
      { judgement: undefined, command: undefined, alerts: [], notices: [], bounds: [], more: false, effects },
      someOptions({}),
    );
    expect(state.knownEpoch).toBe(1);
  });
});
