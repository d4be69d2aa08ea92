/**
 * From the post of an event to the deletion of its pod on the wire, guards included, at 1, 10 and 100 a second, everything in one
 * process, and as many as it can. Each event is of another pod. `node bench/response.ts [seconds]` (default 20). The API server is
 * a fixture in a process of its own, over TLS.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectOverSocket } from '../services/platform/src/store/sql-client.ts';
import { FAKE_TOKEN } from '../services/responder/src/testing/kubernetes-api.ts';
import { machine, report, startEyrie, temporaryDirectory } from './process.ts';

const SECONDS = Number(process.argv[2] ?? 20);
const RATES = [1, 10, 100];
const BURST = 2_000;
const PODS = RATES.reduce((sum, rate) => sum + rate * SECONDS, 0) + BURST + 100;

const RULES = `
version: 1
policy: {limits: {disruptive: {}}}
rules:
  - rule: Kill
    id: kill
    mode: enforce
    match: {rules: [Shell]}
    cooldown: 1s
    limits: {target: 1/1h, rule: 9999/1s}
    actions: [{action: kill, actionner: kubernetes:terminate, parameters: {method: delete}}]
    tests:
      - {name: acts, given: {event: {rule: Shell}}, expect: {decision: executing}}
      - {name: not otherwise, given: {event: {rule: Other}}, expect: {decision: no_match}}
`;

const directory = temporaryDirectory('response');
const at = (name: string) => join(directory.path, name);
const api = fork(new URL('./response-api.ts', import.meta.url).pathname, [String(PODS), at('ca.pem')]);
const [{ server }] = (await once(api, 'message')) as [{ server: string }];
mkdirSync(at('rules'));
writeFileSync(at('rules/kill.yaml'), RULES);
writeFileSync(at('token'), FAKE_TOKEN);
writeFileSync(
  at('connections.yaml'),
  `version: 1\nclusters: [{cluster: default, server: "${server}", ca_file: ca.pem, token_file: token}]\n`,
);
const env = { EYRIE_RULES_DIR: at('rules'), EYRIE_CONNECTIONS_FILE: at('connections.yaml') };
const eyrie = await startEyrie(at('data'), { env });
const ended = new Map<string, number>();
api.on('message', ({ pod, at: when }: { pod: string; at: number }) => void ended.set(pod, when));
const now = () => performance.timeOrigin + performance.now();
let next = 0;
try {
  await run(20, 5);
  for (const rate of RATES) {
    const latencies = await run(rate, rate * SECONDS);
    for (const [name, share] of Object.entries({ p50: 0.5, p99: 0.99 })) {
      report({ name: `response_${rate}_per_second_${name}`, value: quantile(latencies, share), unit: 'ms' });
    }
  }
  const started = now();
  await run(Number.POSITIVE_INFINITY, BURST);
  report({
    name: 'response_at_once',
    value: BURST / ((Math.max(...ended.values()) - started) / 1_000),
    unit: 'actions_per_second',
  });
  process.stderr.write(`${machine()}\n`);
} finally {
  await eyrie.stop();
  api.kill();
  directory.remove();
}

/** Milliseconds from each post to the deletion of its pod. */
async function run(rate: number, count: number): Promise<readonly number[]> {
  const posted = new Map<string, number>();
  const posts: Promise<void>[] = [];
  const started = now();
  for (let i = 0; i < count; i += 1) {
    const due = started + (i / rate) * 1_000;
    while (now() < due) await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - now())));
    const pod = `web-${next}`;
    posted.set(pod, now());
    posts.push(post(eventOf(next)));
    next += 1;
    if (rate === Number.POSITIVE_INFINITY && posts.length % 64 === 0) await Promise.all(posts);
  }
  await Promise.all(posts);
  const deadline = now() + 60_000;
  while ([...posted.keys()].some((pod) => !ended.has(pod)) && now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const lost = [...posted.keys()].filter((pod) => !ended.has(pod));
  if (lost.length > 0) {
    const { rows } = await selectOverSocket(
      at('data'),
      'SELECT state, reason, any(detail), count() FROM actions GROUP BY state, reason',
    );
    throw new Error(`${lost.length} actions were lost: ${JSON.stringify(rows)}`);
  }
  return [...posted].map(([pod, when]) => (ended.get(pod) ?? Number.POSITIVE_INFINITY) - when);
}

function eventOf(i: number): string {
  return JSON.stringify({
    hostname: 'node-1',
    output: 'A shell was spawned',
    priority: 'Notice',
    rule: 'Shell',
    source: 'syscall',
    tags: ['container', 'shell'],
    time: new Date().toISOString().replace('Z', `${String(i % 1_000_000).padStart(6, '0')}Z`),
    output_fields: {
      'container.id': i.toString(16).padStart(12, '0').padEnd(64, '0'),
      'k8s.ns.name': 'shop',
      'k8s.pod.name': `web-${i}`,
      'proc.name': 'bash',
      'proc.cmdline': 'bash -i',
    },
  });
}

async function post(body: string): Promise<void> {
  const answer = await fetch(eyrie.ready.gateway, {
    method: 'POST',
    headers: { authorization: `Bearer ${eyrie.ready.intake_token}`, 'content-type': 'application/json' },
    body,
  });
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
