import type { Bus, GroupSpec } from '@eyrie/platform/bus/bus';
import { type KeptGroup, type KeptRun, keepJoined } from '@eyrie/platform/bus/keep-joined';
import { type Clock, systemClock } from '@eyrie/platform/clock';
import { isRetryable } from '@eyrie/platform/errors';
import { createHttpClient } from '@eyrie/platform/http-client';
import type { Component } from '@eyrie/platform/lifecycle';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Signer } from '@eyrie/platform/sign';
import type { Vitals } from '@eyrie/platform/vitals';
import { NO_RULES } from './core/rules/rule-set.ts';
import { runMatcher } from './matcher.ts';
import { explainRules } from './matching.ts';
import { type OwnerSettings, runOwner } from './owner.ts';
import { Progress } from './progress.ts';
import type { RuleReport } from './rule-files.ts';
import { prepareScratch } from './scratch.ts';
import { type LiveSetup, openSetup, readSetup, type SetupPaths } from './setup.ts';

export { describeActions, permissionsOf } from './describe-actions.ts';
export type { RuleReport } from './rule-files.ts';
export { importTalonRules, type TalonReport } from './talon-import.ts';

export interface ResponderDeps {
  readonly bus: Bus;
  readonly signer: Signer;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: Clock;
  /** 0…1, for incarnations and jitter. */
  readonly random: () => number;
  readonly vitals?: Vitals;
  /** Told when a loop failed beyond repair: the process must end, its input is read again. */
  readonly onFailure: (error: unknown) => void;
}

export interface ResponderOptions extends Partial<SetupPaths> {
  /** How often files are looked at for changes, milliseconds. Default 2,000. */
  readonly reloadMs?: number;
  /** How long running actions may go on when the process stops, milliseconds. Default 4,000. */
  readonly drainMs?: number;
}

/** Reads rules and follows their files. */
export interface RuleReader extends Component {
  /** Every rule as it is loaded now against a judged event, for `why`. */
  explain(input: Parameters<typeof explainRules>[1]): ReturnType<typeof explainRules>;
}

export interface Responder extends RuleReader {
  /** Resolves when everything judged so far was matched, and what could begin has ended. */
  caughtUp(): Promise<void>;
}

const DAY = 86_400_000;
const RELOAD_MS = 2_000;
const MATCHER: GroupSpec = { group: 'responder', inputs: ['judged', 'alerts'] };
const OWNER: GroupSpec = { group: 'responder-owner', inputs: ['action-requests'], state: 'action-state' };

/** Holds rules against judged events and alerts, and does what they say. */
export function createResponder(deps: ResponderDeps, options: ResponderOptions = {}): Responder {
  const { bus, clock, log } = deps;
  const progress = new Progress();
  const http = createHttpClient();
  const settings: OwnerSettings = {
    alertLifeMs: 32 * DAY,
    plansMax: 200_000,
    partitions: bus.partitions('action-requests'),
    activeMax: 10_000,
    noticesMax: 10_000,
    notifyDeadlineMs: DAY,
    drainMs: options.drainMs ?? 4_000,
  };
  let groups: readonly KeptGroup[] = [];
  let live: LiveSetup | undefined;
  const stopping = new AbortController();

  return {
    name: 'responder',
    start: async () => {
      if (options.scratchDir !== undefined) prepareScratch(options.scratchDir, clock.now());
      const setup = openSetup({ ...options, scriptsMax: options.scriptsMax ?? 4 }, { http, clock, log });
      live = setup;
      log.info({ rules: setup.current.rules.rules.length }, 'response rules loaded');
      const shared = { ...deps, progress };
      const keep = (spec: GroupSpec, run: KeptRun) =>
        keepJoined(deps, { spec, run, isFatal: (error) => !isRetryable(error), onFatal: deps.onFailure });
      groups = [
        keep(OWNER, (assigned, signal, ready) =>
          runOwner(assigned, signal, ready, { ...shared, setup: () => setup.current }, settings),
        ),
        keep(MATCHER, (assigned, signal, ready) => {
          ready();
          return runMatcher(assigned, signal, { ...shared, rules: () => setup.current.rules });
        }),
      ];
      void watch(setup, clock, options.reloadMs ?? RELOAD_MS, stopping.signal);
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(groups.map((group) => group.stop()));
      await http.close();
    },
    explain: (input) => explainRules(live?.current.rules ?? NO_RULES, input),
    caughtUp: async () => {
      for (const topic of ['judged', 'alerts', 'action-requests'] as const) {
        for (let partition = 0; partition < bus.partitions(topic); partition += 1) {
          const { end } = await bus.bounds(topic, partition);
          await progress.until(topic, partition, end);
        }
      }
      await progress.idle();
    },
  };
}

/** The rules as the responder would load them, where none runs in this process. */
export function createRuleReader(
  { clock, log }: Pick<ResponderDeps, 'clock' | 'log'>,
  options: Omit<SetupPaths, 'scriptsMax' | 'scratchDir'>,
): RuleReader {
  const http = createHttpClient();
  const stopping = new AbortController();
  let live: LiveSetup | undefined;
  return {
    name: 'rules',
    start: async () => {
      const setup = openSetup({ ...options, scriptsMax: 1 }, { http, clock, log });
      live = setup;
      void watch(setup, clock, RELOAD_MS, stopping.signal);
    },
    stop: async () => {
      stopping.abort();
      await http.close();
    },
    explain: (input) => explainRules(live?.current.rules ?? NO_RULES, input),
  };
}

async function watch(setup: LiveSetup, clock: Clock, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal);
    if (!signal.aborted) setup.refresh();
  }
}

/**
 * Reads the rules of a directory and runs the tests in their files.
 * @throws AppError EYRIE_CONNECTION_INVALID, EYRIE_RULE_INVALID when connections or scripts cannot be read
 */
export async function checkRules(
  directory: string,
  options: Pick<SetupPaths, 'scriptsDir' | 'connectionsFile'> = {},
): Promise<RuleReport> {
  const http = createHttpClient();
  try {
    return readSetup({ ...options, rulesDir: directory, scriptsMax: 4 }, { http, clock: systemClock }).report;
  } finally {
    await http.close();
  }
}
