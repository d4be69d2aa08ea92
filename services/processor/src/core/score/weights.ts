import type { Priority } from '@eyrie/schemas';
import type { RuleClass } from './catalogue.ts';

/**
 * Starting values, in log-odds. Signs are fixed: what speaks for an attack can never be learned to speak against one.
 * A change here is another model: change MODEL with it.
 */
export const MODEL = 'additive/1';

export const BIAS = -5.5;

export const PRIORITY: Readonly<Record<Priority, number>> = {
  Emergency: 1,
  Alert: 1,
  Critical: 1,
  Error: 0.6,
  Warning: 0.4,
  Notice: 0,
  Informational: -0.5,
  Debug: -0.5,
};
export const MATURITY = { stable: 0, incubating: -0.3, sandbox: -0.6 } as const;

export const WEIGHTS = {
  rule_class: 1.5,
  known_noise: -3,
  server_shell: 1.2,
  terminal_shell: 1.2,
  unusual_root: 0.7,
  drift: 1.3,
  volatile_path: 1.2,
  sensitive_path: 1,
  destination: 1.3,
  container_start: -1,
  build_namespace: -1.2,
  privileged: 0.4,
  new_process: 1.6,
  new_workload: 0.9,
  new_rule: 0.6,
  recurrence: -3,
} as const;
export type Feature = keyof typeof WEIGHTS;

/** Classes by how seldom a genuine alert of theirs is harmless, 0 to 1; the others say nothing. */
export const CLASS_GRAVITY: Readonly<Partial<Record<RuleClass, number>>> = {
  escape: 1,
  memory_execution: 1,
  dropped_binary: 1,
  miner: 1,
  reverse_shell: 1,
  kernel_module: 1,
  exploit: 0.8,
  namespace_change: 0.5,
  tampering: 0.4,
  credential: 0.2,
  shell: 0.2,
};

/** Destinations by how much they say, 0 to 1. */
export const DESTINATION = { metadata: 1, miner_port: 1, public: 0.25, private: 0 } as const;

/** All novelty together at most, all learned evidence of harmlessness together at least. */
export const NOVELTY_MAX = 2.5;
export const LEARNED_BENIGN_MIN = -4;

/** From here on p_attack is page or review; below the last one it may be suppressed: a miss costs 500 looks. */
export const PAGE = 0.5;
export const REVIEW = 0.02;
export const SUPPRESS = 0.002;

/** History counts in full from so many distinct hours and groups of a tenant. */
export const MATURE_HOURS = 72;
export const MATURE_GROUPS = 200;
/** A process is trusted from so many distinct days and pods, or days where it runs in fewer pods. */
export const TRUST_DAYS = 7;
export const TRUST_PODS = 3;
export const TRUST_DAYS_ALONE = 14;
/** So many distinct hours of a process are never suppressed. */
export const NOVEL_HOURS = 3;
/** Days with shells that make a namespace one where people work. */
export const SHELL_DAYS = 3;
/** Hours without user 0 that make it unusual. */
export const NO_ROOT_HOURS = 3;
