import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A response for trying things out: one rule in enforce, whose script appends a line to a file and touches nothing else.
 * The script and its declaration lie beside the rule; `rules` and `scripts` are the directories to start with.
 */
export function writeTraceResponse(
  directory: string,
  options: { trace: string; match: Readonly<Record<string, unknown>> },
): { rules: string; scripts: string } {
  const rules = join(directory, 'rules');
  const scripts = join(directory, 'scripts');
  for (const path of [rules, scripts]) mkdirSync(path, { recursive: true, mode: 0o755 });
  const script = [
    '#!/bin/sh',
    '# The event comes as JSON on standard input; only ids of our own are in the environment.',
    'cat >/dev/null',
    `echo "$EYRIE_ACTION_INTENT_KEY $EYRIE_ACTION_ALERT_ID" >> '${options.trace.replaceAll("'", "'\\''")}'`,
    '',
  ].join('\n');
  writeFileSync(join(scripts, 'leave-trace'), script);
  chmodSync(join(scripts, 'leave-trace'), 0o555);
  const sha256 = createHash('sha256').update(script).digest('hex');
  writeFileSync(
    join(scripts, 'leave-trace.yaml'),
    `version: 1\ndescription: Appends one line to a file.\nclass: 1\nsha256: ${sha256}\n`,
  );
  const rule = {
    version: 1,
    rules: [
      {
        rule: 'Leave a trace',
        id: 'leave-trace',
        mode: 'enforce',
        match: options.match,
        actions: [{ action: 'trace', actionner: 'shell:script', parameters: { script: 'leave-trace' } }],
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(join(rules, 'leave-trace.yaml'), `${JSON.stringify(rule, null, 2)}\n`);
  return { rules, scripts };
}
