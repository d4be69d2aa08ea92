import type { Output } from '@eyrie/platform/bus/bus';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Signer } from '@eyrie/platform/sign';
import type { ActionClass } from '@eyrie/schemas';
import { type ChainHead, ledgerDigest, nextHead } from '@eyrie/schemas/ledger-chain';
import { requestKey } from '@eyrie/schemas/request-partition';
import { stateChanges } from './core/owner/codec.ts';
import type { Call, Decision, LedgerLine } from './core/owner/decision.ts';
import type { Plan } from './core/owner/state.ts';

/** Decisions that become durable together. */
export class OwnerStep {
  readonly #state = new Map<string, Buffer | null>();
  readonly #ledger: { readonly line: LedgerLine; readonly key: string }[] = [];
  readonly #aside: Output[] = [];
  readonly calls: Call[] = [];

  add(decision: Decision, planOf: (line: LedgerLine) => Plan | undefined): void {
    for (const [key, value] of stateChanges(decision)) this.#state.set(key, value);
    for (const line of decision.ledger) this.#ledger.push({ line, key: ledgerKey(line, planOf(line)) });
    this.calls.push(...decision.calls);
  }

  setAside(output: Output): void {
    this.#aside.push(output);
  }

  get isEmpty(): boolean {
    return this.#state.size === 0 && this.#ledger.length === 0 && this.#aside.length === 0;
  }

  get state(): readonly (readonly [string, Buffer | null])[] {
    return [...this.#state];
  }

  get lines(): readonly LedgerLine[] {
    return this.#ledger.map(({ line }) => line);
  }

  /** Each line gets its place in the chain, from the head on. */
  outputs(
    partition: number,
    signer: Signer,
    from: ChainHead,
  ): { readonly outputs: readonly Output[]; readonly head: ChainHead } {
    let head = from;
    const records = this.#ledger.map(({ line, key }): Output => {
      const digest = ledgerDigest(line);
      head = nextHead(head, digest);
      return { topic: 'actions', partition, key, value: signer.seal({ ...line, digest, ...head }) };
    });
    return { outputs: [...records, ...this.#aside], head };
  }
}

/** The ledger is keyed as the request was: by the highest class among the plan's actions. */
function ledgerKey(line: LedgerLine, plan: Plan | undefined): string {
  const highest = Math.max(line.class, ...(plan?.steps ?? []).map((step) => step.class)) as ActionClass;
  return requestKey(highest, line.tenant, line.alert_id);
}

export function countLedger(metrics: Metrics, lines: readonly LedgerLine[]): void {
  for (const { actionner, state, reason } of lines) metrics.count('eyrie_actions_total', { actionner, state, reason });
}
