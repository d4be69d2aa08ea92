import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiAlert } from '@eyrie/schemas/api';
import type { z } from 'zod';
import { createApiClient } from '../api-client.ts';
import { EMBEDDED } from '../config.ts';
import { type Coverage, coverageText } from '../coverage.ts';
import { writeTraceResponse } from '../demo/response.ts';
import { createSimulator } from '../demo/simulator.ts';
import { plain, printJson, printLine } from '../print.ts';
import type { ReadyFile } from '../ready.ts';
import { signalled } from '../signalled.ts';
import { printAlert } from './alerts.ts';
import { startUp, untilStopped } from './up.ts';

type Alert = z.output<typeof ApiAlert>;

interface DemoOptions {
  readonly for?: number;
  readonly json?: boolean;
}

const TICK_MS = 200;
/** The simulated cluster lived for a while before the demo begins, so that there is noise to fold. */
const HISTORY_MS = 10 * 60_000;
const SUMMARY_MS = 12_000;

/** Everything in one process on a fresh directory, and a small simulated cluster that talks to it over HTTP. */
export async function demo(options: DemoOptions): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-demo-'));
  const trace = join(directory, 'trace.txt');
  const { rules, scripts } = writeTraceResponse(directory, { trace, match: { priority: '>=Critical' } });
  process.env['EYRIE_SCRIPTS_DIR'] ??= scripts;
  process.env['EYRIE_LOG_LEVEL'] ??= 'warn';
  Object.assign(process.env, EMBEDDED);
  const say = options.json === true ? () => {} : printLine;
  const up = { dataDir: join(directory, 'data'), gatewayPort: 0, consolePort: 0, rules };
  say('Starting everything in one process on a fresh directory …');
  const signal = signalled();
  const { pipeline, ready } = await startUp(up);
  const stopping = new AbortController();
  try {
    const story = new Story(ready, trace, up.dataDir, say);
    const ended = run(ready, story, options, stopping.signal);
    await untilStopped(pipeline, up, Promise.race([signal, ended]));
    if (options.json === true) printJson(story.summary);
  } finally {
    stopping.abort();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Ends after `--for`; without it only when the process is told to. */
async function run(ready: ReadyFile, story: Story, options: DemoOptions, signal: AbortSignal): Promise<void> {
  const readyAt = performance.now();
  story.follow(readyAt, signal).catch(() => {
    // The stream ends with the process.
  });
  const start = Date.now() - HISTORY_MS;
  const simulator = createSimulator({ seed: 42, startMs: start });
  await post(
    `${ready.console}/v1/workloads`,
    ready.api_token,
    simulator.workloads().map((pod) => JSON.stringify(pod)),
  );
  const end = options.for === undefined ? Number.POSITIVE_INFINITY : readyAt + options.for;
  const summaryAt = Math.min(readyAt + SUMMARY_MS, end - 2_000);
  let isTold = false;
  while (!signal.aborted && performance.now() < end) {
    const lines = simulator.next(Date.now());
    if (lines.length > 0) await post(`${ready.gateway}/v1/events`, ready.intake_token, lines);
    story.sent += lines.length;
    if (!isTold && performance.now() > summaryAt) {
      isTold = true;
      await story.tell();
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await story.collect();
}

async function post(url: string, token: string, lines: readonly string[]): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  await response.arrayBuffer();
}

/** What happened, in words. */
class Story {
  sent = 0;
  summary: Record<string, unknown> = {};
  readonly #client;
  readonly #trace: string;
  readonly #dataDir: string;
  readonly #say: (text?: string) => void;
  #shown = 0;
  #firstAlertMs: number | undefined;

  constructor(ready: ReadyFile, trace: string, dataDir: string, say: (text?: string) => void) {
    this.#client = createApiClient({ url: ready.console, token: ready.api_token });
    this.#trace = trace;
    this.#dataDir = dataDir;
    this.#say = say;
    say(`Gateway ${ready.gateway}, API ${ready.console}. A small simulated cluster starts to talk.`);
  }

  async follow(readyAt: number, signal: AbortSignal): Promise<void> {
    for await (const { event, data } of this.#client.stream({ signal })) {
      const alert = data as Alert;
      if (event !== 'alert' || alert['change'] !== 'opened') continue;
      if (this.#firstAlertMs === undefined) {
        this.#firstAlertMs = performance.now() - readyAt;
        this.#say(`First alert ${(this.#firstAlertMs / 1000).toFixed(1)} s after ready:`);
      }
      this.#shown += 1;
      if (this.#shown <= 12) {
        const identity = alert.identity as { namespace?: string; workload?: string };
        const place =
          identity.workload === undefined ? String(alert['host'] ?? '') : `${identity.namespace}/${identity.workload}`;
        const attack = `${Math.round((1 - alert.score.fp_score) * 100)} %`.padStart(5);
        this.#say(
          `  ${attack} ${alert.score.band.padEnd(8)} ${alert.priority.padEnd(13)} ${plain(place, 30).padEnd(30)} ${plain(alert.rule, 70)}`,
        );
      } else if (this.#shown === 13) this.#say('  …');
    }
  }

  async collect(): Promise<Alert | undefined> {
    const [page, monthly, actions] = await Promise.all([
      this.#client.alerts({ limit: 500 }),
      this.#client.monthlyAlerts(),
      this.#client.actions(),
    ]);
    const worst = [...page.items].sort((a, b) => a.score.fp_score - b.score.fp_score)[0];
    const traces = existsSync(this.#trace) ? readFileSync(this.#trace, 'utf8').split('\n').filter(Boolean).length : 0;
    this.summary = {
      events_sent: this.sent,
      first_alert_ms: this.#firstAlertMs === undefined ? null : Math.round(this.#firstAlertMs),
      alerts: page.items.length,
      monthly: monthly.items,
      reconciliation: monthly.reconciliation.difference,
      worst_alert: worst ?? null,
      actions: actions.items.map(({ rule_id, action, state, reason }) => ({ rule_id, action, state, reason })),
      traces,
    };
    return worst;
  }

  async tell(): Promise<void> {
    const worst = await this.collect();
    const { alerts, monthly, actions, traces } = this.summary as {
      alerts: number;
      monthly: { month: string; alerts: number; suppressed: number; coverage: Coverage }[];
      actions: { state: string }[];
      traces: number;
    };
    const say = this.#say;
    say();
    say(`What happened: ${this.sent} events came in and folded into ${alerts} alerts.`);
    if (worst !== undefined) {
      say('The one to look at first, and why its score is what it is:');
      say();
      if (this.#say === printLine) printAlert(worst);
      say();
    }
    for (const { month, alerts: shown, suppressed, coverage } of monthly) {
      const watched = coverageText(coverage, 'no proof of life yet');
      say(`The number of ${month}: ${shown} alerts, ${suppressed} suppressed, ${watched}.`);
    }
    const done = actions.filter(({ state }) => state === 'succeeded').length;
    say(
      `Response: the rule "Leave a trace" ran its script ${done} times, once for each critical alert and target; ${traces} lines in ${this.#trace}.`,
    );
    say();
    say('Try, in another terminal:');
    if (worst !== undefined) say(`  npx eyrie why ${worst.alert_id} --data-dir ${this.#dataDir}`);
    say(`  npx eyrie alerts list --data-dir ${this.#dataDir}`);
    say(
      `  npx eyrie sql "SELECT rule, count() AS events, uniqExact(alert_id) AS alerts FROM events GROUP BY rule ORDER BY events DESC" --data-dir ${this.#dataDir}`,
    );
    say('Ctrl-C ends the demo and removes its directory.');
  }
}
