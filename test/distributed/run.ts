import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import { type FaultProxy, startFaultProxy } from '@eyrie/platform/testing/clickhouse/fault-proxy';
import { startFront } from '@eyrie/platform/testing/clickhouse/front';
import { freePort } from '@eyrie/platform/testing/free-port';
import { createInput } from '../../bench/input.ts';
import { temporaryDirectory } from '../../bench/process.ts';
import { writeTraceResponse } from '../../services/cli/src/demo/response.ts';
import { sendFiles } from '../../services/cli/src/send.ts';
import { kafkaOptions } from '../kafka/kafka-child.ts';
import { createMember, type Member, wait } from './fleet.ts';
import { type Result, readResult, settled } from './result.ts';
import type { Sabotage } from './sabotage.ts';

const INTAKE_TOKEN = 'eyrie_test-intake-token-0123456789abcdefghij';
const API_TOKEN = 'eyrie_test-api-token-0123456789abcdefghijklm';
const SIGNING_KEY = '5a'.repeat(32);
export const SESSION_TIMEOUT_MS = 3_000;
/** At the same time, in each partition of actions. */
const SCRIPTS = 4;
const PARTITIONS = { raw: 2, alerts: 4, actions: 2, shared: 1 };
const WORKLOADS = 20;

export interface RunOptions {
  readonly brokers: readonly string[];
  /** Distinct events; a twentieth of them is sent a second time. */
  readonly events: number;
  /** Executions of the script an undisturbed run has: a reader that starts anew may be late with them. */
  readonly actions?: number;
  /** Events a second at most: what happens meanwhile should meet work. */
  readonly rate?: number;
  readonly replicationFactor?: number;
  readonly sabotage?: Sabotage;
  /** Main file of every member's first life (default: of this version). */
  readonly main?: string;
  /** Before the first event is sent. */
  readonly before?: (run: Run) => Promise<void>;
  /** While events are sent and carried on; what it starts it also ends. */
  readonly disturb?: (run: Run) => Promise<void>;
}

/** One whole system: topics, tables and roles of its own. */
export interface Run {
  readonly prefix: string;
  readonly proxy: FaultProxy;
  readonly members: readonly Member[];
  member(name: string): Member;
  /** Everything was accepted by the gateway. */
  readonly isSent: () => boolean;
  readonly api: () => string;
}

const TWINS = ['processor', 'archiver', 'responder'] as const;

/** Sends the same events through a new system, under whatever is done to it, and reads what has come of them. */
export async function run(options: RunOptions): Promise<Result> {
  const { brokers, events, sabotage } = options;
  const home = temporaryDirectory('distributed');
  const prefix = `run-${randomBytes(4).toString('hex')}.`;
  const kafka = kafkaOptions({ brokers, prefix });
  await createTopics({ ...kafka, partitions: PARTITIONS, replicationFactor: options.replicationFactor ?? 1 });
  const front = await startFront();
  const proxy = await startFaultProxy(() => front.url());
  const trace = join(home.path, 'trace');
  writeFileSync(trace, '');
  const response = writeTraceResponse(join(home.path, 'response'), { trace, match: { priority: '>=Critical' } });
  const gatewayPort = await freePort();
  const env = {
    EYRIE_BUS: 'kafka',
    EYRIE_KAFKA_BROKERS: brokers.join(','),
    EYRIE_TOPIC_PREFIX: prefix,
    EYRIE_KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
    EYRIE_SIGNING_KEY: SIGNING_KEY,
    // So that what is at rest has told its last count.
    EYRIE_PROCESSOR_INTERVAL_MS: '1000',
    EYRIE_STORE: 'clickhouse',
    EYRIE_CLICKHOUSE_URL: proxy.url,
    EYRIE_CLICKHOUSE_USER: front.user,
    EYRIE_CLICKHOUSE_PASSWORD: front.password,
    EYRIE_INTAKE_TOKEN: INTAKE_TOKEN,
    EYRIE_API_TOKEN: API_TOKEN,
    EYRIE_GATEWAY_PORT: String(gatewayPort),
    EYRIE_CONSOLE_PORT: '0',
    EYRIE_HEALTH_PORT: '0',
    EYRIE_RULES_DIR: response.rules,
    EYRIE_SCRIPTS_DIR: response.scripts,
    // The broker of the tests asks nobody who he is.
    EYRIE_RESPONDER_TRUST_TOPICS: 'true',
    EYRIE_RESPONDER_SCRIPTS_MAX: String(SCRIPTS),
  };
  const make = (role: string, name = role) =>
    createMember({
      name,
      role,
      directory: home.path,
      env,
      ...(sabotage !== undefined && { sabotage }),
      ...(options.main !== undefined && { main: options.main }),
    });
  const members = [
    make('console'),
    make('gateway'),
    ...TWINS.flatMap((role) => [make(role, `${role}-0`), make(role, `${role}-1`)]),
  ];
  const member = (name: string) => members.find((one) => one.name === name) ?? raise(name);
  let isSent = false;
  const it: Run = {
    prefix,
    proxy,
    members,
    member,
    isSent: () => isSent,
    api: () => member('console').addresses()['console'] ?? '',
  };

  try {
    for (const name of ['console', 'gateway']) {
      if ((await member(name).start()) === 'ended') throw new Error(`${name} ended before it was ready`);
    }
    const input = createInput({ seed: 7, workloads: WORKLOADS });
    await post(`${it.api()}/v1/workloads`, input.workloads());
    await Promise.all(members.slice(2).map((one) => one.start()));
    const file = join(home.path, 'events.jsonl');
    const lines = input.lines(events);
    const repeated = lines.filter((_, index) => index % 20 === 0);
    writeFileSync(file, [...lines, ...repeated, ''].join('\n'));
    await options.before?.(it);
    const sending = sendFiles({
      files: [file],
      url: `http://127.0.0.1:${gatewayPort}`,
      token: INTAKE_TOKEN,
      batch: 100,
      stateFile: join(home.path, 'state'),
      ...(options.rate !== undefined && { rate: options.rate }),
    }).then((sent) => {
      isSent = true;
      return sent;
    });
    await Promise.all([sending, options.disturb?.(it)]);
    const { accepted } = await sending;
    if (accepted !== lines.length + repeated.length) throw new Error(`${accepted} of ${lines.length} were accepted`);
    await Promise.all(members.filter((one) => one.child() === undefined).map((one) => one.start()));
    await settled(front, { events, actions: options.actions ?? 0 }, trace);
    const result = await readResult(front, it.api(), API_TOKEN, trace);
    const cutShort = members.filter(({ role }) => role === 'responder').reduce((sum, one) => sum + one.cutShort(), 0);
    return { ...result, unknownMax: cutShort * SCRIPTS * PARTITIONS.actions };
  } catch (error) {
    const words = members.map((one) => `${one.name}: ${one.words().slice(-2_000)}`).join('\n');
    throw new Error(`${error instanceof Error ? error.stack : error}\n${words}`, { cause: error });
  } finally {
    await Promise.all(members.map((one) => one.end('SIGKILL')));
    await proxy.down();
    await front.stop();
    home.remove();
  }
}

async function post(url: string, items: readonly unknown[]): Promise<void> {
  const body = items.map((item) => JSON.stringify(item)).join('\n');
  const headers = { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/x-ndjson' };
  const answer = await fetch(url, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  // What other processes follow of it, they follow some moments later.
  await wait(500);
}

function raise(name: string): never {
  throw new RangeError(`there is no member ${name}`);
}
