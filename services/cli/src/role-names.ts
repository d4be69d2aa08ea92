/** The roles, with what each does. */
export const ROLES = {
  gateway: 'takes events by HTTP',
  processor: 'prepares and judges events',
  archiver: 'writes rows into ClickHouse',
  responder: 'answers alerts by rule',
  console: 'serves the API',
} as const;

export type RoleName = keyof typeof ROLES;
export const ROLE_NAMES = Object.keys(ROLES) as readonly RoleName[];
