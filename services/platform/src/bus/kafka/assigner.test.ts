import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assign, type Claim } from './assigner.ts';

const group = fc.record({
  partitions: fc.integer({ min: 1, max: 40 }),
  members: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 8 }),
  owners: fc.array(fc.option(fc.nat(20)), { minLength: 40, maxLength: 40 }),
});

/** Owners that are no members any more have died: their partitions are free. */
function claimsOf({ partitions, members, owners }: typeof group extends fc.Arbitrary<infer T> ? T : never): Claim[] {
  return members.map((member, i) => ({
    member,
    owned: owners.slice(0, partitions).flatMap((owner, number) => (owner === i ? [number] : [])),
  }));
}

test('nobody is given what another member still owns, and nothing twice', () => {
  fc.assert(
    fc.property(group, (one) => {
      const claims = claimsOf(one);
      const given = [...assign(one.partitions, claims)].flatMap(([member, numbers]) =>
        numbers.map((number) => ({ member, number })),
      );
      expect(new Set(given.map(({ number }) => number)).size).toBe(given.length);
      for (const { member, number } of given) {
        const owner = claims.find(({ owned }) => owned.includes(number));
        expect(owner === undefined || owner.member === member).toBe(true);
      }
    }),
  );
});

test('two rounds later everything is owned, evenly, and only what had to move has moved', () => {
  fc.assert(
    fc.property(group, (one) => {
      const before = claimsOf(one);
      const next = () => [...assign(one.partitions, claims)].map(([member, owned]) => ({ member, owned }));
      let claims: Claim[] = before;
      claims = next();
      claims = next();
      const sizes = claims.map(({ owned }) => owned.length);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(one.partitions);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      const least = Math.floor(one.partitions / one.members.length);
      for (const { member, owned } of claims) {
        const held = before.find((claim) => claim.member === member)?.owned ?? [];
        const kept = held.filter((number) => owned.includes(number)).length;
        expect(kept).toBeGreaterThanOrEqual(Math.min(held.length, least));
      }
      expect(new Map(next().map(({ member, owned }) => [member, owned]))).toEqual(
        new Map(claims.map(({ member, owned }) => [member, owned])),
      );
    }),
  );
});
