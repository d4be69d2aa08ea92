import { z } from 'zod';
import { SCOPES } from './document.ts';
import { isName } from './ids.ts';
import { MATCH_FIELDS } from './match-fields.ts';
import { parseNanos } from './nanos.ts';
import { PRIORITIES } from './priority.ts';

/**
 * Shapes of the HTTP API (`:2802`): what it takes is strict, what it gives names the fields people build on and may grow.
 * Times are ISO 8601 in UTC with up to nine digits of fraction, in and out.
 */
const text = (maximum: number) => z.string().min(1).max(maximum);
const hex32 = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits');
const time = z
  .string()
  .refine((value) => parseNanos(value) !== undefined, 'must be a time such as 2026-11-24T15:00:00Z');
const name = z.string().refine(isName, 'must be 1 to 63 of a-z, 0-9, ".", "_", "-"');

export const ALERT_STATES = ['open', 'closed', 'merged'] as const;
export const BANDS = ['page', 'review', 'low', 'suppress'] as const;
export const DISPOSITIONS = ['alert', 'review', 'suppressed'] as const;
export const TRIAGE_STATUSES = ['new', 'in_review', 'resolved', 'dismissed'] as const;
export const VERDICTS = ['true_positive', 'false_positive', 'benign'] as const;

export const ApiError = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }),
});

/** Paging: `next_cursor` is absent on the last page. */
const page = {
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('Entries a page.'),
  cursor: text(512).exactOptional().describe('`next_cursor` of the page before.'),
};
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().exactOptional() });

export type AlertFilter = z.output<typeof AlertQuery>;
export const AlertQuery = z.strictObject({
  ...page,
  sort: z
    .enum(['opened_at', 'last_seen'])
    .default('opened_at')
    .describe('Newest first. `opened_at` never changes: every alert comes exactly once.'),
  state: z.enum(ALERT_STATES).exactOptional(),
  disposition: z.enum(DISPOSITIONS).exactOptional(),
  band: z.enum(BANDS).exactOptional(),
  status: z.enum(TRIAGE_STATUSES).exactOptional(),
  priority: z.enum(PRIORITIES).exactOptional(),
  rule: text(512).exactOptional(),
  cluster: name.exactOptional(),
  namespace: text(253).exactOptional(),
  workload: text(253).exactOptional(),
  from: time.exactOptional().describe('Opened at or after.'),
  to: time.exactOptional().describe('Opened before.'),
  q: text(200).exactOptional().describe('Part of rule, workload, pod, image, host, process or command line, any case.'),
});

export type EventFilter = z.output<typeof EventQuery>;
export const EventQuery = z.strictObject({
  ...page,
  alert_id: hex32.exactOptional(),
  outcome: text(32).exactOptional(),
  rule: text(512).exactOptional(),
  priority: z.enum(PRIORITIES).exactOptional(),
  cluster: name.exactOptional(),
  namespace: text(253).exactOptional(),
  workload: text(253).exactOptional(),
  pod: text(253).exactOptional(),
  host: text(253).exactOptional(),
  from: time.exactOptional(),
  to: time.exactOptional(),
  received_from: time.exactOptional().describe('Received at or after; the other times are those of the events.'),
  raw: z.stringbool().default(false).describe('With the raw line, unmasked: needs scope raw, and is audited.'),
});

export const AlertId = z.strictObject({ id: hex32 });
export const EventIdParam = z.strictObject({ id: hex32 });
export const RawFlag = z.strictObject({ raw: z.stringbool().default(false) });

export const VerdictBody = z.strictObject({
  status: z.enum(TRIAGE_STATUSES),
  verdict: z.enum(VERDICTS).exactOptional(),
  assignee: text(200).exactOptional(),
  note: z.string().max(4_000).exactOptional(),
  dismissed_until: time
    .exactOptional()
    .describe('With status dismissed: new windows stay hidden until then (default 30 days).'),
  revoke: z.literal(true).exactOptional().describe('Withdraw the dismissal of the fingerprint.'),
});

export type AlertView = z.output<typeof ApiAlert>;
export type EventView = z.output<typeof ApiEvent>;
export type ActionView = z.output<typeof ApiAction>;
export type DeadLetterView = z.output<typeof ApiDeadLetter>;
export type HealthView = z.output<typeof ApiHealth>;
export type WhyView = z.output<typeof ApiWhy>;

