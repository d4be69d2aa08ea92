import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathGravity } from './facts.ts';
import { floorOfCommand } from './floors.ts';
import { factsOf } from './texts.ts';

const PIECES = [
  ...[
    'xmrig',
    'XMRig',
    'stratum+tcp://',
    'Stratum://',
    '/dev/tcp/',
    'pty.spawn(',
    'nc',
    'netcat',
    '-e /bin/sh',
    '-c sh',
  ],
  ...[
    'socat',
    'EXEC:',
    'mkfifo',
    '| sh',
    'falco',
    'falcoctl',
    'kill',
    'rm',
    'release_agent',
    '/etc/shadow',
    '/etc/gshadow',
  ],
  ...['serviceaccount/token', 'docker.sock', '/proc/1/', '/core_pattern', '.aws', '.ssh/', 'id_rsa', 'authorized_keys'],
  ...['.pem', '/etc/pam.d', '/etc/sudoers', ' ', 'x', '/', '_', '1'],
];

describe('what a text says by itself', () => {
  it('is what its patterns say one by one', () => {
    let telling = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }), (pieces) => {
        const text = pieces.join('');
        const facts = { floor: floorOfCommand(text), gravity: pathGravity(text) };
        if (facts.floor !== undefined) telling += 1;
        expect(factsOf(text)).toEqual(facts);
      }),
      { numRuns: 2_000 },
    );
    expect(telling).toBeGreaterThan(100);
  });
});
