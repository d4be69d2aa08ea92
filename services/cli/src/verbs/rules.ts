import { AppError } from '@eyrie/platform/errors';
import { checkRules } from '@eyrie/responder';
import { readConfig } from '../config.ts';
import { printJson, printLine } from '../print.ts';

export async function check(dir: string, options: { json?: boolean }): Promise<void> {
  const config = readConfig(process.env);
  const report = await checkRules(dir, {
    ...(config.EYRIE_SCRIPTS_DIR === undefined ? {} : { scriptsDir: config.EYRIE_SCRIPTS_DIR }),
    ...(config.EYRIE_CONNECTIONS_FILE === undefined ? {} : { connectionsFile: config.EYRIE_CONNECTIONS_FILE }),
  });
  if (options.json === true) {
    // The report says what is wrong; an error beside it would be a second value.
    printJson(report);
    if (report.problems.length > 0) process.exitCode = 1;
    return;
  }
  for (const rule of report.rules) printLine(`${rule.ok ? 'ok    ' : 'FAILED'} ${rule.file} ${rule.id} (${rule.mode})`);
  printLine(`${report.tests.passed} tests passed, ${report.tests.failed} failed`);
  for (const problem of report.problems) printLine(`FAILED ${problem}`);
  if (report.problems.length > 0)
    throw new AppError('EYRIE_RULE_INVALID', `${report.problems.length} problems in ${dir}`);
}
