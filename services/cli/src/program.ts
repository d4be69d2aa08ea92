import { ACCESS_ROLES } from '@eyrie/schemas';
import { Argument, Command, Option } from 'commander';
import {
  duration,
  momentInPast,
  PARTITIONS,
  partitionCounts,
  positiveNumber,
  share,
  wholeNumber,
} from './option-values.ts';
import { ROLES, type RoleName } from './role-names.ts';

const json = () => new Option('--json', 'print one JSON value on standard output');
const dataDir = (fallback = '.eyrie') => new Option('--data-dir <dir>', 'data directory').default(fallback);

/** Options of the verbs that speak to a running Eyrie. */
function speaking(command: Command): Command {
  return command
    .addOption(dataDir().env('EYRIE_DATA_DIR'))
    .addOption(
      new Option('--url <url>', 'address of the API, if it is not that of the data directory').env('EYRIE_API_URL'),
    )
    .addOption(
      new Option('--token <token>', 'API token, if it is not that of the data directory').env('EYRIE_API_TOKEN'),
    )
    .addOption(json());
}

const DAY_MS = 86_400_000;

/** Options of the verbs that ask stored history. */
function overHistory(command: Command): Command {
  return command
    .addOption(dataDir().env('EYRIE_DATA_DIR'))
    .addOption(
      new Option('--from <when>', 'begin there: 30d (ago), or a time')
        .argParser(momentInPast)
        .default(Date.now() - 30 * DAY_MS, '30d'),
    )
    .option('--partitions <n>', 'partitions of action requests, if they are not those of the settings', positiveNumber)
    .addOption(json());
}

