const DAY = 86_400_000;

/** What an owner of requests goes by, live and simulated. */
export const OWNER_DEFAULTS = {
  alertLifeMs: 32 * DAY,
  plansMax: 200_000,
  noticesMax: 10_000,
  notifyDeadlineMs: DAY,
} as const;
