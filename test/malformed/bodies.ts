import { gzipSync, zstdCompressSync } from 'node:zlib';

/** A body no decent sender would send, and what must become of it. */
export interface Malformed {
  readonly kind: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: readonly number[];
  /** Valid events in it: all must be accepted, whatever stands beside them. */
  readonly valid: number;
  /** Most that may be accepted: some malformed things still are events. */
  readonly accepted: number;
}

/** The same numbers for the same seed, so that a failure can be seen again. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const LINES_TYPE = { 'content-type': 'application/x-ndjson' };
const MIB = 1024 * 1024;

/** Marks valid events, so that they can be counted in the log. */
export const MARK = 'valid-neighbour';

let serial = 0;
function event(top: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  serial += 1;
  return {
    hostname: 'node-1',
    output: `something ${serial}`,
    output_fields: { 'proc.name': 'bash', 'proc.pid': serial, 'proc.cmdline': 'bash -c "ls \\ /ünï"' },
    priority: 'Notice',
    rule: 'Terminal shell in container',
    source: 'syscall',
    tags: ['shell'],
    time: '2026-11-24T10:00:00.123456789Z',
    ...top,
  };
}
const good = () => JSON.stringify(event({ output: `${MARK} ${serial}` }));

type Random = (below: number) => number;
const pick = <T>(random: Random, list: readonly [T, ...T[]]): T => list[random(list.length)] ?? list[0];

/** The bad line between two good ones, as lines or as an array. */
function between(kind: string, bad: Buffer | string, accepted = 0, form: 'lines' | 'array' = 'lines'): Malformed {
  const [open, comma, close] = form === 'lines' ? ['', '\n', '\n'] : ['[', ', ', ']'];
  const parts = [`${open}${good()}${comma}`, bad, `${comma}${good()}${close}`].map((part) =>
    Buffer.from(part as string),
  );
  const headers = form === 'lines' ? LINES_TYPE : JSON_TYPE;
  return { kind, body: Buffer.concat(parts), headers, status: [200], valid: 2, accepted: 2 + accepted };
}

/** A refused body as a whole. */
function whole(kind: string, body: Buffer | string, status: readonly number[], headers = {}): Malformed {
  return {
    kind,
    body: Buffer.from(body as string),
    headers: { ...JSON_TYPE, ...headers },
    status,
    valid: 0,
    accepted: 0,
  };
}

const WRONG = [null, 5, true, [], {}, [{}], '', 'nonsense', -1.5e300] as const;

