export { DEFAULTS as JUDGE_DEFAULTS } from './core/judge/defaults.ts';
export { matches } from './core/judge/matching.ts';
export { createJudge, type Judge, type JudgeDependencies, type JudgeRoleOptions } from './judge.ts';
export { createPrepare, type PrepareDependencies, type PrepareOptions } from './prepare.ts';
export type { Role } from './role.ts';
