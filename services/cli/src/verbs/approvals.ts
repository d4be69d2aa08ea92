import { AppError } from '@eyrie/platform/errors';
import { plain, printJson, printLine, printTable } from '../print.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

export async function list(options: SpeakingOptions): Promise<void> {
  const page = await openSession(options).approvals();
  if (options.json === true) return printJson(page);
  if (page.items.length === 0) return printLine('Nothing waits for approval.');
  printTable(
    ['plan', 'rule', 'cluster', 'target', 'actions', 'until'],
    page.items.map((one) => [
      one.plan,
      one.rule_id,
      one.cluster,
      plain(one.target),
      one.actions.join(', '),
      one.expires_at,
    ]),
  );
}

interface DecideOptions extends SpeakingOptions {
  readonly hash?: string;
  readonly note?: string;
}

export async function decide(plan: string, decision: 'approve' | 'deny', options: DecideOptions): Promise<void> {
  const session = openSession(options);
  const hash = options.hash ?? (await session.approvals()).items.find((one) => one.plan === plan)?.plan_hash;
  if (hash === undefined) {
    throw new AppError('EYRIE_HTTP_NOT_FOUND', `no plan ${plan} waits for approval (eyrie approvals list)`);
  }
  const body = { decision, plan_hash: hash, ...(options.note === undefined ? {} : { note: options.note }) };
  const taken = await session.approval(plan, body);
  if (options.json === true) return printJson(taken);
  printLine(`taken; \`eyrie actions\` shows what became of it`);
}

export async function undo(intent: string, options: SpeakingOptions): Promise<void> {
  const taken = await openSession(options).undo(intent);
  if (options.json === true) return printJson(taken);
  printLine(`taken; \`eyrie actions\` shows what became of it`);
}

/** Exit code 1 while it is open, so that a script can ask. */
export async function breaker({ reset, ...options }: SpeakingOptions & { readonly reset?: boolean }): Promise<void> {
  const session = openSession(options);
  if (reset === true) {
    const taken = await session.resetBreaker();
    if (options.json === true) return printJson(taken);
    return printLine('taken; actions go on');
  }
  const found = await session.breaker();
  if (found.open) process.exitCode = 1;
  if (options.json === true) return printJson(found);
  if (!found.open) return printLine('The breaker is closed: actions run.');
  printLine(`The breaker is open since ${found.since}: too many actions failed, and more are suppressed.`);
  printLine('See why with `eyrie actions`; `eyrie actions breaker --reset` lets them go on.');
}
