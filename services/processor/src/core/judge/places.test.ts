import type { Identity } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { anEvent, someOptions } from './building.test-support.ts';
import { Places } from './places.ts';
import { entityOf, place } from './placing.ts';

const IDENTITY: Identity = { namespace: 'shop', workload_kind: 'Deployment', workload: 'api', container: 'main' };

describe('remembered places', () => {
  const event = anEvent(0, { container_id: 'abcdefabcdef', host: 'node-1' });
  const known = new Map<string, Identity>([[entityOf(event) ?? '', IDENTITY]]);
  const placed = place(event, entityOf(event), IDENTITY, someOptions({ identify: () => IDENTITY }));
  const places = new Places();
  places.remember(event, 7, IDENTITY, placed);

  it('hold for the same names at any time', () => {
    expect(places.find({ ...event, time: `${event.time.slice(0, -1)}9` as typeof event.time }, 7, known)?.placed).toBe(
      placed,
    );
  });

  it.each([
    ['another inventory', event, 8, known],
    ['another host', { ...event, host: 'node-2' }, 7, known],
    ['another pod', { ...event, pod: 'other' }, 7, known],
    ['another word of other events', event, 7, new Map<string, Identity>()],
  ])('do not hold for %s', (_, other, version, told) => {
    expect(places.find(other, version, told)).toBeUndefined();
  });
});