const makers: readonly [(random: Random) => Malformed, ...((random: Random) => Malformed)[]] = [
  (random) => {
    const text = JSON.stringify(event());
    return whole('truncated', text.slice(0, 1 + random(text.length - 1)), [200]);
  },
  (random) => {
    const text = JSON.stringify(event());
    return between('truncated line', text.slice(0, 1 + random(text.length - 1)));
  },
  (random) => {
    const text = `[${good()},${good()}]`;
    return { ...whole('truncated array', text.slice(0, 1 + random(text.length - 1)), [400]) };
  },
  (random) => {
    const depth = 100 + random(10_000);
    const [open, close] = pick(random, [
      ['[', ']'],
      ['{"a":', '}'],
    ]);
    const nested = `${open.repeat(depth)}1${close.repeat(depth)}`;
    const fields = `{"rule":"x","priority":"Notice","time":"2026-11-24T10:00:00Z","output_fields":{"deep":${nested}}}`;
    return between('nested', pick(random, [nested, fields]), 0, pick(random, ['lines', 'array']));
  },
  (random) => between('open brackets', pick(random, ['[', '{"a":', '{"a":[']).repeat(10_000)),
  (random) => whole('open brackets alone', '['.repeat(1 + random(50_000)), [400]),
  (random) => between('long line', JSON.stringify(event({ output: 'x'.repeat(262_144 + random(100_000)) }))),
  (random) => {
    const name = pick(random, ['rule', 'priority', 'time', 'output_fields', 'tags', 'hostname', 'source', 'output']);
    const value = pick(random, WRONG);
    return between('wrong type', JSON.stringify(event({ [name]: value })), 1, pick(random, ['lines', 'array']));
  },
  (random) => between('no object', JSON.stringify(pick(random, WRONG)) || '""', 0, pick(random, ['lines', 'array'])),
  (random) => {
    const bytes = Buffer.from(JSON.stringify(event({ output: 'x'.repeat(20) })));
    const at = bytes.indexOf('xxxx') + random(16);
    bytes[at] = pick(random, [0x80, 0xc0, 0xff, 0xed, 0xf8]);
    return between('invalid UTF-8', bytes);
  },
  (random) => {
    const name = pick(random, ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']);
    const inner = pick(random, ['{"rule":"x","polluted":true}', '{"prototype":{"polluted":true}}', 'null', '"x"']);
    const text = JSON.stringify(event()).slice(0, -1);
    return between('prototype key', `${text},"${name}":${inner},"output_fields":{"${name}":${inner}}}`, 1);
  },
  () => between('only prototype', '{"__proto__":{"rule":"x","priority":"Notice","time":"2026-11-24T10:00:00Z"}}'),
  (random) => {
    const text = JSON.stringify(event()).slice(0, -1);
    const again = pick(random, [
      '"rule":7',
      '"rule":"other"',
      '"time":"never"',
      '"output_fields":[]',
      '"priority":null',
    ]);
    return between('duplicate key', `${text},${again}}`, 1);
  },
  (random) => {
    const number = pick(random, [
      '1e999',
      '-1e999',
      '9'.repeat(1000),
      `0.${'1'.repeat(500)}`,
      '1e-9999',
      '01',
      '-',
      '1e',
      '0x1f',
      'NaN',
    ]);
    return between('huge number', JSON.stringify(event({ output_fields: 0 })).replace(':0,', `:{"n":${number}},`), 1);
  },
  (random) => {
    const bytes = Buffer.from(Array.from({ length: random(300) }, () => random(256)).map((b) => (b === 10 ? 11 : b)));
    return between('random bytes', bytes);
  },
  (random) => {
    const bytes = Buffer.from(Array.from({ length: 1 + random(300) }, () => random(256)));
    return whole('random body', bytes, [200, 400], pick(random, [JSON_TYPE, LINES_TYPE]));
  },
  (random) => {
    const bytes = Buffer.from(JSON.stringify(event()));
    for (let i = 0; i <= random(3); i += 1) bytes[random(bytes.length)] = random(256);
    return between('mutated', bytes, 1);
  },
  (random) =>
    between('control bytes', pick(random, ['\0', '\0{}', '\uFEFF', '\r', '\x1b[2J', '\u2028', '{}\0', ' \t '])),
  (random) =>
    between('several in a line', `${JSON.stringify(event())}${pick(random, ['', ' ', ','])}${JSON.stringify(event())}`),
  (random) => {
    const packed = gzipSync(good());
    return whole('broken gzip', packed.subarray(0, random(packed.length - 8)), [400], { 'content-encoding': 'gzip' });
  },
  (random) => {
    const packed = zstdCompressSync(good());
    return whole('broken zstd', packed.subarray(0, 1 + random(packed.length - 2)), [400], {
      'content-encoding': 'zstd',
    });
  },
  (random) => {
    const coding = pick(random, ['gzip', 'zstd']);
    return whole('not packed', good(), [400], { 'content-encoding': coding });
  },
  (random) => {
    const headers: readonly [Record<string, string>, ...Record<string, string>[]] = [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/jsonp' },
      { 'content-type': ';;;=' },
      { 'content-encoding': 'br' },
      { 'content-encoding': 'gzip, zstd' },
    ];
    return whole('wrong headers', good(), [415], pick(random, headers));
  },
  (random) => whole('blank', ' \n\r\t'.repeat(random(50)), [400]),
];

/** Dear ones: made once, sent now and then. */
const zeros = Buffer.alloc(64 * MIB);
const bombs: readonly [Malformed, ...Malformed[]] = [
  whole('gzip bomb', gzipSync(zeros), [413], { 'content-encoding': 'gzip' }),
  whole('zstd bomb', zstdCompressSync(zeros), [413], { 'content-encoding': 'zstd' }),
  whole('gzip of lines', gzipSync('{}\n'.repeat(2_000_000)), [413], { ...LINES_TYPE, 'content-encoding': 'gzip' }),
  whole('50 MB line', Buffer.alloc(50_000_000, 'x'), [413]),
  whole('50 MB line without length', Buffer.alloc(50_000_000, 'x'), [413], { 'transfer-encoding': 'chunked' }),
  whole('30 MB line', Buffer.alloc(30_000_000, '['), [400, 503]),
  whole('30 MB of text', Buffer.alloc(30_000_000, 'x'), [200, 503]),
  whole('many lines', '1\n'.repeat(200_000), [413], LINES_TYPE),
];
const DEAR_EVERY = 125;

export function malformedBody(index: number, random: Random): Malformed {
  if (index % DEAR_EVERY === DEAR_EVERY - 1) return bombs[Math.trunc(index / DEAR_EVERY) % bombs.length] ?? bombs[0];
  return pick(random, makers)(random);
}
