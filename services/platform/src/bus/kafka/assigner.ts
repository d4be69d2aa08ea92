export interface Claim {
  readonly member: string;
  /** Partition numbers it owns now. */
  readonly owned: readonly number[];
}

/**
 * Who owns which partition numbers next: as even as can be, moving as few as can be. A number covers every input of the
 * group, so same-numbered partitions stay together. One that has to move is given to nobody while its owner still holds
 * it: the owner drains, gives it up and joins again, and that next round hands it on.
 */
export function assign(partitions: number, claims: readonly Claim[]): ReadonlyMap<string, readonly number[]> {
  const owner = new Map<number, string>();
  for (const { member, owned } of claims) {
    for (const number of owned) if (number < partitions && !owner.has(number)) owner.set(number, member);
  }
  const held = (member: string) => [...owner].filter(([, one]) => one === member).map(([number]) => number);
  const ranked = claims
    .map(({ member }) => ({ member, held: held(member).sort((a, b) => a - b) }))
    .sort((a, b) => b.held.length - a.held.length || (a.member < b.member ? -1 : 1));
  const share = Math.floor(partitions / Math.max(1, claims.length));
  const larger = partitions % Math.max(1, claims.length);
  const limits = new Map(ranked.map(({ member }, rank) => [member, share + (rank < larger ? 1 : 0)]));
  const given = new Map(ranked.map((one) => [one.member, one.held.slice(0, limits.get(one.member))]));
  const free = Array.from({ length: partitions }, (_, number) => number).filter((number) => !owner.has(number));
  for (const { member } of ranked) {
    const own = given.get(member) ?? [];
    // What others still hold counts against nobody yet: room is filled with what is free.
    own.push(...free.splice(0, (limits.get(member) ?? 0) - own.length));
    own.sort((a, b) => a - b);
  }
  return given;
}
