import { failureOf } from './clickhouse.ts';
import { ONE_BLOCK } from './insert.ts';
import type { EngineReply, EngineRequest } from './protocol.ts';
import { type Session, setStatement } from './session.ts';
import { runUntrusted } from './untrusted.ts';

const READERS = 3;

/** Every session: 64-bit integers as text (JavaScript rounds them), times as ISO, no threads beyond two. */
const COMMON = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_denormals: 1,
  max_threads: 2,
  async_insert: 0,
} as const;

/** Runs requests on sessions: one for writes, a few for our queries, a fresh read-only one for each untrusted SELECT. */
export function createExecutor(open: () => Session) {
  const writer = createLane(open, { ...COMMON, ...ONE_BLOCK });
  const readers = Array.from({ length: READERS }, () => createLane(open, COMMON));
  let next = 0;

  async function openReadOnly(settings: Readonly<Record<string, string | number>>): Promise<Session> {
    const session = open();
    try {
      await session.run(setStatement(settings));
      await session.run('USE eyrie');
      await session.run('SET readonly = 1');
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async function answer(request: EngineRequest): Promise<EngineReply> {
    switch (request.kind) {
      case 'command':
        return { kind: 'done', text: await writer.run((session) => session.run(request.sql)) };
      case 'query': {
        const idle = readers.find((lane) => lane.waiting() === 0);
        const lane = idle ?? readers[next++ % READERS];
        if (lane === undefined) throw new Error('no reader');
        const settings = { max_execution_time: request.timeoutMs / 1_000, limit: request.maxRows };
        const { params } = request;
        const text = await lane.run((session) => session.run(request.sql, { format: 'JSONCompact', params, settings }));
        return { kind: 'done', text };
      }
      case 'select':
        return runUntrusted(openReadOnly, request);
    }
  }

  return {
    /** Never rejects. */
    run: (request: EngineRequest): Promise<EngineReply> =>
      answer(request).catch((error: unknown) => ({ kind: 'failed', failure: failureOf(error) })),
    close: async () => {
      await Promise.all([writer, ...readers].map((lane) => lane.close()));
    },
  };
}

/** One session, opened on first use, one statement at a time. */
function createLane(open: () => Session, settings: Readonly<Record<string, string | number>>) {
  let session: Promise<Session> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function start(): Promise<Session> {
    const opened = open();
    await opened.run(setStatement(settings));
    return opened;
  }

  return {
    waiting: () => waiting,
    run: (task: (session: Session) => Promise<string>): Promise<string> => {
      session ??= start();
      const opened = session;
      waiting += 1;
      const result = last.then(async () => task(await opened)).finally(() => (waiting -= 1));
      last = result.catch(() => undefined);
      return result;
    },
    close: async () => {
      await last;
      if (session !== undefined) await (await session).close();
    },
  };
}
