import type { App, Context } from '../context.ts';
import { actionRoutes } from './actions.ts';
import { alertRoutes } from './alerts.ts';
import { approvalRoutes } from './approvals.ts';
import { breakerRoutes } from './breaker.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { documentRoutes } from './documents.ts';
import { eventRoutes } from './events.ts';
import { healthRoutes } from './health.ts';
import { ledgerRoutes } from './ledger.ts';
import { metricRoutes } from './metrics.ts';
import { slackRoutes } from './slack.ts';
import { streamRoutes } from './stream.ts';
import { tokenRoutes } from './tokens.ts';
import { whyRoutes } from './why.ts';
import { workloadRoutes } from './workloads.ts';

/** One file a noun. */
export function addRoutes(app: App, context: Context): void {
  alertRoutes(app, context);
  eventRoutes(app, context);
  ledgerRoutes(app, context);
  actionRoutes(app, context);
  approvalRoutes(app, context);
  breakerRoutes(app, context);
  slackRoutes(app, context);
  metricRoutes(app, context);
  healthRoutes(app, context);
  deadLetterRoutes(app, context);
  documentRoutes(app, context);
  tokenRoutes(app, context);
  whyRoutes(app, context);
  workloadRoutes(app, context);
  streamRoutes(app, context);
}
