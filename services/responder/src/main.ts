import type { Bus, GroupSpec } from '@eyrie/platform/bus/bus';
import { type KeptGroup, type KeptRun, keepJoined } from '@eyrie/platform/bus/keep-joined';
import { type Clock, systemClock } from '@eyrie/platform/clock';
import { NO_CONNECTIONS } from '@eyrie/platform/connections';
import { isRetryable } from '@eyrie/platform/errors';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import type { Component } from '@eyrie/platform/lifecycle';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Signer } from '@eyrie/platform/sign';
import type { Vitals } from '@eyrie/platform/vitals';
import { type ConnectionFinding, checkConnections } from './check-connections.ts';
import { NO_RULES } from './core/rules/rule-set.ts';
import { runMatcher } from './matcher.ts';
import { explainRules } from './matching.ts';
import { type OwnerSettings, runOwner } from './owner.ts';
import { OWNER_DEFAULTS } from './owner-defaults.ts';
import { permissionsNeeded } from './permissions-needed.ts';
import { Progress } from './progress.ts';
import { type RuleReport, requireSound } from './rule-files.ts';
import { prepareScratch } from './scratch.ts';
import { type LiveSetup, openSetup, readSetup, type Setup, type SetupPaths } from './setup.ts';

export { describeActions } from './describe-actions.ts';
export type { Select } from './history/select.ts';
export { type PromoteOptions, type Promotion, promoteRule } from './promote.ts';
export type { RuleReport } from './rule-files.ts';
export { type MadeTest, testFromAlert } from './rule-test.ts';
export { type SimulationReport, simulateRules } from './simulate.ts';
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

const RELOAD_MS = 2_000;
const MATCHER: GroupSpec = { group: 'responder', inputs: ['judged', 'alerts'] };
const OWNER: GroupSpec = { group: 'responder-owner', inputs: ['action-requests'], state: 'action-state' };

/** Holds rules against judged events and alerts, and does what they say. */
export function createResponder(deps: ResponderDeps, options: ResponderOptions = {}): Responder {
  const { bus, clock, log } = deps;
  const progress = new Progress();
  const http = createHttpClient();
  const settings: OwnerSettings = {
    ...OWNER_DEFAULTS,
    partitions: bus.partitions('action-requests'),
    activeMax: 10_000,
    drainMs: options.drainMs ?? 4_000,
  };
  let groups: readonly KeptGroup[] = [];
  let live: LiveSetup | undefined;
  const stopping = new AbortController();

  return {
    name: 'responder',
    start: async () => {
      if (options.scratchDir !== undefined) prepareScratch(options.scratchDir, clock.now());
      const setup = openSetup(
        { ...options, scriptsMax: options.scriptsMax ?? 4 },
        { http, clock, log, metrics: deps.metrics },
      );
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
      void tellMissing(setup, http, log);
      void watch(
        setup,
        clock,
        options.reloadMs ?? RELOAD_MS,
        stopping.signal,
        () => void tellMissing(setup, http, log),
      );
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

/** What is missing is said at the start, with verb and resource: nobody has to wait for an attack to find out. */
async function tellMissing({ current }: LiveSetup, http: HttpClient, log: Logger): Promise<void> {
  const needed = permissionsNeeded(current);
  if (needed.length === 0) return;
  const clusters = { ...NO_CONNECTIONS, clusters: current.connections.clusters };
  for (const { connection, ok, message } of await checkConnections(clusters, http, needed)) {
    if (!ok)
      log.error(
        { connection, problem: message },
        'the service account lacks rights: responses are denied, owners not found',
      );
  }
}

async function watch(
  setup: LiveSetup,
  clock: Clock,
  everyMs: number,
  signal: AbortSignal,
  onSwap: () => void = () => {},
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal);
    if (!signal.aborted && setup.refresh()) onSwap();
  }
}

/**
 * The least that the rules of a directory ask of an API server.
 * @throws AppError EYRIE_RULE_INVALID with every problem, and as `checkRules`
 */
export async function rulePermissions(
  directory: string,
  options: Pick<SetupPaths, 'scriptsDir' | 'connectionsFile'> = {},
): Promise<ReturnType<typeof permissionsNeeded>> {
  return withSetup(directory, options, (setup) => {
    requireSound(setup.report);
    return permissionsNeeded(setup);
  });
}

/**
 * Asks every connection whether it is there and lets us do what the rules of a directory say.
 * @throws as `checkRules`
 */
export async function checkRuleConnections(
  directory: string,
  options: Pick<SetupPaths, 'scriptsDir' | 'connectionsFile'> = {},
): Promise<readonly ConnectionFinding[]> {
  return withSetup(directory, options, (setup, http) =>
    checkConnections(setup.connections, http, permissionsNeeded(setup)),
  );
}

/**
 * Reads the rules of a directory and runs the tests in their files.
 * @throws AppError EYRIE_CONNECTION_INVALID, EYRIE_RULE_INVALID when connections or scripts cannot be read
 */
export async function checkRules(
  directory: string,
  options: Pick<SetupPaths, 'scriptsDir' | 'connectionsFile'> = {},
): Promise<RuleReport> {
  return withSetup(directory, options, ({ report }) => report);
}

/** The rules of a directory as they are now, for one task. */
async function withSetup<T>(
  directory: string,
  options: Pick<SetupPaths, 'scriptsDir' | 'connectionsFile'>,
  task: (setup: Setup, http: HttpClient) => T | Promise<T>,
): Promise<T> {
  const http = createHttpClient();
  try {
    return await task(
      readSetup({ ...options, rulesDir: directory, scriptsMax: 4 }, { http, clock: systemClock }),
      http,
    );
  } finally {
    await http.close();
  }
}
