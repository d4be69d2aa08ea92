import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@eyrie/platform/clock';
import { type Connections, NO_CONNECTIONS, readConnections } from '@eyrie/platform/connections';
import { describeError } from '@eyrie/platform/errors';
import type { HttpClient } from '@eyrie/platform/http-client';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Actions } from './actions/action.ts';
import { createActions } from './actions/index.ts';
import { type ActionMemory, createActionMemory } from './actions/memory.ts';
import { NO_RULES, type RuleSet } from './core/rules/rule-set.ts';
import { type RuleProblem, readPolicy, readRuleDirectory } from './rule-directory.ts';
import { loadRules, type RuleReport, requireSound } from './rule-files.ts';
import { readScripts } from './scripts.ts';

export interface SetupPaths {
  readonly rulesDir?: string;
  readonly scriptsDir?: string;
  readonly connectionsFile?: string;
  /** Where scripts have their temporary directories, made and swept at start. Default: that of the system, unswept. */
  readonly scratchDir?: string;
  /** Scripts that run at the same time. */
  readonly scriptsMax: number;
  /** In dry_run also the far side is asked whether it would. Default true; never for what lies in the past. */
  readonly provesActions?: boolean;
  /** Why no rule may be in enforce, where none may. */
  readonly enforceRefusal?: string;
}

/** Rules and what they can do, from one moment: swapped together or not at all. */
export interface Setup {
  readonly rules: RuleSet;
  readonly actions: Actions;
  readonly connections: Connections;
  readonly report: RuleReport;
}

/**
 * `instead`: a file of the rules as if it held this text.
 * @throws AppError EYRIE_CONNECTION_INVALID, EYRIE_RULE_INVALID (bad scripts); problems of rules are in the report
 */
export function readSetup(
  paths: SetupPaths,
  deps: { http: HttpClient; clock: Clock; memory?: ActionMemory },
  instead?: { readonly file: string; readonly text: string },
): Setup {
  const memory = deps.memory ?? createActionMemory(deps);
  const connections = paths.connectionsFile === undefined ? NO_CONNECTIONS : readConnections(paths.connectionsFile);
  const scripts = paths.scriptsDir === undefined ? new Map() : readScripts(paths.scriptsDir);
  const written =
    paths.rulesDir === undefined ? { files: [], problems: [] } : readRuleDirectory(paths.rulesDir, instead);
  const problems: RuleProblem[] = [];
  const policy = readPolicy(written, problems);
  const actions = createActions({ ...deps, connections, scripts, policy, memory }, paths);
  if (paths.rulesDir === undefined) {
    return {
      rules: NO_RULES,
      actions,
      connections,
      report: { files: 0, rules: [], tests: { passed: 0, failed: 0 }, problems: [] },
    };
  }
  const { set, report } = loadRules(
    paths.rulesDir,
    { ...written, problems: [...written.problems, ...problems] },
    { catalog: actions, policy, enforceRefusal: paths.enforceRefusal },
  );
  return { rules: set, actions, connections, report };
}

export interface LiveSetup {
  readonly current: Setup;
  /** Looks once whether files changed; what does not parse leaves everything as it was. True when it was swapped. */
  refresh(): boolean;
}

/** @throws AppError when the files cannot be used at start */
export function openSetup(
  paths: SetupPaths,
  given: { http: HttpClient; clock: Clock; log: Logger; metrics?: Metrics },
): LiveSetup {
  const { log } = given;
  const deps = { ...given, memory: createActionMemory(given) };
  let seen = fingerprint(paths);
  let current = readSetup(paths, deps);
  requireSound(current.report);
  return {
    get current() {
      return current;
    },
    refresh: () => {
      const now = fingerprint(paths);
      if (now === seen) return false;
      seen = now;
      try {
        const next = readSetup(paths, deps);
        requireSound(next.report);
        current = next;
        log.info({ rules: next.rules.rules.length }, 'response rules loaded');
        return true;
      } catch (error) {
        log.error({ problem: describeError(error) }, 'response rules changed and cannot be used: the old ones stay');
        return false;
      }
    },
  };
}

/** Hash over the contents: also sees files swapped behind links, and needs no watch. */
function fingerprint({ rulesDir, scriptsDir, connectionsFile }: SetupPaths): string {
  const hash = createHash('sha256');
  const add = (file: string) => {
    try {
      hash.update(`\0${file}\0`).update(readFileSync(file));
    } catch {
      hash.update('unreadable');
    }
  };
  for (const directory of [rulesDir, scriptsDir]) {
    if (directory === undefined) continue;
    try {
      const names = readdirSync(directory).filter((name) => /\.(?:ya?ml|json)$/.test(name));
      for (const name of names.sort()) add(join(directory, name));
    } catch {
      hash.update('unreadable');
    }
  }
  if (connectionsFile !== undefined) add(connectionsFile);
  return hash.digest('hex');
}
