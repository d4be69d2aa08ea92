import { COMPRESSIONS, SASL_MECHANISMS } from '@eyrie/platform/bus/kafka/settings';
import { flag, integer, parseEnv } from '@eyrie/platform/config';
import { LOG_LEVELS } from '@eyrie/platform/log';
import { RETENTION } from '@eyrie/platform/store/retention';
import { JUDGE_DEFAULTS } from '@eyrie/processor';
import { isName } from '@eyrie/schemas';
import { z } from 'zod';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MIB = 1024 * 1024;

const name = z.string().refine(isName, 'must be 1 to 63 of a-z, 0-9, ".", "_", "-"');
const file = z.string().min(1);
const brokers = z
  .string()
  .regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, 'must be host:port, several separated by commas')
  .transform((text) => text.split(','))
  .refine(
    (all) => all.every((one) => Number(one.slice(one.lastIndexOf(':') + 1)) < 65_536),
    'must have ports up to 65535',
  );

/** Settings by service; the keys are the environment variables. `docs/reference/configuration.md` is made from these schemas. */
export const CONFIG = {
  shared: z.object({
    EYRIE_LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('Least severe log message that is written.'),
    EYRIE_BUS: z
      .enum(['embedded', 'kafka'])
      .default('embedded')
      .describe('Where the topics live: in the data directory, or on a Kafka cluster.'),
    EYRIE_STORE: z
      .enum(['chdb', 'clickhouse'])
      .default('chdb')
      .describe('Which ClickHouse engine keeps the tables: the embedded one, or a server.'),
    EYRIE_SIGNING_KEY: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits: `openssl rand -hex 32` makes one')
      .optional()
      .describe(
        'Key of the records that only Eyrie may write, the same for every role on one Kafka cluster. Embedded: made with the data directory.',
      ),
    EYRIE_TENANT: name
      .default('default')
      .describe(
        'Tenant of the tokens made at the first start and of `replay`; it is shown what was refused without a token.',
      ),
    EYRIE_CLUSTER: name
      .default('default')
      .describe('Cluster of the intake token made at the first start, and of `replay`.'),
    EYRIE_INTAKE_TOKEN: z.string().min(16).optional().describe('Token for posting events, instead of a random one.'),
    EYRIE_API_TOKEN: z.string().min(16).optional().describe('Token for the API, instead of a random one.'),
    EYRIE_RULES_DIR: file.optional().describe('Directory of response rules (*.yaml).'),
    EYRIE_SCRIPTS_DIR: file.optional().describe('Directory of the scripts that rules may name.'),
    EYRIE_CONNECTIONS_FILE: file.optional().describe('Connections to Slack, web hooks, …'),
  }),
  bus: z.object({
    EYRIE_BUS_PARTITIONS: integer(1, 5, 1).describe(
      'Partitions of the embedded topics; fixed once the data directory exists.',
    ),
    EYRIE_BUS_MAX_BYTES: integer(64 * MIB, 2 ** 50, 20 * 1024 * MIB).describe(
      'Bytes the embedded log may hold; beyond, intake answers 503.',
    ),
    EYRIE_BUS_TARGET_BYTES: integer(64 * MIB, 2 ** 50, 1024 * MIB).describe(
      'Bytes of records kept once every reader has read them; older ones go first.',
    ),
    EYRIE_BUS_SYNC: flag(true).describe(
      'Sync every commit. Off only for measurements: a power failure then loses accepted events.',
    ),
  }),
  kafka: z.object({
    EYRIE_KAFKA_BROKERS: brokers
      .optional()
      .describe('`host:port,host:port`: some brokers; the others are found through them.'),
    EYRIE_KAFKA_CLIENT_ID: z.string().min(1).max(100).default('eyrie').describe('How the brokers name this program.'),
    EYRIE_TOPIC_PREFIX: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{0,100}$/, 'must be at most 100 of a-z, A-Z, 0-9, ".", "_", "-"')
      .default('eyrie.')
      .describe('Leads every topic, group and transactional id.'),
    EYRIE_KAFKA_SESSION_TIMEOUT_MS: integer(1_000, 300_000, 10_000).describe(
      'Without a heartbeat for that long a process is taken for dead and its partitions move.',
    ),
    EYRIE_KAFKA_STANDBY_BYTES: integer(0, 2 ** 40, 256 * MIB).describe(
      'Memory for the state of partitions that other processes own, for each group: one that moves here goes on sooner. 0 = none.',
    ),
    EYRIE_KAFKA_TLS: flag(false).describe('Speak TLS to the brokers.'),
    EYRIE_KAFKA_TLS_CA_FILE: file
      .optional()
      .describe('PEM of the authorities of the brokers, instead of those Node knows. Read at each connection.'),
    EYRIE_KAFKA_TLS_CERT_FILE: file
      .optional()
      .describe('PEM certificate chain of this client (mTLS); one that changes is used from the next connection on.'),
    EYRIE_KAFKA_TLS_KEY_FILE: file.optional().describe('PEM private key to it.'),
    EYRIE_KAFKA_SASL_MECHANISM: z
      .enum(SASL_MECHANISMS)
      .optional()
      .describe('How to log in: `plain` (with TLS only), `scram-sha-256`, `scram-sha-512`.'),
    EYRIE_KAFKA_SASL_USERNAME: z.string().min(1).optional().describe('User to log in as.'),
    EYRIE_KAFKA_SASL_PASSWORD: z.string().min(1).optional().describe('Password of the user; read at the start.'),
    EYRIE_KAFKA_COMPRESSION: z
      .enum(COMPRESSIONS)
      .default('zstd')
      .describe('Of what is written, from some kB on: `none`, `gzip`, `snappy`, `zstd`. All of them are read.'),
    EYRIE_KAFKA_PRINCIPALS: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Who each role is to the brokers, `gateway=User:gw,processor=User:pr,…` or `all=User:eyrie`; ' +
          'otherwise `User:eyrie-<role>`. Others that may write where a record makes Eyrie act are told.',
      ),
  }),
  clickhouse: z.object({
    EYRIE_CLICKHOUSE_URL: z
      .string()
      .optional()
      .describe('`http(s)://host:port` of the HTTP interface, without user and password.'),
    EYRIE_CLICKHOUSE_USER: z.string().min(1).default('default').describe('User who defines the tables and fills them.'),
    EYRIE_CLICKHOUSE_PASSWORD: z
      .string()
      .default('')
      .describe('Its password. Empty beside a client certificate: the certificate stands for the user.'),
    EYRIE_CLICKHOUSE_TLS_CA_FILE: file
      .optional()
      .describe('PEM of the authorities to trust instead of the system’s; files are read at the start.'),
    EYRIE_CLICKHOUSE_TLS_CERT_FILE: file.optional().describe('PEM certificate to show to the server.'),
    EYRIE_CLICKHOUSE_TLS_KEY_FILE: file.optional().describe('PEM private key of that certificate.'),
    EYRIE_CLICKHOUSE_CLUSTER: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,100}$/, 'must be 1 to 100 of a-z, A-Z, 0-9, ".", "_", "-"')
      .optional()
      .describe('Cluster of the server over which tables are sharded and replicated; fixed once they exist.'),
    EYRIE_CLICKHOUSE_ANALYST_USER: z
      .string()
      .min(1)
      .optional()
      .describe(
        'User for statements of `eyrie sql`: SELECT on eyrie.*, `readonly = 2`. Otherwise they run as the user above.',
      ),
    EYRIE_CLICKHOUSE_ANALYST_PASSWORD: z.string().default('').describe('Its password.'),
  }),
  store: z.object({
    EYRIE_STORE_EVENTS_DAYS: integer(1, 3_650, RETENTION.eventsDays).describe(
      'Days events stay in ClickHouse. Tables that exist follow a change at the next start of the archiver or `eyrie migrate`: give both the same.',
    ),
    EYRIE_STORE_VERSIONS_DAYS: integer(1, 3_650, RETENTION.versionsDays).describe(
      'Days the versions of alerts and actions and the coverage stay; the latest version of each stays for good.',
    ),
    EYRIE_STORE_HEALTH_DAYS: integer(1, 3_650, RETENTION.healthDays).describe(
      'Days health records and dead letters stay.',
    ),
  }),
  gateway: z.object({
    EYRIE_GATEWAY_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
    EYRIE_GATEWAY_PORT: integer(0, 65_535, 2801).describe('Port; 0 = any free one.'),
    EYRIE_GATEWAY_TLS_CERT_FILE: file.optional().describe('PEM certificate chain; read anew when it changes.'),
    EYRIE_GATEWAY_TLS_KEY_FILE: file.optional().describe('PEM private key.'),
    EYRIE_GATEWAY_TLS_CLIENT_CA_FILE: file.optional().describe('PEM of the authorities of client certificates (mTLS).'),
    EYRIE_GATEWAY_BODY_MAX_BYTES: integer(MIB, 1024 * MIB, 32 * MIB).describe('Largest body after decompression.'),
    EYRIE_GATEWAY_EVENT_MAX_BYTES: integer(1024, 4 * MIB, 256 * 1024).describe(
      'Largest line of one event. On Kafka the same for every role and for `eyrie topics create`: sizes of records follow from it.',
    ),
    EYRIE_GATEWAY_HEARTBEAT_MS: integer(0, HOUR, 10_000).describe(
      'A heartbeat each interval measures the path from here to ClickHouse (`eyrie_path_seconds`); 0 = none.',
    ),
    EYRIE_INPUTS_FILE: file
      .optional()
      .describe('Topics of other programs to read events from, with tenant and cluster of each; see docs/inputs.md.'),
    EYRIE_GATEWAY_TENANT_EVENTS_PER_SECOND: integer(0, 1e9, 0).describe(
      'Soft quota of a tenant, 0 = none: beyond it events are stored and shown as over quota.',
    ),
    EYRIE_GATEWAY_TENANT_BYTES_PER_DAY: integer(0, 2 ** 50, 0).describe(
      'Hard quota of a tenant, 0 = none: beyond it intake answers 429, and each refusal is counted as blind time. ' +
        'Counted from the start of the process.',
    ),
  }),
  processor: z.object({
    EYRIE_PROCESSOR_WINDOW_MS: integer(MINUTE, 24 * HOUR, JUDGE_DEFAULTS.windowMs).describe(
      'Length of a folding window.',
    ),
    EYRIE_PROCESSOR_GRACE_MS: integer(1000, HOUR, JUDGE_DEFAULTS.graceMs).describe(
      'How long after its end a window is closed; idle time after which the watermark moves with the clock.',
    ),
    EYRIE_PROCESSOR_INTERVAL_MS: integer(1000, 24 * HOUR, JUDGE_DEFAULTS.intervalMs).describe(
      'At least one update in this time while an alert grows.',
    ),
  }),
  archiver: z.object({
    EYRIE_ARCHIVER_BATCH_ROWS: integer(1, 500_000, 50_000).describe('Rows after which a batch is inserted.'),
  }),
  responder: z.object({
    EYRIE_RESPONDER_TRUST_TOPICS: flag(false).describe(
      'On Kafka: let rules be in enforce though others than Eyrie may write to its topics, or nobody tells who may.',
    ),
    EYRIE_RESPONDER_SCRIPTS_MAX: integer(1, 64, 4).describe(
      'Scripts that run at the same time, in each partition of actions.',
    ),
  }),
  health: z.object({
    EYRIE_HEALTH_HOST: z
      .string()
      .default('127.0.0.1')
      .describe(
        'Address of health, readiness and metrics of a role that runs alone; whoever reaches it may read them.',
      ),
    EYRIE_HEALTH_PORT: integer(0, 65_535, 2803).describe('Port; 0 = any free one.'),
  }),
  console: z.object({
    EYRIE_CONSOLE_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
    EYRIE_CONSOLE_PORT: integer(0, 65_535, 2802).describe('Port; 0 = any free one.'),
    EYRIE_CONSOLE_TLS_CERT_FILE: file.optional().describe('PEM certificate chain; read anew when it changes.'),
    EYRIE_CONSOLE_TLS_KEY_FILE: file.optional().describe('PEM private key.'),
    EYRIE_CONSOLE_TLS_CLIENT_CA_FILE: file.optional().describe('PEM of the authorities of client certificates (mTLS).'),
  }),
} as const;

