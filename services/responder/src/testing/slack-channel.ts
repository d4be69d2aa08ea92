import { type Answer, type Received, slackAnswer } from './fakes.ts';

interface Posted {
  readonly ts: string;
  readonly channel: string;
  readonly thread_ts?: string;
  readonly reply_broadcast?: boolean;
  readonly text: string;
}

/** `slackAnswer` with a memory: every message has a ts of its own, and only one that is there can be answered. */
export function fakeSlack(channels: readonly string[] = ['#alerts']) {
  const posted: Posted[] = [];
  let made = 0;

  function answer(request: Received): Answer {
    const message = JSON.parse(request.body) as Posted;
    const isThere = channels.includes(message.channel);
    const checked = slackAnswer({
      ...request,
      body: JSON.stringify({ ...message, channel: isThere ? '#alerts' : 'none' }),
    });
    if (!checked.body?.includes('"ok":true')) return checked;
    const first = posted.find(({ ts, channel }) => ts === message.thread_ts && channel === message.channel);
    if (message.thread_ts !== undefined && first === undefined) {
      return { status: 200, body: JSON.stringify({ ok: false, error: 'thread_not_found' }) };
    }
    made += 1;
    const ts = `1732700000.${String(made).padStart(6, '0')}`;
    posted.push({ ...message, ts });
    return { status: 200, body: JSON.stringify({ ok: true, channel: 'C1', ts }) };
  }

  return { posted, answer };
}
