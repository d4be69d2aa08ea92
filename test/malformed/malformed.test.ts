import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decodeRawFrame, OUTCOME_REASONS } from '@eyrie/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ERROR_CODES } from '../../services/platform/src/errors.ts';
import { openBus } from '../../services/platform/src/testing/log-child.ts';
import { createRandom, MARK, type Malformed, malformedBody } from './bodies.ts';

/** `EYRIE_TEST_RUNS=100` sends 100,000. */
const BODIES = 1000 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
const SEED = Number(process.env['EYRIE_TEST_SEED'] ?? 1);
const CONNECTIONS = 8;
const MIB = 1024 * 1024;
/** Stated bound of the gateway's own memory (the mapped log apart) with bodies of 32 MiB and 128 MiB in flight. */
const MEMORY_BYTES = 768 * MIB;

let directory: string;
let running: ChildProcess | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-malformed-'));
});
afterEach(() => {
  running?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

test(`${BODIES} malformed bodies: no crash, bounded memory, a code for each, every valid neighbour accepted`, {
  timeout: 120_000 + BODIES * 100,
}, async () => {
  const [data, stop] = [join(directory, 'data'), join(directory, 'stop')];
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../durability/gateway-child.ts'), data, stop, '262144'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running = child;
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-10_000);
  });
  const ended = once(child, 'exit');
  const [address] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, privateBytes(child.pid ?? 0));
  }, 50);

  const accepted = await sendAll(address);
  await sendGarbage(address);
  expect(await post(address, malformedBody(0, createRandom(SEED)))).toMatchObject({ status: expect.any(Number) });

  clearInterval(timer);
  writeFileSync(stop, '');
  expect((await ended)[0], stderr).toBe(0);
  expect(await countMarked(data)).toBe(accepted.marked);
  console.log(`malformed: ${JSON.stringify({ bodies: BODIES, peak_mib: Math.round(peak / MIB), ...accepted })}`);
  if (process.platform === 'linux') expect(peak).toBeGreaterThan(10 * MIB);
  expect(peak).toBeLessThan(MEMORY_BYTES);
});

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

interface Answer {
  readonly status: number;
  readonly body: {
    readonly accepted?: number;
    readonly rejected?: readonly { readonly index: number; readonly code: string }[];
    readonly error?: { readonly code: string };
  };
}

async function sendAll(address: string) {
  const random = createRandom(SEED);
  const statuses: Record<string, number> = {};
  const total = { marked: 0, accepted: 0, rejected: 0, statuses };
  let next = 0;
  const worker = async () => {
    while (next < BODIES) {
      const malformed = malformedBody(next, random);
      next += 1;
      const answer = await post(address, malformed);
      check(malformed, answer);
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      if (answer.status !== 200) continue;
      total.marked += malformed.valid;
      total.accepted += answer.body.accepted ?? 0;
      total.rejected += answer.body.rejected?.length ?? 0;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return total;
}

const REJECTIONS: ReadonlySet<string> = new Set([...OUTCOME_REASONS.rejected, ...OUTCOME_REASONS.filtered]);

function check({ kind, body, status, valid, accepted }: Malformed, answer: Answer): void {
  const what = `${kind}: ${body.subarray(0, 2000).toString('latin1')} → ${JSON.stringify(answer).slice(0, 2000)}`;
  expect(status, what).toContain(answer.status);
  if (answer.status !== 200) {
    expect(Object.keys(ERROR_CODES), what).toContain(answer.body.error?.code);
    return;
  }
  expect(answer.body.accepted, what).toBeGreaterThanOrEqual(valid);
  expect(answer.body.accepted, what).toBeLessThanOrEqual(accepted);
  for (const { code } of answer.body.rejected ?? []) expect(REJECTIONS, what).toContain(code);
}

function post(address: string, { body, headers }: Malformed): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isChunked = headers['transfer-encoding'] !== undefined;
    const sent = request(
      `${address}/v1/events`,
      {
        method: 'POST',
        agent,
        headers: { 'x-eyrie-token': 'any', ...headers, ...(!isChunked && { 'content-length': body.length }) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What is not even HTTP, or ends in the middle. */
async function sendGarbage(address: string): Promise<void> {
  const { port } = new URL(address);
  const head = 'POST / HTTP/1.1\r\nhost: x\r\nx-eyrie-token: any\r\ncontent-type: application/json\r\n';
  const talks: [text: string, answer: RegExp][] = [
    ['\0\0\0\0\r\n\r\n', /^HTTP\/1\.1 400 .*EYRIE_HTTP_BAD_REQUEST/s],
    [`${head}${'x-flood: y\r\n'.repeat(5000)}\r\n`, /^HTTP\/1\.1 431 /],
    [`${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`, /^HTTP\/1\.1 400 /],
    [`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`, /^HTTP\/1\.1 400 /],
    [`${head}content-length: -1\r\n\r\n`, /^HTTP\/1\.1 400 /],
    [`${head}content-length: 1000\r\n\r\n{"rule"`, /^$/],
  ];
  for (const [text, expected] of talks) {
    const answer = await new Promise<string>((resolve, reject) => {
      let got = '';
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(text);
        if (expected.source === '^$') setTimeout(() => socket.destroy(), 50);
      });
      socket.on('data', (chunk) => {
        got += chunk.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(got));
    });
    expect(answer).toMatch(expected);
  }
}

/** Memory of its own, without mapped files. */
function privateBytes(pid: number): number {
  try {
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The marked lines in the log: what was accepted is there. */
async function countMarked(data: string): Promise<number> {
  const bus = openBus(data);
  let count = 0;
  const { end } = await bus.bounds('raw', 0);
  for (let at = 0; at < end; ) {
    for (const { offset, value } of await bus.read('raw', 0, at, { maxBytes: 8 * MIB })) {
      at = offset + 1;
      for (const { lines } of decodeRawFrame(value)) for (const line of lines) if (line.includes(MARK)) count += 1;
    }
  }
  await bus.close();
  return count;
}
