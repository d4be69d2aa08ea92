import { z } from 'zod';
import { PRIORITIES } from './priority.ts';

/**
 * A file of response rules (`EYRIE_RULES_DIR/*.yaml`), as people write it. Everything is strict: an unknown key is an
 * error, because a misspelt condition would widen what the rule does.
 */
const text = (maximum: number) => z.string().min(1).max(maximum);
const id = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z, 0-9, ".", "_", "-"');
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `30s`, `10m`, `2h`, `7d` as milliseconds. */
export const Duration = z
  .string()
  .regex(/^\d{1,9}(?:ms|s|m|h|d)$/, 'must be a duration such as 30s, 10m, 2h')
  .transform((value) => {
    const [, count = '0', unit = 'ms'] = /^(\d+)([a-z]+)$/.exec(value) ?? [];
    return Number(count) * UNITS[unit as keyof typeof UNITS];
  })
  .pipe(z.number().max(30 * UNITS.d, 'must be at most 30d'));

/** `5/1h`: at most so many in a sliding span. */
export const Limit = z
  .string()
  .regex(/^\d{1,4}\/\d{1,4}(?:s|m|h|d)$/, 'must be a limit such as 5/1h')
  .transform((value) => {
    const [count = '0', window = '0s'] = value.split('/');
    return { count: Number(count), windowMs: Duration.parse(window) };
  });

const priorityWords = PRIORITIES.join('|');
const Comparison = z
  .string()
  .regex(
    new RegExp(`^(?:[<>]=?)?(?:${priorityWords})$`, 'i'),
    `must be a priority such as >=Notice (${priorityWords})`,
  );
const ScoreComparison = z.string().regex(/^[<>]=?(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?)$/, 'must be such as <0.3');
const TagList = z
  .string()
  .regex(/^\s*[A-Za-z0-9_.]+(?:\s*,\s*[A-Za-z0-9_.]+)*\s*$/, 'must be tags separated by commas (all of them)');
const conditions = z.array(text(2_048)).min(1).max(100);

export const RuleMatch = z
  .strictObject({
    rules: z.array(text(512)).min(1).max(500).exactOptional().describe('Detections by exact name; any of them.'),
    tags: z.array(TagList).min(1).max(100).exactOptional().describe('Any item; a comma inside an item = all of them.'),
    priority: Comparison.exactOptional(),
    source: text(64).exactOptional(),
    output_fields: conditions
      .exactOptional()
      .describe(
        '`field=value`, `field!=value` (both false when the field is absent) or `field?!=value` (true when it is absent, as `!=` of Falco Talon); any item, a comma inside an item = all of them. Quotes hold commas.',
      ),
    where: text(4_096)
      .exactOptional()
      .describe(
        'A typed expression over fields, such as `proc.name in ("bash", "sh") and not fd.rip cidr "10.0.0.0/8"`.',
      ),
    score: ScoreComparison.exactOptional().describe('The score: how likely a false positive.'),
    threshold: z
      .strictObject({
        by: z.array(text(128)).min(1).max(5).describe('Fields or columns that make a count of their own.'),
        count: z.number().int().min(2).max(1_000),
        within: Duration,
      })
      .exactOptional()
      .describe('Only once so many events that match came within a sliding span.'),
  })
  .refine((match) => Object.keys(match).length > 0, 'must hold at least one condition');

const Retry = z.strictObject({
  attempts: z.number().int().min(1).max(50).default(8),
  backoff: z
    .string()
    .regex(/^\d+(?:ms|s|m)\.\.\d+(?:ms|s|m|h)$/, 'must be a range such as 1s..5m')
    .default('1s..5m')
    .transform((value) => {
      const [initial = '1s', maximum = '5m'] = value.split('..');
      return { initialMs: Duration.parse(initial), maximumMs: Duration.parse(maximum) };
    }),
});