/** The alert as stored, times as ISO 8601, secrets masked. */
export const ApiAlert = z
  .looseObject({
    alert_id: z.string(),
    version: z.number(),
    change: z.string().describe('Why this version was written.'),
    cluster: z.string(),
    state: z.enum(ALERT_STATES),
    rule: z.string(),
    priority: z.enum(PRIORITIES),
    count: z.number(),
    opened_at: z.string(),
    first_seen: z.string(),
    last_seen: z.string(),
    disposition: z.enum(DISPOSITIONS),
    identity: z.looseObject({}),
    score: z.looseObject({ fp_score: z.number(), band: z.enum(BANDS) }),
    triage: z.looseObject({ status: z.enum(TRIAGE_STATUSES) }),
  })
  .meta({ id: 'Alert' });

export const ApiEvent = z
  .looseObject({
    event_id: z.string(),
    cluster: z.string(),
    time: z.string(),
    rule: z.string(),
    outcome: z.string(),
    reason: z.string(),
  })
  .meta({ id: 'Event' });

export const ApiAction = z
  .looseObject({
    intent_key: z.string(),
    version: z.number(),
    state: z.string(),
    reason: z.string(),
    rule_id: z.string(),
    action: z.string(),
    alert_id: z.string(),
    target: z.string(),
    at: z.string(),
  })
  .meta({ id: 'Action' });

export const ApiAlertDetail = z.object({
  alert: ApiAlert,
  versions: z.array(ApiAlert).describe('Latest first.'),
  events: z.array(ApiEvent),
  actions: z.array(ApiAction),
});

export const ApiVerdictTaken = z.object({
  command_id: z.string(),
  alert: ApiAlert.exactOptional().describe('Absent when the judge has not answered yet (202).'),
});

export type ActionFilter = z.output<typeof ActionQuery>;
export const ActionQuery = z.strictObject({
  ...page,
  alert_id: hex32.exactOptional(),
  rule_id: text(200).exactOptional(),
  state: text(32).exactOptional(),
  actionner: text(64).exactOptional(),
});

const matcher = z.strictObject({
  field: z
    .enum(MATCH_FIELDS, `must be one of ${MATCH_FIELDS.join(', ')}`)
    .describe('A field of the event, or of the workload it was joined to, by its SQL name.'),
  op: z.enum(['=', '!=', 'in', 'startswith', 'contains']),
  value: z.union([z.string().max(1_024), z.array(z.string().max(1_024)).min(1).max(1_000)]),
});
const matchers = z
  .array(
    matcher.refine(({ op, value }) => (op === 'in') === Array.isArray(value), '`in` takes a list, the others one text'),
  )
  .min(1)
  .max(50);

/** Bodies of documents as people write them. */
export const DOCUMENT_INPUTS = {
  silence: z
    .strictObject({ matchers, starts_at: time.exactOptional(), ends_at: time, comment: text(1_000) })
    .describe('Alerts whose opening event matches are suppressed until the end.'),
  exception: z.strictObject({ matchers, expires_at: time, comment: text(1_000) }),
} as const;
export type WritableKind = keyof typeof DOCUMENT_INPUTS;
export type SilenceInput = z.output<typeof DOCUMENT_INPUTS.silence>;
export type ExceptionInput = z.output<typeof DOCUMENT_INPUTS.exception>;

export const DocumentKindParam = z.strictObject({ kind: z.enum(['silence', 'exception']) });
export const DocumentParam = z.strictObject({ kind: z.enum(['silence', 'exception']), id: name });
export const DocumentInput = z.strictObject({
  id: name.exactOptional().describe('Made by Eyrie when absent.'),
  expected_version: z.number().int().min(0).exactOptional().describe('The version you saw; 0 = none yet.'),
  body: z.unknown().describe('As its kind demands.'),
});
export const DocumentDelete = z.strictObject({ expected_version: z.coerce.number().int().min(0).exactOptional() });
export const ApiDocument = z
  .looseObject({
    kind: z.string(),
    id: z.string(),
    version: z.number(),
    author: z.string(),
    at: z.string(),
    body: z.unknown(),
  })
  .meta({ id: 'Document' });

