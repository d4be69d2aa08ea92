import type { Alert, AlertId, EventId, TenantId } from '@eyrie/schemas';
import type { WhyView } from '@eyrie/schemas/api';
import { findAlert, listAlerts } from '../alert-list.ts';
import type { Context, RuleExplanation } from '../context.ts';
import { type EventRow, judgedOfRow } from '../core/event-row.ts';
import { isoOfMs, presentAction, presentAlert, presentDeadLetter, presentEvent } from '../core/present.ts';
import { trailOf } from '../core/trail.ts';
import type { WhyId } from '../core/why-id.ts';
import { selectActions } from '../queries/actions.ts';
import { selectAlertVersions } from '../queries/alerts.ts';
import { selectEvent, selectEventAt, selectEvents } from '../queries/events.ts';
import { selectDeadLettersAt } from '../queries/records.ts';
import { listWorkloads } from '../workload-list.ts';
import { documentsAgainst } from './documents.ts';
import { type LinePosition, readRawLine } from './raw-line.ts';

const SHOWN = { versions: 100, actions: 100, events: 20, alerts: 20, lineChars: 8_192 };

/** Whose words are told: a tenant, and one cluster of it or all. */
export interface Asker {
  readonly tenant: TenantId;
  readonly cluster: string;
}

const NOTHING = { versions: [], documents: [], rules: [], actions: [], dead_letters: [], events: [], alerts: [] };

/** The whole trail of what an id names; undefined when nothing of it is known to the asker. */
export async function tell(context: Context, asker: Asker, id: WhyId): Promise<WhyView | undefined> {
  switch (id.kind) {
    case 'hash':
      return (
        (await tellEvent(context, asker, id.hash as EventId)) ?? (await tellAlert(context, asker, id.hash as AlertId))
      );
    case 'raw':
      return tellLine(context, asker, id);
    case 'pod':
      return tellPod(context, asker, id);
    case 'pod_uid': {
      const [found] = await listWorkloads(context.bus, asker.tenant, { accept: ({ uid }) => uid === id.uid });
      if (found === undefined) return undefined;
      const { cluster, namespace, pod } = found.workload;
      return tellPod(context, asker, { cluster, namespace, pod });
    }
  }
}

async function tellEvent(context: Context, asker: Asker, id: EventId): Promise<WhyView | undefined> {
  const row = await selectEvent(context.store, asker.tenant, id);
  return row === undefined || !maySee(asker, row.cluster) ? undefined : tellRow(context, asker, 'event', row);
}

async function tellAlert(context: Context, asker: Asker, id: AlertId): Promise<WhyView | undefined> {
  const { store, mask } = context;
  const alert = await findAlert(context, asker.tenant, id);
  if (alert === undefined || !maySee(asker, alert.cluster)) return undefined;
  const opening = await selectEvent(store, asker.tenant, alert.opening_event_id);
  const rows = await selectEvents(store, asker.tenant, { alert_id: id }, undefined, {
    limit: SHOWN.events,
    raw: false,
  });
  const events = rows.map((row) => presentEvent(row, mask));
  if (opening !== undefined) return { ...(await tellRow(context, asker, 'alert', opening, alert)), events };
  // The opening event is not archived yet, or its rows are gone: the alert itself is told.
  const about = await aboutAlert(context, asker, alert);
  return { ...NOTHING, ...about.shown, kind: 'alert', trail: [], events };
}

async function tellLine(context: Context, asker: Asker, position: LinePosition): Promise<WhyView | undefined> {
  const { store, mask, bus } = context;
  const row = await selectEventAt(store, asker.tenant, position);
  if (row !== undefined) return maySee(asker, row.cluster) ? tellRow(context, asker, 'raw', row) : undefined;
  const found = await readRawLine(bus, asker.tenant, position);
  const line = found !== undefined && maySee(asker, found.cluster) ? found : undefined;
  const letters = (await selectDeadLettersAt(store, asker.tenant, position)).filter(({ cluster }) =>
    maySee(asker, cluster),
  );
  if (line === undefined && letters.length === 0) return undefined;
  const { partition, offset, index } = position;
  const log = bus.logIdentity('raw', partition);
  return {
    ...NOTHING,
    kind: 'raw',
    raw: { log, partition, offset, index, ...(line && { line: mask(line.text).slice(0, SHOWN.lineChars) }) },
    dead_letters: letters.map((letter) => presentDeadLetter(letter, mask, false)),
    trail: trailOf({
      ...NOTHING,
      position,
      received_at: line && isoOfMs(line.received_at),
      reading: line?.reading,
      judged: undefined,
      alert: undefined,
    }),
  };
}

