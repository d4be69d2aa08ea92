import { type Running, startAll } from '@eyrie/platform/lifecycle';
import { checkSettings } from './check-settings.ts';
import type { Config } from './config.ts';
import { enforceRefusal } from './enforce-refusal.ts';
import { type Foundation, openFoundation } from './foundation.ts';
import { createHealth } from './health.ts';
import type { RoleName } from './role-names.ts';
import { createRoles, fillsStore, needsStore } from './roles.ts';

const SETTLE_POLL_MS = 20;

export interface PipelineOptions {
  readonly dataDir: string;
  readonly config: Config;
  readonly roles: ReadonlySet<RoleName>;
  /** A listener of its own for health, readiness and metrics. */
  readonly health?: boolean;
  /** The input is history, not what happens now. */
  readonly isReplay?: boolean;
}

/** Roles in one process over one data directory. */
export interface Pipeline extends Omit<Foundation, 'close'> {
  /** Where those listen that this process runs; otherwise empty. */
  readonly gatewayAddress: string;
  readonly consoleAddress: string;
  readonly healthAddress: string;
  /** Rejects when a part of it failed beyond repair: the process must end, the input is read again. */
  readonly failed: Promise<never>;
  /** Resolves when everything appended so far has gone all the way. */
  settle(): Promise<void>;
  /** Settles, with the latest count of every alert written whatever its interval: the input has ended. */
  finish(): Promise<void>;
  stop(): Promise<void>;
}

/** How long parts may drain: with what the engine may then take to close, a signal ends the process within ten seconds. */
const DRAIN_MS = 4_500;

/** Opens what the roles stand on and starts them in order; a failure stops what was started. */
export async function startPipeline({
  dataDir,
  config,
  roles: names,
  health,
  isReplay,
}: PipelineOptions): Promise<Pipeline> {
  checkSettings(config, names, process.env);
  const name = names.size === 1 ? `eyrie-${[...names][0]}` : 'eyrie';
  const foundation = await openFoundation({
    dataDir,
    config,
    name,
    needsStore: needsStore(names),
    fillsStore: fillsStore(names),
  });
  const { close, ...parts } = foundation;
  const { log, clock, vitals } = parts;
  try {
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    failed.catch(() => {});
    const roles = createRoles(names, foundation, {
      dataDir,
      config,
      onFailure: (error) => fail(error),
      isReplay,
      enforceRefusal: names.has('responder') ? await enforceRefusal(config, log) : undefined,
    });
    const healthServer = health === true ? createHealth(foundation, config) : undefined;
    const components = [...(healthServer === undefined ? [] : [healthServer]), vitals, ...roles.components];
    const running: Running = await startAll(components, { log, deadlineMs: DRAIN_MS });
    const settle = async () => {
      for (const role of [roles.prepare, roles.judge]) {
        while (role !== undefined && !(await role.caughtUp())) await clock.sleep(SETTLE_POLL_MS);
      }
      await roles.responder?.caughtUp();
      await roles.archiver?.caughtUp();
    };
    return {
      ...parts,
      failed,
      get gatewayAddress() {
        return roles.gateway?.address ?? '';
      },
      get consoleAddress() {
        return roles.console?.address ?? '';
      },
      get healthAddress() {
        return healthServer?.address ?? '';
      },
      settle,
      finish: async () => {
        await settle();
        await roles.judge?.writeGrowth();
        await settle();
      },
      stop: async () => {
        await running.stop();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