export const TokenInput = z.strictObject({
  name,
  tenant: name
    .exactOptional()
    .describe("Default: the caller's. Another one only by the operator, whose tenant EYRIE_TENANT names."),
  cluster: z.union([z.literal('*'), name]).default('*'),
  scopes: z.array(z.enum(SCOPES)).min(1),
  person: z
    .string()
    .min(1)
    .max(200)
    .exactOptional()
    .describe('Whose it is, such as alice@example.com: persons approve, services cannot.'),
  expires_at: time.exactOptional(),
  certificate_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
    .exactOptional()
    .describe('SHA-256 of a client certificate (DER) that stands for the token; no secret is made then.'),
});
export const TokenParam = z.strictObject({ name });
export const ApiToken = z
  .object({
    name: z.string(),
    cluster: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    person: z.string().exactOptional(),
    expires_at: z.string().exactOptional(),
    certificate_sha256: z.string().exactOptional(),
    created_at: z.string(),
    created_by: z.string(),
  })
  .meta({ id: 'Token' });
export const ApiTokenMade = ApiToken.extend({
  token: z.string().exactOptional().describe('Shown this once; absent where a certificate stands for it.'),
});

export const MetricQuery = z.strictObject({
  from: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month such as 2026-11')
    .exactOptional(),
  to: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month such as 2026-11')
    .exactOptional()
    .describe('Last month, included.'),
});

const coverage = z.object({
  watched_minutes: z.number(),
  node_minutes: z.number(),
  share: z.number().nullable().describe('Watched share of node-minutes; null where no node ever gave proof of life.'),
});

/** Blind time that no node's silence shows. Counted from health records, and so as long as those are kept. */
const coverageOfSpan = coverage.extend({
  refused_requests: z
    .number()
    .describe('Requests with events that intake refused; of one cluster alone where its token is bound to one.'),
  lost_records: z
    .number()
    .describe('Records of the whole log, of whichever tenant, that retention removed before they were read.'),
});

export const ApiMonthlyAlerts = z.object({
  items: z.array(
    z.object({
      month: z.string(),
      alerts: z.number().describe('Shown.'),
      suppressed: z.number(),
      coverage: coverageOfSpan,
    }),
  ),
  reconciliation: z.object({
    difference: z.number().describe('How many alerts judge and SQL count apart; 0 = both agree.'),
    opened_judge: z.number(),
    opened_sql: z.number(),
    in_flight: z.number().describe('Openings the archiver has not written yet.'),
  }),
});

export const CoverageQuery = z.strictObject({ from: time, to: time, cluster: name.exactOptional() });
export const ApiCoverage = z.object({
  total: coverageOfSpan,
  nodes: z.array(coverage.extend({ cluster: z.string(), node: z.string() })),
});

const snapshotText = z.string().max(1_024);
/** One pod as the inventory saw it; the tenant comes from the token. */
export const WorkloadInput = z.strictObject({
  v: z.literal(1).exactOptional(),
  cluster: name.exactOptional().describe('Needed with a token of cluster `*`.'),
  uid: text(128),
  namespace: text(253),
  pod: text(253),
  node: text(253).exactOptional(),
  owner: z.strictObject({ kind: text(63), name: text(253) }),
  service_account: snapshotText.exactOptional(),
  labels: z.record(z.string().max(317), z.string().max(256)).exactOptional(),
  containers: z
    .array(
      z.strictObject({
        name: text(253),
        id: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits, without runtime prefix')
          .exactOptional(),
        image: text(1_024),
        tag: snapshotText.exactOptional(),
        digest: snapshotText.exactOptional(),
        privileged: z.boolean().exactOptional(),
      }),
    )
    .max(256),
  started_at: z.number().int().min(0).exactOptional().describe('Milliseconds.'),
  deleted_at: z.number().int().min(0).exactOptional().describe('Milliseconds.'),
  observed_at: z.number().int().min(0).describe('Milliseconds: when the inventory saw this state; the later one wins.'),
});
export const ApiWorkloadsTaken = z.object({
  accepted: z.number(),
  rejected: z.array(z.object({ index: z.number(), code: z.string(), message: z.string() })),
});
export const WorkloadQuery = z.strictObject({
  ...page,
  cluster: name.exactOptional(),
  namespace: text(253).exactOptional(),
});

export const StreamQuery = z.strictObject({
  include: z.enum(['suppressed']).exactOptional().describe('Also alerts that are hidden from the start.'),
  last_event_id: text(512).exactOptional().describe('As the header Last-Event-ID.'),
});

