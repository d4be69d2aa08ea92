import { OWNER } from './actions/namespace-owner.ts';
import { permissionsOf } from './describe-actions.ts';
import type { Setup } from './setup.ts';

/** For `owner` in a rule. */
const READS_NAMESPACES = { rbac: [{ group: '', resource: 'namespaces', verbs: ['get'] }] };

/** The least that the loaded rules ask of an API server. */
export function permissionsNeeded({
  rules,
  actions,
}: Pick<Setup, 'rules' | 'actions'>): ReturnType<typeof permissionsOf> {
  const used = rules.rules.flatMap((rule) => rule.actions);
  const asked = [...new Set(used.map(({ actionner }) => actionner))].map((name) => ({
    rbac: actions[name]?.rbac ?? [],
  }));
  const asksOwner = used.some(({ parameters: { channel, project } }) => channel === OWNER || project === OWNER);
  return permissionsOf(asksOwner ? [...asked, READS_NAMESPACES] : asked);
}
