import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkRules, importTalonRules } from './main.ts';
import { files, importTexts, only, withMatch } from './talon-files.test-support.ts';
import { writeRuleFile } from './talon-files.ts';
import { testPlace } from './testing/place.ts';

describe('what is written', () => {
  it('ids come from names; those that collide carry a hash of the name', () => {
    const named = (name: string) => withMatch('rules: [X]').replace('rule: R', `rule: ${JSON.stringify(name)}`);
    const names = ['Shell in Pod!', 'shell in pod', 'Écrit un fichier', '検知', 'x'.repeat(150)];
    const ids = importTexts(names.map(named).join('')).imported.map(({ id }) => id);
    expect(ids).toEqual([
      'shell-in-pod',
      expect.stringMatching(/^shell-in-pod-[0-9a-f]{6}$/),
      'ecrit-un-fichier',
      expect.stringMatching(/^rule-[0-9a-f]{6}$/),
      expect.stringMatching(/^x{56}-[0-9a-f]{6}$/),
    ]);
    expect(importTexts(names.map(named).join('')).imported.map(({ id }) => id)).toEqual(ids);
  });

  it('flags stand above the rule, and text of the files cannot leave its comment', () => {
    const text = `- rule: R\n  match: {output_fields: ["a!=x"]}\n  actions:\n    - {action: "A\\n- rule: evil\\u2028b", actionner: kubernetes:cordon, description: "one\\ntwo: three"}\n`;
    const result = importTexts(text);
    const yaml = writeRuleFile(result, ['a.yaml']);
    expect(parse(yaml)).toEqual({ version: 1, rules: [only(result).written] });
    expect(yaml).toContain('\n  # absent_passes: a?!=x also holds where a is absent');
    expect(yaml).toContain('one two: three\n');
  });

  it('passes `eyrie rules check` with every action that this version has', async () => {
    const actions: Readonly<Record<string, string>> = {
      'kubernetes:terminate': 'ignore_daemonsets: true, ignore_statefulsets: true, min_healthy_replicas: "33%"',
      'kubernetes:label': 'labels: {suspicious: "true", app: ""}',
      'kubernetes:annotation': 'annotations: {eyrie.dev/seen: "yes"}',
      'kubernetes:networkpolicy': 'allow_cidr: ["10.0.0.0/8"], allow_namespaces: [green]',
      'kubernetes:cordon': '',
      'kubernetes:log': 'tail_lines: 200',
      'kubernetes:exec': 'command: uname -a',
    };
    const text = Object.entries(actions).map(
      ([name, parameters]) =>
        `- rule: Uses ${name}\n  match: {rules: [X], tags: ["a, b"], priority: ">=Notice", source: syscalls, output_fields: ["k8s.ns.name!=a, k8s.ns.name!=b", "proc.name=nc"]}\n  actions: [{action: A, actionner: "${name}", parameters: {${parameters}}}]\n`,
    );
    const report = await importTalonRules(files(text.join('')));
    expect(report.refused).toEqual([]);
    const missing = new Set(
      report.imported.filter(({ flags }) => flags.some(({ code }) => code === 'missing')).map(({ id }) => id),
    );
    expect(report.imported.length - missing.size).toBeGreaterThan(0);
    const written = parse(report.yaml) as { rules: { id: string }[] };
    const place = testPlace();
    try {
      place.connections('clusters: [{cluster: lab, server: "https://10.0.0.1:6443", token_file: token}]\n', {
        token: 't',
      });
      const there = { version: 1, rules: written.rules.filter(({ id }) => !missing.has(id)) };
      place.rule('imported.yaml', JSON.stringify(there));
      const { problems, rules, tests } = await checkRules(place.rulesDir, { connectionsFile: place.connectionsFile });
      expect(problems).toEqual([]);
      expect(rules.map(({ mode, ok }) => [mode, ok])).toEqual(there.rules.map(() => ['dry_run', true]));
      expect(tests).toMatchObject({ failed: 0 });
    } finally {
      place.remove();
    }
  });
});

it('the documented migration from falcosidekick is right', async () => {
  const page = readFileSync(new URL('../../../docs/response.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split('## Coming from falcosidekick');
  const [connections = '', rules = ''] = [...section.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text);
  const place = testPlace();
  try {
    const secrets = { 'slack-url': 'https://hooks.slack.com/services/a', 'siem-secret': `whsec_${'A'.repeat(32)}` };
    place.connections(connections.replace('version: 1\n', ''), secrets);
    place.rule('notices.yaml', rules);
    const { problems } = await checkRules(place.rulesDir, { connectionsFile: place.connectionsFile });
    expect(problems).toEqual([]);
  } finally {
    place.remove();
  }
});