export const ActionParam = z.strictObject({ intent_key: text(128) });
export const ApiActionDetail = z.object({ action: ApiAction, states: z.array(ApiAction).describe('First to last.') });

const hash32 = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits');
export const ApprovalParam = z.strictObject({ plan: hash32 });
export const ApprovalBody = z.strictObject({
  decision: z.enum(['approve', 'deny']),
  plan_hash: hash32.describe('Of the plan as it was shown: another one is not approved by it.'),
  note: z.string().max(1_000).exactOptional(),
});
export const ApiApproval = z
  .object({
    plan: z.string(),
    plan_hash: z.string(),
    rule_id: z.string(),
    cluster: z.string(),
    alert_id: z.string(),
    target: z.string(),
    actions: z.array(z.string()),
    asked_at: z.string(),
    expires_at: z.string(),
  })
  .meta({ id: 'Approval' });
export const ApiBreaker = z.object({ open: z.boolean(), since: z.string().exactOptional() }).meta({ id: 'Breaker' });
/** Taken in: what becomes of it stands in the ledger. */
export const ApiAsked = z.object({ request_id: z.string() });

export const ApiLedgerCheck = z
  .object({
    sound: z.boolean(),
    partitions: z.array(
      z.object({
        partition: z.number(),
        head: z.number().describe('Number of the last line.'),
        lines: z.number().describe('Lines of the topic that were looked at.'),
        rows: z.number().describe('Rows of ClickHouse that were looked at.'),
        breaks: z.array(
          z.object({
            where: z.enum(['topic', 'rows']),
            seq: z.number(),
            problem: z.enum(['missing', 'changed', 'twice', 'cut_off', 'unsigned']),
            intent_key: z.string().exactOptional(),
            version: z.number().exactOptional(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'LedgerCheck' });

export const DeadLetterQuery = z.strictObject({
  ...page,
  reason: text(64).exactOptional(),
  raw: z.stringbool().default(false).describe('With the kept bytes (base64): needs scope raw, and is audited.'),
});
export const ApiDeadLetter = z
  .looseObject({
    stage: z.string(),
    reason: z.string(),
    message: z.string(),
    at: z.string(),
    raw_pos: z.looseObject({ partition: z.number(), offset: z.number(), index: z.number() }),
    bytes: z.number(),
    text: z.string().describe('The beginning, masked.'),
    head: z.string().exactOptional(),
  })
  .meta({ id: 'DeadLetter' });

export const HealthQuery = z.strictObject({
  ...page,
  cluster: name.exactOptional(),
  kind: text(64).exactOptional(),
});
export const ApiHealth = z
  .looseObject({ kind: z.string(), cluster: z.string(), time: z.string() })
  .meta({ id: 'Health' });

export const WhyParam = z.strictObject({ '*': text(600) });
export const ApiWhy = z
  .object({
    kind: z.enum(['event', 'alert', 'pod', 'raw']),
    trail: z
      .array(z.object({ step: z.string(), text: z.string() }))
      .describe(
        'What happened, in order and in words: received, prepare, judge, join, score, documents, rules, actions.',
      ),
    raw: z
      .object({
        log: z.string(),
        partition: z.number(),
        offset: z.number(),
        index: z.number(),
        line: z.string().exactOptional().describe('As stored, masked; absent when the log no longer holds it.'),
      })
      .exactOptional(),
    event: ApiEvent.exactOptional(),
    alert: ApiAlert.exactOptional(),
    versions: z.array(ApiAlert),
    documents: z
      .array(
        z.looseObject({
          kind: z.string(),
          id: z.string(),
          version: z.number(),
          matched: z.boolean(),
          active: z.boolean(),
        }),
      )
      .describe('Silences and exceptions, as they stand now, against the event and the time it was judged.'),
    rules: z
      .array(z.object({ rule_id: z.string(), fired: z.boolean(), first_false: z.string().exactOptional() }))
      .describe('Response rules: fired, or the first condition that was false.'),
    actions: z.array(ApiAction),
    dead_letters: z.array(ApiDeadLetter),
    events: z.array(ApiEvent).describe('Of an alert or pod, newest first.'),
    alerts: z.array(ApiAlert).describe('Of a pod, newest first.'),
  })
  .meta({ id: 'Why' });
