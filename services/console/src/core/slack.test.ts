import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readInteraction } from './slack-interaction.ts';
import { isSignedBySlack } from './slack-signature.ts';

describe('the signature of Slack', () => {
  // The worked example of Slack's documentation on verifying requests.
  const secret = '8f742231b10e8888abcd99yyyzzz85a5';
  const timestamp = '1531420618';
  const body = Buffer.from(
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  );
  const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
  const now = Number(timestamp) * 1_000;

  it('holds for the example of the vendor', () => {
    expect(isSignedBySlack(secret, { timestamp, signature }, body, now)).toBe(true);
  });

  it.each<[string, Partial<{ secret: string; timestamp: string; signature: string; body: Buffer; now: number }>]>([
    ['another secret', { secret: `${secret}x` }],
    ['another body', { body: Buffer.concat([body, Buffer.from(' ')]) }],
    ['another time', { timestamp: '1531420619' }],
    ['six minutes later', { now: now + 360_000 }],
    ['six minutes earlier', { now: now - 360_000 }],
    ['no signature', { signature: '' }],
    ['a time that is none', { timestamp: 'NaN' }],
    ['a signature in capitals', { signature: signature.toUpperCase() }],
  ])('does not hold with %s', (_, over) => {
    const all = { secret, timestamp, signature, body, now, ...over };
    expect(isSignedBySlack(all.secret, all, all.body, all.now)).toBe(false);
  });

  it('is not fooled by the sum of another separator', () => {
    const other = createHmac('sha256', secret).update(`v0${timestamp}${body}`).digest('hex');
    expect(isSignedBySlack(secret, { timestamp, signature: `v0=${other}` }, body, now)).toBe(false);
  });
});

describe('a press of a button', () => {
  const plan = 'ab'.repeat(16);
  const hash = 'cd'.repeat(16);
  const pressed = (over: object = {}) =>
    Buffer.from(
      new URLSearchParams({
        payload: JSON.stringify({
          type: 'block_actions',
          user: { id: 'U1', name: 'ann' },
          team: { id: 'T1', domain: 'x' },
          actions: [{ action_id: 'eyrie-approve', block_id: 'b', value: `${plan}:${hash}` }],
          response_url: 'https://hooks.slack.com/x',
          ...over,
        }),
      }).toString(),
    );

  it('names plan, hash, user and team', () => {
    const answer = { user: 'U1', team: 'T1', decision: 'approve', plan, planHash: hash };
    expect(readInteraction(pressed())).toEqual(answer);
    const actions = [{ action_id: 'eyrie-deny', value: `${plan}:${hash}` }];
    expect(readInteraction(pressed({ actions }))).toEqual({ ...answer, decision: 'deny' });
  });

  it.each([
    [pressed({ type: 'view_submission' })],
    [pressed({ actions: [{ action_id: 'other', value: `${plan}:${hash}` }] })],
    [pressed({ actions: [{ action_id: 'eyrie-approve', value: `${plan}:` }] })],
    [pressed({ actions: [] })],
    [pressed({ user: null })],
    [Buffer.from('payload=%7B')],
    [Buffer.from('')],
    [Buffer.from('payload=null')],
  ])('is none: %s', (body) => {
    expect(readInteraction(body)).toBeUndefined();
  });
});