/** The verbs with their options; each verb's code is loaded when it is called. */
export function createProgram(): Command {
  const program = new Command('eyrie')
    .description('Security pipeline for fleets of Kubernetes clusters: events in, scored alerts and actions out.')
    .version('0.1.0')
    // A group that is a verb itself (`actions`) leaves the options of its verbs to them.
    .enablePositionalOptions()
    .exitOverride();

  program
    .command('demo')
    .description('see it work: a small simulated cluster, its alerts, one response')
    .addOption(new Option('--for <duration>', 'end after this time; otherwise stay').argParser(duration))
    .addOption(json())
    .action(async (options) => (await import('./verbs/demo.ts')).demo(options));

  program
    .command('up')
    .description('run every role in this process, embedded unless EYRIE_BUS and EYRIE_STORE say otherwise')
    .addOption(dataDir().env('EYRIE_DATA_DIR'))
    .addOption(new Option('--gateway-port <n>', 'port of the gateway, 0 = any').argParser(wholeNumber))
    .addOption(new Option('--console-port <n>', 'port of the API, 0 = any').argParser(wholeNumber))
    .option('--ready-file <file>', 'written (mode 0600) when everything is ready')
    .option('--rules <dir>', 'directory of response rules')
    .addOption(json())
    .action(async (options) => (await import('./verbs/up.ts')).up(options));

  for (const [name, does] of Object.entries(ROLES)) {
    program
      .command(name)
      .description(`run one role on Kafka and ClickHouse: ${does}`)
      .addOption(dataDir().env('EYRIE_DATA_DIR'))
      .addOption(json())
      .action(async (options) => (await import('./verbs/role.ts')).role(name as RoleName, options));
  }

  program
    .command('send')
    .argument('<file...>', 'files of events, one a line; - is standard input; gzip is recognised')
    .description('send events to a gateway, repeating until everything was accepted')
    .addOption(new Option('--url <url>', 'address of the gateway').env('EYRIE_GATEWAY_URL').makeOptionMandatory())
    .addOption(new Option('--token <token>', 'intake token').env('EYRIE_INTAKE_TOKEN').makeOptionMandatory())
    .addOption(new Option('--rate <n>', 'events a second at most').argParser(positiveNumber))
    .addOption(new Option('--batch <n>', 'events a post').argParser(positiveNumber).default(500))
    .option('--state <file>', 'remember what was accepted, and go on from there')
    .addOption(json())
    .action(async (files, options) => (await import('./verbs/send.ts')).send(files, options));

  program
    .command('replay')
    .argument('<file...>', 'files of events, one a line; - is standard input; gzip is recognised')
    .description('run files through the whole pipeline, offline, and say what came out')
    .option('--data-dir <dir>', 'keep the result there; otherwise a temporary directory')
    .option('--with <file>', 'preview documents (silences, exceptions, rules) on the same input')
    .option('--diff', 'with --with: print the difference they make')
    .addOption(json())
    .action(async (files, options) => (await import('./verbs/replay.ts')).replay(files, options));

  const connect = program
    .command('connect')
    .description('make a token, print the exact settings, wait for the first event');
  for (const kind of ['falco', 'falcosidekick'] as const) {
    speaking(connect.command(kind).description(`connect ${kind}`))
      .requiredOption('--cluster <name>', 'cluster of the events')
      .addOption(
        new Option('--wait <duration>', 'how long to wait for the first event')
          .argParser(duration)
          .default(600_000, '10m'),
      )
      .option('--gateway <url>', 'address of the gateway as the sensor sees it')
      .action(async (options) => (await import('./verbs/connect.ts')).connect(kind, options));
  }

  speaking(connect.command('kafka').description('settings of a topic that others write events to'))
    .requiredOption('--topic <name>', 'the topic, as Kafka names it')
    .requiredOption('--cluster <name>', 'cluster of the events')
    .option('--tenant <name>', 'tenant of the events; otherwise EYRIE_TENANT')
    .addOption(
      new Option('--wait <duration>', 'how long to wait for the first event')
        .argParser(duration)
        .default(600_000, '10m'),
    )
    .action(async (options) => (await import('./verbs/connect-kafka.ts')).connectKafka(options));

  speaking(program.command('why').argument('<id>', 'event id, alert id, pod uid or namespace/pod'))
    .description('the whole trail of an event, alert or pod')
    .action(async (id, options) => (await import('./verbs/ask.ts')).why(id, options));

  const alerts = program.command('alerts').description('list, show, watch, judge alerts');
  speaking(alerts.command('list'))
    .description('newest first')
    .option('--limit <n>', 'how many', positiveNumber, 20)
    .option('--disposition <name>', 'alert, review or suppressed')
    .option('--namespace <name>')
    .option('--rule <name>')
    .action(async (options) => (await import('./verbs/alerts.ts')).list(options));
  speaking(alerts.command('show').argument('<alert>'))
    .description('one alert with its reasons')
    .action(async (id, options) => (await import('./verbs/alerts.ts')).show(id, options));
  speaking(alerts.command('watch'))
    .description('follow the stream of alerts')
    .action(async (options) => (await import('./verbs/alerts.ts')).watch(options));
  const status = new Argument('<status>').choices(['new', 'in_review', 'resolved', 'dismissed']);
  speaking(alerts.command('verdict').argument('<alert>').addArgument(status))
    .description('record a verdict; a dismissal also hides coming windows')
    .addOption(new Option('--verdict <word>').choices(['true_positive', 'false_positive', 'benign']))
    .option('--note <text>')
    .action(async (id, status, options) => (await import('./verbs/alerts.ts')).verdict(id, status, options));

  const silences = program.command('silences').description('add, list, expire silences');
  speaking(silences.command('list')).action(async (options) => (await import('./verbs/silences.ts')).list(options));
  speaking(
    silences
      .command('add')
      .argument('<matcher...>', 'field=value, field!=value, field^=prefix or field~=part; all must hold'),
  )
    .description('hide matching alerts until an end')
    .addOption(new Option('--for <duration>', 'how long').argParser(duration).makeOptionMandatory())
    .requiredOption('--comment <text>', 'why')
    .action(async (matchers, options) => (await import('./verbs/silences.ts')).add(matchers, options));
  speaking(silences.command('expire').argument('<id>')).action(async (id, options) =>
    (await import('./verbs/silences.ts')).expire(id, options),
  );

  const tokens = program.command('tokens').description('create, list, revoke tokens');
  speaking(tokens.command('list')).action(async (options) => (await import('./verbs/tokens.ts')).list(options));
  speaking(tokens.command('create').argument('<name>'))
    .description('make a token; it is shown once')
    .requiredOption('--scopes <list>', 'intake, inventory, read, triage, respond, admin, raw (comma separated)')
    .option('--cluster <name>', 'cluster, or * to take it from each event', '*')
    .option('--person <name>', 'whose it is, such as alice@example.com: persons approve, services cannot')
    .option('--tenant <name>', 'another tenant than your own; the operator alone may')
    .addOption(new Option('--expires <duration>', 'how long it is valid').argParser(duration))
    .option('--certificate <file>', 'let this client certificate (PEM) stand for the token; no secret is made')
    .option('--out <file>', 'write the token to this file (mode 0600)')
    .action(async (name, options) => (await import('./verbs/tokens.ts')).create(name, options));
  speaking(tokens.command('revoke').argument('<name>')).action(async (name, options) =>
    (await import('./verbs/tokens.ts')).revoke(name, options),
  );

  const approvals = program.command('approvals').description('plans that wait for a person');
  speaking(approvals.command('list')).action(async (options) => (await import('./verbs/approvals.ts')).list(options));
  for (const decision of ['approve', 'deny'] as const) {
    speaking(approvals.command(decision).argument('<plan>', 'as `eyrie approvals list` shows it'))
      .description(decision === 'approve' ? 'let it be done; guards are asked again' : 'it is not done')
      .option('--hash <hash>', 'of the plan you looked at; default: as it is now')
      .option('--note <text>', 'why')
      .action(async (plan, options) => (await import('./verbs/approvals.ts')).decide(plan, decision, options));
  }

  const actions = program.command('actions').description('the ledger of actions');
  speaking(actions.command('undo').argument('<intent>', 'as `eyrie actions` shows it'))
    .description('take an action back, where the live value is still what was set')
    .action(async (intent, options) => (await import('./verbs/approvals.ts')).undo(intent, options));
  speaking(actions.command('breaker'))
    .description('whether failures hold back what would change a cluster')
    .option('--reset', 'you have looked: let actions go on')
    .action(async (options) => (await import('./verbs/approvals.ts')).breaker(options));
  speaking(actions.command('verify'))
    .description('hold the rows of the ledger against its topic and its head')
    .action(async (options) => (await import('./verbs/verify.ts')).verify(options));
  speaking(actions).action(async (options) => (await import('./verbs/ask.ts')).actions(options));
  actions
    .command('list')
    .description('everything a rule can do, with parameters and permissions')
    .addOption(json())
    .action(async (options) => (await import('./verbs/rules.ts')).actions(options));
  speaking(program.command('dead-letters').description('records set aside, with their reason')).action(
    async (options) => (await import('./verbs/ask.ts')).deadLetters(options),
  );

  const topics = program.command('topics').description('make and check the topics on Kafka (EYRIE_KAFKA_…)');
  topics
    .command('create')
    .description('make the topics that are missing; those that exist stay as they are')
    .addOption(
      new Option('--partitions <list>', 'partitions of each kind of topic').argParser(partitionCounts).default(
        PARTITIONS,
        Object.entries(PARTITIONS)
          .map((one) => one.join('='))
          .join(','),
      ),
    )
    .option('--replication-factor <n>', 'copies of each partition', positiveNumber, 3)
    .option('--min-insync-replicas <n>', 'copies a record must lie on (one less than all)', positiveNumber)
    .option('--print, --dry-run', 'print the plan and change nothing')
    .addOption(json())
    .action(async (options) => (await import('./verbs/topics.ts')).create(options));
  topics
    .command('check')
    .description('compare the topics, and who may write to them, with what they should be; exit 1 where they differ')
    .option('--replication-factor <n>', 'copies of each partition (3, or as many as there are brokers)', positiveNumber)
    .addOption(json())
    .action(async (options) => (await import('./verbs/topics.ts')).check(options));
  topics
    .command('acls')
    .addArgument(new Argument('[role]', 'one role').choices(ACCESS_ROLES))
    .description('print what an authorizer has to allow each role (EYRIE_KAFKA_PRINCIPALS), as commands of Kafka')
    .addOption(json())
    .action(async (role, options) => (await import('./verbs/topics.ts')).acls({ role, ...options }));

  const rules = program.command('rules').description('response rules');
  rules
    .command('check')
    .description('check the rules of a directory and run the tests in their files')
    .argument('<dir>')
    .option('--connections', 'also ask every connection whether it is there and lets us')
    .addOption(json())
    .action(async (dir, options) => (await import('./verbs/rules.ts')).check(dir, options));
  rules
    .command('rbac')
    .description('print the least ClusterRole for the rules of a directory')
    .argument('<dir>')
    .addOption(json())
    .action(async (dir, options) => (await import('./verbs/rules.ts')).rbac(dir, options));
  overHistory(rules.command('simulate').argument('<dir>', 'directory of response rules'))
    .addOption(new Option('--to <when>', 'end there; otherwise now').argParser(momentInPast))
    .description('what the rules would have done to stored history: counts, limits, verdicts, difference to the ledger')
    .action(async (dir, options) => (await import('./verbs/rules-simulate.ts')).simulate(dir, options));
  overHistory(
    rules.command('promote').argument('<rule>', 'id of the rule').argument('<dir>', 'directory of response rules'),
  )
    .description('set a rule to enforce in its file, when stored history gives no reason against it; exit 1 otherwise')
    .addOption(new Option('--to <mode>', 'the mode it gets').choices(['enforce']).makeOptionMandatory())
    .option('--max-per-day <n>', 'actions on one day (UTC) at most', positiveNumber, 20)
    .addOption(
      new Option('--min-history <duration>', 'history there has to be').argParser(duration).default(7 * DAY_MS, '7d'),
    )
    .addOption(
      new Option('--max-workload-share <share>', 'pods of one workload at most, for rules that change a cluster')
        .argParser(share)
        .default(0.25, '25%'),
    )
    .action(async (rule, dir, options) => (await import('./verbs/rules-promote.ts')).promote(rule, dir, options));
  rules
    .command('test')
    .argument('<dir>', 'directory of response rules')
    .description('print a test for a rule, made of the opening event of an alert, with what is decided now')
    .addOption(dataDir().env('EYRIE_DATA_DIR'))
    .requiredOption('--from-alert <id>', 'the alert')
    .requiredOption('--rule <id>', 'the rule')
    .addOption(json())
    .action(async (dir, options) => (await import('./verbs/rules-test.ts')).test(dir, options));
  rules
    .command('import')
    .argument('<file...>', 'rule files, in the order they override one another')
    .description('translate the rules of another tool, all in dry_run; exit 1 when some are refused')
    .addOption(new Option('--from <tool>', 'whose rules they are').choices(['talon']).makeOptionMandatory())
    .option('--out <file>', 'write the rule file there instead of standard output; never over another')
    .addOption(json())
    .action(async (files, options) => (await import('./verbs/rules-import.ts')).importRules(files, options));

  program
    .command('migrate')
    .description('bring the tables of the configured store up to this version')
    .addOption(dataDir().env('EYRIE_DATA_DIR'))
    .option('--print', 'print the SQL a new database needs, and connect to nothing')
    .addOption(json())
    .action(async (options) => (await import('./verbs/migrate.ts')).migrate(options));

  program
    .command('sql')
    .argument('<select>', 'one SELECT over the database eyrie')
    .description('ask the running process, read-only')
    .addOption(dataDir().env('EYRIE_DATA_DIR'))
    .addOption(new Option('--timeout <duration>').argParser(duration).default(30_000, '30s'))
    .option('--max-rows <n>', 'rows at most', positiveNumber, 10_000)
    .addOption(json())
    .action(async (statement, options) => (await import('./verbs/sql.ts')).sql(statement, options));

  speaking(program.command('doctor').description('check machine, data directory and the running process')).action(
    async (options) => (await import('./verbs/doctor.ts')).doctor(options),
  );

  // What is wrong is said once, with its code, by whoever catches it.
  for (const command of [program, ...allCommands(program)])
    command.exitOverride().configureOutput({ outputError: () => {} });
  return program;
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)]);
}
