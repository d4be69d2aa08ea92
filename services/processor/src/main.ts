export { createPrepare, type PrepareDependencies, type PrepareOptions } from './prepare.ts';
export type { Role } from './role.ts';
