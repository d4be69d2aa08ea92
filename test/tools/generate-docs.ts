/** Writes docs/reference/* from the code; with --check only says which are stale. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ACCESS, OUTCOME_REASONS, TOPIC_NAMES, TOPICS } from '../../schemas/src/index.ts';
import { CONFIG } from '../../services/cli/src/config.ts';
import { createProgram } from '../../services/cli/src/program.ts';
import { ERROR_CODES } from '../../services/platform/src/errors.ts';
import { METRICS } from '../../services/platform/src/metrics.ts';
import { ACTIONNERS, type Actionner } from '../../services/responder/src/core/talon/actionners.ts';
import { FLAGS } from '../../services/responder/src/core/talon/node.ts';

const cell = (text: unknown) =>
  String(text ?? '')
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');
const table = (head: string[], rows: unknown[][]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
const page = (title: string, source: string, ...parts: string[]) =>
  `# ${title}\n\nMade from \`${source}\` by \`make docs\`.\n\n${parts.join('\n\n')}\n`;

interface Field {
  readonly description?: string | undefined;
  safeParse(input: unknown): { success: boolean; data?: unknown };
}

function configuration(): string {
  const parts = Object.entries(CONFIG).map(([service, schema]) => {
    const rows = Object.entries(schema.shape as Record<string, Field>).map(([key, field]) => {
      const fallback = field.safeParse(undefined);
      return [`\`${key}\``, fallback.success ? (fallback.data ?? '') : 'required', field.description];
    });
    return `## ${service}\n\n${table(['variable', 'default', 'meaning'], rows)}`;
  });
  const intro =
    'Every variable may also be given as `<NAME>_FILE`: the path of a file that holds the value. All errors are reported at once.';
  return page('Configuration', 'services/cli/src/config.ts', intro, ...parts);
}

function commandLine(command: Command, path = 'eyrie'): string[] {
  const help = command.createHelp();
  help.helpWidth = 120;
  const own = `## ${path}\n\n\`\`\`\n${help.formatHelp(command, help).trimEnd()}\n\`\`\``;
  return [own, ...command.commands.flatMap((child) => commandLine(child, `${path} ${child.name()}`))];
}

const becomes = ({ becomes }: Actionner) =>
  typeof becomes === 'string' ? `refused: it ${becomes}` : `\`${becomes.actionner}\``;
const parameters = ({ parameters }: Actionner) =>
  Object.entries(parameters)
    .map(([name, { kind, isRequired }]) => `\`${name}\` (${kind}${isRequired === true ? ', required' : ''})`)
    .join(', ');

const pages: Record<string, string> = {
  'errors.md': page(
    'Errors',
    'services/platform/src/errors.ts',
    table(
      ['code', 'meaning and what to do'],
      Object.entries(ERROR_CODES).map(([code, text]) => [`\`${code}\``, text]),
    ),
  ),
  'metrics.md': page(
    'Metrics',
    'services/platform/src/metrics.ts',
    table(
      ['metric', 'type', 'labels', 'meaning'],
      Object.entries(METRICS).map(([name, m]) => [`\`${name}\``, m.type, m.labels.join(', '), m.help]),
    ),
    '## Outcomes and reasons',
    table(
      ['outcome', 'reasons'],
      Object.entries(OUTCOME_REASONS).map(([outcome, reasons]) => [outcome, reasons.join(', ')]),
    ),
  ),
  'talon.md': page(
    'Falco Talon',
    'services/responder/src/core/talon',
    'What `eyrie rules import --from talon` makes of each actionner. A parameter that is not in its row is refused.',
    table(
      ['actionner', 'parameters', 'goes on after it', 'becomes'],
      Object.entries(ACTIONNERS).map(([name, one]) => [
        `\`${name}\``,
        parameters(one),
        one.continues ? 'yes' : 'no',
        becomes(one),
      ]),
    ),
    '## Flags',
    'A flag stands above the imported rule and in the report.',
    table(
      ['flag', 'about'],
      Object.entries(FLAGS).map(([code, about]) => [`\`${code}\``, about]),
    ),
  ),
  'topics.md': page(
    'Topics',
    'schemas/src/topics.ts',
    table(
      ['topic', 'key', 'value', 'cleanup', 'days', 'partitions as', 'signed'],
      Object.entries(TOPICS).map(([name, t]) => [
        `\`eyrie.${name}\``,
        t.key,
        t.value,
        t.cleanup,
        'retentionDays' in t ? t.retentionDays : '',
        t.partitions,
        t.signed ? 'yes' : 'no',
      ]),
    ),
    '## Who reads and writes\n\nFrom `schemas/src/access.ts`: the ACLs that `eyrie topics acls` prints are made of it.',
    table(
      ['role', 'reads', 'writes', 'groups'],
      Object.entries(ACCESS).map(([role, { reads, writes, groups }]) => [
        role,
        reads.length === TOPIC_NAMES.length ? 'every topic' : reads.join(', '),
        writes.join(', '),
        groups.join(', '),
      ]),
    ),
  ),
  'configuration.md': configuration(),
  'command-line.md': page('Command line', 'services/cli/src/program.ts', ...commandLine(createProgram())),
};

const check = process.argv.includes('--check');
const stale: string[] = [];
mkdirSync('docs/reference', { recursive: true });
for (const [name, text] of Object.entries(pages)) {
  const path = `docs/reference/${name}`;
  const current = (() => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  })();
  if (current === text) continue;
  stale.push(path);
  if (!check) writeFileSync(path, text);
}
if (check && stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}: run \`make docs\` and commit`);
  process.exit(1);
}
console.log(check ? `documents: ${Object.keys(pages).length} pages are current` : `documents: ${stale.length} written`);
