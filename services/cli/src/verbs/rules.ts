import { AppError } from '@eyrie/platform/errors';
import { checkRules } from '@eyrie/responder';
import { printJson, printLine } from '../print.ts';

export async function check(dir: string, options: { json?: boolean }): Promise<void> {
  const report = await checkRules(dir);
  if (options.json === true) printJson(report);
  else {
    for (const rule of report.rules) printLine(`${rule.ok ? 'ok    ' : 'FAILED'} ${rule.file} ${rule.id}`);
    for (const problem of report.problems) printLine(`FAILED ${problem}`);
  }
  if (report.problems.length > 0)
    throw new AppError('EYRIE_RULE_INVALID', `${report.problems.length} problems in ${dir}`);
}
