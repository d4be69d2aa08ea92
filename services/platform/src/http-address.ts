import { isIP } from 'node:net';

export type AddressClass = 'public' | 'private' | 'forbidden';

/**
 * Where an address leads. `forbidden`: metadata services, link-local, multicast, unspecified: nothing of ours ever has
 * business there. IPv6 forms that carry an IPv4 address (mapped, compatible, NAT64, 6to4) are judged by that address.
 */
export function classifyAddress(address: string): AddressClass {
  const version = isIP(address);
  if (version === 4) return classify4(parse4(address));
  if (version === 6) return classify6(parse6(address));
  return 'forbidden';
}

type Range = readonly [base: string, bits: number];
const range4 = (ranges: readonly Range[]) => ranges.map(([base, bits]) => [parse4(base), bits] as const);

const FORBIDDEN4 = range4([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
  // Metadata services outside link-local: Alibaba, Oracle, Azure's host.
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
  ['168.63.129.16', 32],
]);
const PRIVATE4 = range4([
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['240.0.0.0', 4],
]);

function classify4(address: number): AddressClass {
  if (FORBIDDEN4.some(([base, bits]) => within4(address, base, bits))) return 'forbidden';
  return PRIVATE4.some(([base, bits]) => within4(address, base, bits)) ? 'private' : 'public';
}

function within4(address: number, base: number, bits: number): boolean {
  return Math.floor(address / 2 ** (32 - bits)) === Math.floor(base / 2 ** (32 - bits));
}

function parse4(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

function classify6(words: readonly number[]): AddressClass {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = words;
  const low = g * 0x1_0000 + h;
  const zeros = a === 0 && b === 0 && c === 0 && d === 0;
  if (zeros && e === 0 && f === 0) {
    if (low === 0) return 'forbidden';
    return low === 1 ? 'private' : classify4(low);
  }
  if (zeros && e === 0 && f === 0xffff) return classify4(low);
  if (zeros && e === 0xffff && f === 0) return classify4(low);
  if (a === 0x64 && b === 0xff9b) return c === 0 && d === 0 && e === 0 && f === 0 ? classify4(low) : 'forbidden';
  if (a === 0x2002) return classify4(b * 0x1_0000 + c);
  // Teredo tunnels to an IPv4 address of the sender's choice.
  if (a === 0x2001 && b === 0) return 'forbidden';
  if (a === 0xfd00 && b === 0xec2) return 'forbidden';
  // Google's metadata service.
  if (a === 0xfd20 && b === 0xce) return 'forbidden';
  if ((a & 0xffc0) === 0xfe80 || (a & 0xffc0) === 0xfec0 || (a & 0xff00) === 0xff00) return 'forbidden';
  if ((a & 0xfe00) === 0xfc00) return 'private';
  if (a === 0x2001 && b === 0xdb8) return 'private';
  // Only 2000::/3 is given out to the world.
  return (a & 0xe000) === 0x2000 ? 'public' : 'forbidden';
}

function parse6(address: string): readonly number[] {
  const bare = address.split('%')[0] ?? '';
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(bare);
  const value = dotted === null ? 0 : parse4(dotted[2] ?? '');
  const text = dotted === null ? bare : `${dotted[1]}${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
  const [head = '', tail] = text.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const left = words(head);
  if (tail === undefined) return left;
  const right = words(tail);
  return [...left, ...new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
}