const everything = z.object(Object.assign({}, ...Object.values(CONFIG).map((schema) => schema.shape)) as AllShapes);

type Union<T> = (T extends unknown ? (x: T) => void : never) extends (x: infer I) => void ? I : never;
type AllShapes = Union<(typeof CONFIG)[keyof typeof CONFIG]['shape']>;

export type Config = z.output<typeof everything>;

/** Read by verbs, not by services. */
const OF_VERBS = ['EYRIE_DATA_DIR', 'EYRIE_API_URL', 'EYRIE_GATEWAY_URL', 'EYRIE_FAILPOINT'];

/** What is named like a setting and is none: a typo, which would have no effect in silence. Names alone, in order. */
export function unknownSettings(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set([...OF_VERBS, ...Object.keys(everything.shape).flatMap((key) => [key, `${key}_FILE`])]);
  return Object.keys(env)
    .filter((name) => name.startsWith('EYRIE_') && !name.startsWith('EYRIE_TEST_') && !known.has(name))
    .sort();
}

/** For verbs that work in a directory of their own, whatever the environment says. */
export const EMBEDDED = { EYRIE_BUS: 'embedded', EYRIE_STORE: 'chdb' } as const;

/** @throws AppError EYRIE_CONFIG_INVALID with every bad key */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return parseEnv(everything, env);
}
