import type { Event, Identity, Score } from '@eyrie/schemas';
import { CATALOGUE, type RuleFacts } from './catalogue.ts';
import { destinationOf, isBuildNamespace, isInContainer, isServerShell, isShell, isVolatilePath } from './facts.ts';
import { floorOf, hasFlag } from './floors.ts';
import type { ProcessRow, ScoreHistory, TenantHistory } from './history.ts';
import type { Keys } from './keys.ts';
import { knownNoise } from './known-noise.ts';
import { hourOf } from './learn.ts';
import { Terms } from './terms.ts';
import { factsOf } from './texts.ts';
import {
  CLASS_GRAVITY,
  DESTINATION,
  MATURE_GROUPS,
  MATURE_HOURS,
  MATURITY,
  MODEL,
  NO_ROOT_HOURS,
  NOVEL_HOURS,
  PAGE,
  PRIORITY,
  REVIEW,
  SHELL_DAYS,
  SUPPRESS,
  TRUST_DAYS,
  TRUST_DAYS_ALONE,
  TRUST_PODS,
} from './weights.ts';

/** What a score is made of: the event and what it was joined to. */
export interface ScoreSubject {
  readonly event: Event;
  readonly identity: Identity;
}

/**
 * How likely an event belongs to an attack: a sum of clamped log-odds, each of them a reason. Pure: time is the event's
 * own; the same event and history give the same score. Learning is `learn`, once an event.
 */
export function scoreEvent(history: ScoreHistory, subject: ScoreSubject): Score {
  const { event, identity } = subject;
  const terms = new Terms();
  const facts = CATALOGUE.get(event.rule);
  const command = factsOf(event.command_line);
  const floor = floorOf(event, facts?.class, command.floor);
  addPriors(terms, event, identity, facts);
  addProcess(terms, event, Math.max(command.gravity, factsOf(event.file_name).gravity));
  addBuild(terms, event, identity, facts);
  const tenant = history.of(event.tenant);
  const keys = history.keysOf(event, identity);
  const process = tenant?.get('process', keys.process);
  addPeople(terms, event, tenant, keys);
  const maturity = maturityOf(tenant);
  const trust = process === undefined ? 0 : trustOf(process, identity.image_digest ?? event.image_digest);
  addHistory(terms, event, { tenant, keys, process, maturity, trust });

  const p = 1 / (1 + Math.exp(-terms.sum));
  const mayHide =
    maturity === 1 && trust === 1 && floor === undefined && process !== undefined && process.benign > NOVEL_HOURS;
  return {
    fp_score: 1 - p,
    p_attack: p,
    band:
      p >= PAGE ? 'page' : p >= REVIEW || floor !== undefined ? 'review' : p < SUPPRESS && mayHide ? 'suppress' : 'low',
    reasons: terms.reasons,
    unknown: terms.unknown,
    ...(floor !== undefined && { floor }),
    model: MODEL,
  };
}

function addPriors(terms: Terms, event: Event, identity: Identity, facts: RuleFacts | undefined): void {
  terms.prior('priority', event.priority, PRIORITY[event.priority]);
  const maturity = event.maturity ?? facts?.maturity;
  if (maturity === undefined) terms.miss('maturity');
  else terms.prior('maturity', maturity, MATURITY[maturity]);
  if (facts === undefined) terms.miss('rule_class');
  else terms.add('rule_class', facts.class, CLASS_GRAVITY[facts.class] ?? 0);
  const noise = knownNoise(event, identity.image ?? event.image);
  if (noise !== undefined) terms.add('known_noise', noise, 1);
}

function addProcess(terms: Terms, event: Event, gravity: number): void {
  const { process_executable: executable, remote_ip: ip } = event;
  if (event.exe_flags === undefined) terms.miss('drift');
  else if (hasFlag(event, 'EXE_UPPER_LAYER')) terms.add('drift', true, 1);
  if (executable === undefined) terms.miss('volatile_path');
  else if (isVolatilePath(executable)) terms.add('volatile_path', executable.slice(0, 200), 1);
  if (gravity > 0) terms.add('sensitive_path', gravity, gravity);
  if (ip !== undefined) {
    const destination = destinationOf(ip, event.remote_port);
    terms.add('destination', destination, DESTINATION[destination]);
  }
  if (event.privileged === true) terms.add('privileged', true, 1);
  if (isServerShell(event)) terms.add('server_shell', event.parent_name ?? '', 1);
}

function addBuild(terms: Terms, event: Event, identity: Identity, facts: RuleFacts | undefined): void {
  if (!isInContainer(event)) return;
  const { namespace } = identity;
  if (identity.workload === undefined) terms.miss('workload');
  const isBuilding = facts?.class === 'package' || hasFlag(event, 'EXE_UPPER_LAYER');
  if (namespace !== undefined && isBuilding && isBuildNamespace(namespace)) terms.add('build_namespace', namespace, 1);
}

/** Shells of people where nobody works, and user 0 where it never was. */
function addPeople(terms: Terms, event: Event, tenant: TenantHistory | undefined, keys: Keys): void {
  if (event.tty === undefined) terms.miss('terminal_shell');
  else if (event.tty > 0 && isShell(event) && (tenant?.get('place', keys.place)?.days ?? 0) < SHELL_DAYS)
    terms.add('terminal_shell', true, 1);
  const workload = tenant?.get('workload', keys.workload);
  if (event.user_id === undefined) terms.miss('unusual_root');
  else if (event.user_id === 0 && workload !== undefined && workload.root === 0 && workload.other >= NO_ROOT_HOURS)
    terms.add('unusual_root', true, 1);
}

interface Past {
  readonly tenant: TenantHistory | undefined;
  readonly keys: Keys;
  readonly process: ProcessRow | undefined;
  readonly maturity: number;
  readonly trust: number;
}

function addHistory(terms: Terms, event: Event, { tenant, keys, process, maturity, trust }: Past): void {
  terms.addNovelty('new_process', process?.hours ?? 0, maturity);
  terms.addNovelty('new_workload', tenant?.get('workload', keys.workload)?.hours ?? 0, maturity);
  terms.addNovelty('new_rule', tenant?.get('rule', keys.rule)?.hours ?? 0, maturity);
  if (process !== undefined) {
    const observed = Math.max(hourOf(event.time), tenant?.tenant?.last ?? 0) - process.first + 1;
    const ratio = Math.min(1, process.benign / Math.max(1, observed));
    terms.addLearned('recurrence', Math.round(ratio * 1e4) / 1e4, ratio * trust * maturity);
  }
  const { container_started_at: started } = event;
  if (!isInContainer(event)) return;
  if (started === undefined) terms.miss('container_start');
  else if (Number(event.time.slice(0, 13)) - started < 120_000 && (process?.starts.length ?? 0) >= 2)
    terms.addLearned('container_start', true, maturity);
}

/** 0 to 1: how far the tenant's history may be believed. */
function maturityOf(tenant: TenantHistory | undefined): number {
  const row = tenant?.tenant;
  if (row === undefined) return 0;
  return Math.min(1, row.hours / MATURE_HOURS) * Math.min(1, row.groups / MATURE_GROUPS);
}

/** 0 to 1: how far a process has earned to be taken for harmless. */
function trustOf(row: ProcessRow, digest: string | undefined): number {
  const breadth = Math.max(row.pods.length / TRUST_PODS, row.days / TRUST_DAYS_ALONE);
  const trust = Math.min(1, row.days / TRUST_DAYS) * Math.min(1, breadth);
  return digest !== undefined && row.digest !== '' && digest !== row.digest ? trust / 2 : trust;
}
