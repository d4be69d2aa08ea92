import { writeFileSync } from 'node:fs';
import { AppError } from '@eyrie/platform/errors';
import { importTalonRules, type TalonReport } from '@eyrie/responder';
import { plain, printJson } from '../print.ts';

interface ImportOptions {
  readonly out?: string;
  readonly json?: boolean;
}

/** The rule file goes to standard output or to `out`, what became of each rule to standard error or into the JSON. */
export async function importRules(files: readonly string[], { out, json }: ImportOptions): Promise<void> {
  const report = await importTalonRules(files);
  const { imported, refused, unused, yaml } = report;
  const isWritten = out !== undefined && imported.length > 0;
  if (isWritten) writeNew(out, yaml);
  if (json === true) {
    printJson({ imported, refused, unused, ...(isWritten ? { out } : { yaml }) });
    // The report says what was refused; an error beside it would be a second value.
    if (refused.length > 0) process.exitCode = 1;
    return;
  }
  if (out === undefined) process.stdout.write(yaml);
  for (const line of describe(report)) process.stderr.write(`${plain(line, 1_000)}\n`);
  if (refused.length > 0)
    throw new AppError('EYRIE_RULE_INVALID', `${refused.length} refused, ${imported.length} imported`);
}

function describe({ imported, refused, unused }: TalonReport): readonly string[] {
  return [
    ...imported.flatMap(({ id, name, file, line, flags }) => [
      `imported ${id} (${name}) ${file}:${line}`,
      ...flags.map((flag) => `  ${flag.code} ${flag.file}:${flag.line}: ${flag.key}: ${flag.message}`),
    ]),
    ...refused.flatMap(({ name, problems }) => [
      `REFUSED  ${name === '' ? '(no rule)' : name}`,
      ...problems.map(
        ({ file, line, key, message }) => `  ${[`${file}:${line}`, key, message].filter(Boolean).join(': ')}`,
      ),
    ]),
    ...unused.map(({ name, file, line }) => `unused   template ${name} ${file}:${line}: no rule names it`),
    `${imported.length} imported, all in dry_run; ${refused.length} refused`,
  ];
}

/** Whoever set a rule to enforce did so in that file: it is never written over. */
function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new AppError('EYRIE_USAGE', `${file} ${isThere ? 'is there already' : 'cannot be written'}`, {
      cause: error,
    });
  }
}
