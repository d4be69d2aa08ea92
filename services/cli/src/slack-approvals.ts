import { readConnections, type SlackApprovals } from '@eyrie/platform/connections';
import type { Logger } from '@eyrie/platform/log';

const FRESH_MS = 5_000;

/** Slack apps of the connections file whose buttons are taken; read again now and then. What cannot be read leaves the old ones. */
export function slackApprovals(file: string, log: Logger): () => readonly SlackApprovals[] {
  let held: readonly SlackApprovals[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - readAt < FRESH_MS) return held;
    readAt = performance.now();
    try {
      held = [...readConnections(file).slack.values()].flatMap(({ approvals }) => approvals ?? []);
    } catch (error) {
      log.error({ err: error }, 'the connections file cannot be used: Slack buttons stay as they were');
    }
    return held;
  };
}
