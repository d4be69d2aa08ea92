import type { Bus, BusRecord } from '@eyrie/platform/bus/bus';
import type { Alert, AlertId, Judgement } from '@eyrie/schemas';

/** Alerts remembered at most; the one that changed longest ago goes first. */
const ALERTS_MAX = 100_000;
/** Alert records read back at start: those are the ones that may still be open. */
const READ_BACK = 50_000;

interface Known {
  readonly hidden: boolean;
  /** Targets that came over from a merged alert keep the id their intents have. */
  readonly kept?: ReadonlyMap<string, AlertId>;
}

/** What a folded event does not say of its alert: whether it is hidden, and which targets it took over. */
export class AlertMemory {
  readonly #alerts = new Map<AlertId, Known>();
  readonly #onBound: (bound: string) => void;

  constructor(onBound: (bound: string) => void) {
    this.#onBound = onBound;
  }

  /** Reads back from where the group stands: it forgot with the last stop. */
  async prime(
    bus: Bus,
    partition: number,
    position: number,
    read: (record: BusRecord) => Alert | undefined,
  ): Promise<void> {
    const { start } = await bus.bounds('alerts', partition);
    let next = Math.max(start, position - READ_BACK);
    while (next < position) {
      const records = await bus.read('alerts', partition, next);
      if (records.length === 0) return;
      for (const record of records) {
        next = record.offset + 1;
        const alert = record.offset < position ? read(record) : undefined;
        if (alert !== undefined) this.learn(alert);
      }
    }
  }

  learn(alert: Alert): void {
    const kept = new Map(
      alert.targets.flatMap(({ key, alert_id: id }) => (id === undefined ? [] : [[key, id] as const])),
    );
    this.#remember(alert.alert_id, { hidden: alert.disposition === 'suppressed', ...(kept.size > 0 && { kept }) });
  }

  /** Whether the alert of a judged event is hidden: as last heard, else as its opening says. */
  isHidden(alertId: AlertId, judgement: Judgement): boolean {
    const known = this.#alerts.get(alertId);
    if (known !== undefined) return known.hidden;
    const hidden = judgement.outcome === 'suppressed' || judgement.outcome === 'silenced';
    if (hidden) this.#remember(alertId, { hidden });
    return hidden;
  }

  /** The id under which a target's intents stand. */
  intentAlert(alertId: AlertId, target: string): AlertId {
    return this.#alerts.get(alertId)?.kept?.get(target) ?? alertId;
  }

  #remember(alertId: AlertId, known: Known): void {
    this.#alerts.delete(alertId);
    this.#alerts.set(alertId, known);
    if (this.#alerts.size <= ALERTS_MAX) return;
    this.#onBound('responder_alert_memory');
    const oldest = this.#alerts.keys().next();
    if (oldest.done !== true) this.#alerts.delete(oldest.value);
  }
}
