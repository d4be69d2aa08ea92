import { AppError } from '@eyrie/platform/errors';
import { checkRuleConnections, checkRules, describeActions, rulePermissions } from '@eyrie/responder';
import { stringify } from 'yaml';
import { readConfig } from '../config.ts';
import { jsonLine, plain, printJson, printLine } from '../print.ts';
import { rulePaths } from '../rule-paths.ts';

export async function check(dir: string, options: { connections?: boolean; json?: boolean }): Promise<void> {
  const config = readConfig(process.env);
  const paths = rulePaths(config);
  const report = await checkRules(dir, paths);
  const connections = options.connections === true ? await checkRuleConnections(dir, paths) : [];
  if (connections.some(({ ok }) => !ok)) process.exitCode = 1;
  if (options.json === true) {
    // The report says what is wrong; an error beside it would be a second value.
    printJson(options.connections === true ? { ...report, connections } : report);
    if (report.problems.length > 0) process.exitCode = 1;
    return;
  }
  for (const { connection, ok, message } of connections)
    printLine(`${ok ? 'ok    ' : 'FAILED'} ${connection}: ${plain(message)}`);
  for (const rule of report.rules) printLine(`${rule.ok ? 'ok    ' : 'FAILED'} ${rule.file} ${rule.id} (${rule.mode})`);
  printLine(`${report.tests.passed} tests passed, ${report.tests.failed} failed`);
  for (const problem of report.problems) printLine(`FAILED ${problem}`);
  if (report.problems.length > 0)
    throw new AppError('EYRIE_RULE_INVALID', `${report.problems.length} problems in ${dir}`);
}

/** The least ClusterRole for the rules of a directory, as a manifest. */
export async function rbac(dir: string, options: { json?: boolean }): Promise<void> {
  const permissions = await rulePermissions(dir, rulePaths(readConfig(process.env)));
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'eyrie-responder' },
    rules: permissions.map(({ group, resource, verbs }) => ({ apiGroups: [group], resources: [resource], verbs })),
  };
  if (options.json === true) printJson(role);
  else printLine(stringify(role).trimEnd());
}

/** Everything a rule can do. */
export async function actions(options: { json?: boolean }): Promise<void> {
  const described = await describeActions();
  if (options.json === true) return printJson(described);
  for (const {
    name,
    summary,
    class: level,
    recovery,
    dry_run: dryRun,
    undo,
    timeout_s: timeout,
    parameters,
    rbac: asked,
  } of described) {
    printLine(`${name}  class ${level}`);
    printLine(`  ${summary}`);
    printLine(
      `  after a crash: ${recovery}; dry_run: ${dryRun}; can be undone: ${undo ? 'yes' : 'no'}; timeout: ${timeout} s`,
    );
    const { properties = {}, required = [] } = parameters as { properties?: object; required?: readonly string[] };
    for (const [parameter, schema] of Object.entries(properties)) {
      printLine(`  parameter ${parameter}${required.includes(parameter) ? '' : ' (optional)'}: ${jsonLine(schema)}`);
    }
    for (const { group, resource, verbs } of asked) {
      printLine(`  may ${verbs.join(', ')} ${resource}${group === '' ? '' : `.${group}`}`);
    }
  }
}
