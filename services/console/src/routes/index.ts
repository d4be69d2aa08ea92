import type { App, Context } from '../context.ts';
import { documentRoutes } from './documents.ts';
import { streamRoutes } from './stream.ts';
import { tokenRoutes } from './tokens.ts';
import { workloadRoutes } from './workloads.ts';

/** One file a noun. */
export function addRoutes(app: App, context: Context): void {
  documentRoutes(app, context);
  tokenRoutes(app, context);
  workloadRoutes(app, context);
  streamRoutes(app, context);
}
