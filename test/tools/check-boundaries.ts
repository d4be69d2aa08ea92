/**
 * Who may import whom, with a guard that the tool saw the files: dependency-cruiser passes when it looks at nothing.
 */
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';

const output = execFileSync(
  'depcruise',
  ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'schemas/src', 'services'],
  {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  },
);
const result = JSON.parse(output) as {
  summary: {
    violations: { rule: { name: string; severity: string }; from: string; to: string }[];
    totalCruised: number;
  };
  modules: { source: string }[];
};

const expected = [...globSync('schemas/src/**/*.ts'), ...globSync('services/*/src/**/*.ts')];
const seen = new Set(result.modules.map((module) => module.source));
const unseen = expected.filter((file) => !seen.has(file));
if (unseen.length > 0) {
  console.error(
    `boundaries: the tool did not look at ${unseen.length} of ${expected.length} files, first ${unseen[0]}`,
  );
  process.exit(1);
}
for (const { rule, from, to } of result.summary.violations) console.error(`boundaries: ${rule.name}: ${from} → ${to}`);
if (result.summary.violations.length > 0) process.exit(1);
console.log(`boundaries: ${expected.length} files, no violation`);