export const RuleAction = z.strictObject({
  action: id.describe('Name of the action within the rule.'),
  actionner: text(64).describe('What runs it: see `eyrie actions list`.'),
  parameters: z.record(z.string(), z.unknown()).default({}),
  timeout: Duration.exactOptional(),
  retry: Retry.exactOptional(),
  on_error: z.enum(['stop', 'continue']).default('stop').describe('What becomes of the actions after it.'),
  needs: z
    .array(id)
    .min(1)
    .max(20)
    .exactOptional()
    .describe('Actions before it that must have succeeded; otherwise it alone is left out.'),
  when: text(4_096)
    .exactOptional()
    .describe(
      'An expression as `where`, also over `results.NAME.state` and `results.NAME.reason` of actions before it.',
    ),
  undo: z
    .strictObject({ after: Duration })
    .exactOptional()
    .describe('Taken back by itself, so long after it was done.'),
});

/** A detection as a sensor writes it; what a test does not say is filled in. */
const TestEvent = z.strictObject({
  rule: text(512),
  priority: z.enum(PRIORITIES).default('Warning'),
  source: text(64).default('syscall'),
  tags: z.array(text(200)).default([]),
  hostname: text(253).default('node-1'),
  output: z.string().default(''),
  output_fields: z.record(z.string(), z.unknown()).default({}),
});
export const RULE_DECISIONS = [
  'no_match',
  'planned',
  'simulated',
  'awaiting_approval',
  'executing',
  'suppressed',
  'denied',
] as const;

export const RuleTest = z.strictObject({
  name: text(200),
  given: z
    .strictObject({
      event: TestEvent.exactOptional(),
      fixture: text(200)
        .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/)
        .refine((path) => !path.includes('..'), 'must stay inside the directory')
        .exactOptional()
        .describe('A file with one event, beside the rule file.'),
      score: z.number().min(0).max(1).exactOptional(),
      columns: z
        .record(z.string().regex(/^[a-z_]{1,40}$/), z.union([z.string(), z.number(), z.boolean()]))
        .default({})
        .describe('Values Eyrie adds to the event, such as namespace or workload.'),
      suppressed: z.boolean().default(false),
      repeat: z.number().int().min(1).max(1_000).default(1).describe('So many alerts on one target; the last decides.'),
    })
    .refine((given) => (given.event === undefined) !== (given.fixture === undefined), 'needs either event or fixture'),
  expect: z.strictObject({
    decision: z.enum(RULE_DECISIONS),
    plan: z.array(id).exactOptional().describe('Names of the actions, in order.'),
    reason: text(64).exactOptional(),
  }),
});

/** Names as `person` of tokens has them. */
export const persons = z.array(text(200)).max(50);

export const ResponseRule = z.strictObject({
  rule: text(200).describe('Name for people.'),
  id: id.describe('Stable: intents and limits hang on it.'),
  description: z.string().max(2_000).exactOptional(),
  mode: z.enum(['observe', 'dry_run', 'approve', 'enforce']).exactOptional().describe('Default dry_run.'),
  match: RuleMatch,
  unless: conditions
    .exactOptional()
    .describe('Items as in output_fields, or expressions as in `where`: any item that holds stops the rule.'),
  include_suppressed: z.boolean().default(false).describe('Also act on suppressed and silenced alerts.'),
  cooldown: Duration.exactOptional().describe('Per target, after the rule acted.'),
  limits: z
    .strictObject({ rule: Limit.exactOptional(), target: Limit.exactOptional(), workload: Limit.exactOptional() })
    .default({})
    .describe('All that the rule does for a tenant; for one target; for one workload.'),
  approval: z
    .strictObject({
      quorum: z.number().int().min(1).max(10).default(1).describe('So many different persons.'),
      ttl: Duration.default(900_000).describe('Without their word until then it is not done.'),
      ask: z.array(RuleAction).min(1).max(5).exactOptional().describe('Notices (class 0) that tell persons at once.'),
    })
    .exactOptional()
    .describe('Of mode approve. Default: one person within 15m.'),
  authors: persons.exactOptional().describe('Persons who wrote it: their approval does not count.'),
  actions: z.array(RuleAction).min(1).max(20),
  tests: z.array(RuleTest).max(200).default([]),
});
export type ResponseRule = z.output<typeof ResponseRule>;
export type RuleTest = z.output<typeof RuleTest>;

export const RuleFile = z.strictObject({
  version: z.literal(1, 'must be 1'),
  /** A ResponsePolicy. */
  policy: z.unknown().exactOptional(),
  rules: z.array(z.unknown()).max(1_000).default([]),
});
export type RuleFile = z.output<typeof RuleFile>;
