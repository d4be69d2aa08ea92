import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Takes the request and never answers. */
  readonly silent?: true;
  /** Does what is asked and breaks the connection before the answer. */
  readonly lost?: true;
}

/** A real HTTP server that keeps what it gets and answers as told; `standard` when nothing is queued. */
export interface Fake {
  readonly url: string;
  readonly received: readonly Received[];
  answer(...answers: readonly Answer[]): void;
  close(): Promise<void>;
}

export async function startFake(standard: (request: Received) => Answer): Promise<Fake> {
  const received: Received[] = [];
  const queued: Answer[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const got = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        at: Date.now(),
      };
      received.push(got);
      const next = queued.shift();
      const answer = next === undefined || next.lost === true ? standard(got) : next;
      const { status, headers = {}, body: text = '', silent } = answer;
      if (silent === true) return;
      if (next?.lost === true) return void request.socket.destroy();
      response.writeHead(status, headers).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (...answers) => void queued.push(...answers),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

interface Block {
  readonly type: string;
  readonly text?: { readonly text: string };
  readonly fields?: readonly { readonly text: string }[];
  readonly elements?: readonly { readonly text: string }[];
}

/** Slack's side of chat.postMessage, with the limits it documents: refuses with HTTP 200 and `ok: false`. */
export function slackAnswer({ headers, body }: Received): Answer {
  const refuse = (error: string): Answer => ({ status: 200, body: JSON.stringify({ ok: false, error }) });
  if (!/^Bearer xoxb-/.test(headers.authorization ?? '')) return refuse('invalid_auth');
  const message = JSON.parse(body) as { channel?: string; text?: string; blocks?: readonly Block[] };
  if (message.channel !== '#alerts') return refuse('channel_not_found');
  if (message.text === undefined || message.text.length > 40_000) return refuse('no_text');
  if ((message.blocks?.length ?? 0) > 50) return refuse('invalid_blocks');
  let sum = 0;
  for (const block of message.blocks ?? []) {
    const limit = block.type === 'header' ? 150 : 3_000;
    const texts = [...(block.fields ?? []), ...(block.elements ?? [])].map(({ text }) => text);
    if ((block.fields?.length ?? 0) > 10 || (block.elements?.length ?? 0) > 10) return refuse('invalid_blocks');
    if ((block.text?.text.length ?? 0) > limit || texts.some((text) => text.length > 2_000))
      return refuse('invalid_blocks');
    sum += (block.text?.text.length ?? 0) + texts.join('').length;
  }
  if (sum > 10_000) return refuse('msg_blocks_too_long');
  return { status: 200, body: JSON.stringify({ ok: true, channel: 'C1', ts: '1.2' }) };
}

/** Every text a Slack client would show or read markup from. */
export function slackTexts(body: string): string[] {
  const texts: string[] = [];
  JSON.parse(body, (_key, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  });
  return texts;
}