async function tellPod(
  context: Context,
  asker: Asker,
  { cluster, namespace, pod }: { readonly cluster?: string; readonly namespace: string; readonly pod: string },
): Promise<WhyView | undefined> {
  const { store, mask } = context;
  if (cluster !== undefined && !maySee(asker, cluster)) return undefined;
  const only = asker.cluster === '*' ? cluster : asker.cluster;
  const place = { namespace, pod, ...(only === undefined ? {} : { cluster: only }) };
  const rows = await selectEvents(store, asker.tenant, place, undefined, { limit: SHOWN.events, raw: false });
  const [latest] = rows;
  if (latest === undefined) return undefined;
  const about = await tellRow(context, asker, 'pod', latest);
  const { pod: _, ...where } = place;
  const alerts = await listAlerts(
    context,
    asker.tenant,
    { ...where, q: pod, sort: 'opened_at' },
    undefined,
    SHOWN.alerts,
  );
  return {
    ...about,
    events: rows.map((row) => presentEvent(row, mask)),
    alerts: alerts.map((alert) => presentAlert(alert, mask)),
  };
}

/** Everything about one judged event. */
async function tellRow(
  context: Context,
  asker: Asker,
  kind: WhyView['kind'],
  row: EventRow,
  known?: Alert,
): Promise<WhyView> {
  const { store, bus, mask } = context;
  const { tenant } = asker;
  const whole = row['raw'] === undefined ? ((await selectEvent(store, tenant, row.event_id as EventId)) ?? row) : row;
  const { event, identity, judgement } = judgedOfRow(whole);
  const alert = known ?? (row.alert_id === '' ? undefined : await findAlert(context, tenant, row.alert_id as AlertId));
  const about = alert && (await aboutAlert(context, asker, alert));
  const position = { partition: row.raw_partition, offset: row.raw_offset, index: row.raw_index };
  const isSameLog = row.raw_log === bus.logIdentity('raw', position.partition);
  const line = isSameLog ? await readRawLine(bus, tenant, position) : undefined;
  const raw = line?.text ?? String(whole['raw'] ?? '');
  const documents = documentsAgainst(context, { tenant, event, identity, at: judgement.judged_at });
  const actions = about?.shown.actions ?? [];
  const rules = explainRules(context, { event, judgement, alert, raw }, actions);
  return {
    ...NOTHING,
    ...about?.shown,
    kind,
    raw: { log: row.raw_log, ...position, ...(raw === '' ? {} : { line: mask(raw).slice(0, SHOWN.lineChars) }) },
    event: presentEvent(whole, mask),
    documents,
    rules,
    trail: trailOf({
      position,
      received_at: isoOfMs(event.received_at),
      reading: line?.reading,
      judged: { judgement, identity, event_id: row.event_id },
      alert,
      documents,
      rules,
      actions,
    }),
  };
}

async function aboutAlert({ store, mask }: Context, { tenant }: Asker, alert: Alert) {
  const { alert_id } = alert;
  const [versions, actions] = await Promise.all([
    selectAlertVersions(store, tenant, alert_id, SHOWN.versions),
    selectActions(store, tenant, { alert_id }, undefined, SHOWN.actions),
  ]);
  return {
    shown: {
      alert: presentAlert(alert, mask),
      versions: versions.map((version) => presentAlert(version, mask)),
      actions: actions.map((action) => presentAction(action, mask)),
    },
  };
}

/** From the responder's own matching where it was given; otherwise the rules that stand in the ledger. */
function explainRules(
  { explain }: Context,
  input: Parameters<NonNullable<NonNullable<Context['explain']>['rules']>>[0],
  actions: WhyView['actions'],
): RuleExplanation[] {
  const explained = explain?.rules?.(input) ?? [];
  const fired = new Set(actions.map(({ rule_id }) => rule_id));
  // A rule that acted on the alert for another event of it fired as well.
  const known = explained.map((rule) => (fired.has(rule.rule_id) ? { rule_id: rule.rule_id, fired: true } : rule));
  const more = [...fired].filter((id) => !known.some((rule) => rule.rule_id === id));
  return [...known, ...more.map((id) => ({ rule_id: id, fired: true }))];
}

function maySee({ cluster: own }: Asker, cluster: string): boolean {
  return own === '*' || own === cluster;
}
