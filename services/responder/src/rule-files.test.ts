import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@eyrie/platform/clock';
import { createHttpClient } from '@eyrie/platform/http-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConditions, someHold } from './core/rules/conditions.ts';
import { checkRules } from './main.ts';
import { readSetup } from './setup.ts';
import { type TestPlace, testPlace } from './testing/place.ts';

let place: TestPlace;
beforeEach(() => {
  place = testPlace();
  place.script('trace.sh', '#!/bin/sh\n');
  place.script('kill.sh', '#!/bin/sh\n', 'class: 3\narguments: [{name: how, required: true, values: [term, kill]}]');
});
afterEach(() => place.remove());

const check = () => checkRules(place.rulesDir, { scriptsDir: place.scriptsDir });
const rule = (body: string) => `version: 1\nrules:\n  - ${body.trim().replaceAll('\n', '\n    ')}\n`;
const TRACE = 'actions: [{action: trace, actionner: shell:script, parameters: {script: trace.sh}}]';

describe('rule files', () => {
  it('takes a rule and runs its tests', async () => {
    place.rule(
      'a.yaml',
      rule(`
rule: Shell
id: shell
match: {tags: ["container, shell"], priority: ">=Notice", output_fields: ['k8s.ns.name!=staging'], score: "<0.3"}
unless: ['user.name=breakglass']
cooldown: 5m
${TRACE}
tests:
  - name: acts
    given: {event: {rule: Shell, tags: [container, shell], output_fields: {k8s.ns.name: prod}}, score: 0.2}
    expect: {decision: simulated, plan: [trace]}
  - name: cools down
    given: {event: {rule: Shell, tags: [container, shell], output_fields: {k8s.ns.name: prod}}, score: 0.2, repeat: 2}
    expect: {decision: suppressed, reason: cooldown}
  - name: not in staging
    given: {event: {rule: Shell, tags: [container, shell], output_fields: {k8s.ns.name: staging}}, score: 0.2}
    expect: {decision: no_match, reason: output_fields}
  - name: not on the host, where the field is absent
    given: {event: {rule: Shell, tags: [container, shell]}, score: 0.2}
    expect: {decision: no_match, reason: output_fields}
  - name: not without a score
    given: {event: {rule: Shell, tags: [container, shell], output_fields: {k8s.ns.name: prod}}}
    expect: {decision: no_match, reason: score}
  - name: not for the emergency user
    given: {event: {rule: Shell, tags: [container, shell], output_fields: {k8s.ns.name: prod, user.name: breakglass}}, score: 0.2}
    expect: {decision: no_match, reason: unless}
  - name: not when hidden
    given: {event: {rule: Shell, tags: [container, shell], output_fields: {k8s.ns.name: prod}}, score: 0.2, suppressed: true}
    expect: {decision: no_match, reason: suppressed}`),
    );
    expect(await check()).toMatchObject({
      files: 1,
      rules: [{ id: 'shell', mode: 'dry_run', ok: true }],
      tests: { passed: 7, failed: 0 },
      problems: [],
    });
  });

  it('takes expressions over the fields of a sensor and over columns', async () => {
    place.rule(
      'a.yaml',
      rule(`
rule: Shell
id: shell
match:
  rules: [Shell]
  where: proc.name in ("bash", "sh") and namespace startswith "prod-" and not fd.rip cidr "10.0.0.0/8"
unless: ['user.name == "breakglass" and exists(proc.tty)']
${TRACE}
tests:
  - name: acts
    given: {event: {rule: Shell, output_fields: {proc.name: sh, user.name: breakglass}}, columns: {namespace: prod-eu}}
    expect: {decision: simulated}
  - name: not elsewhere
    given: {event: {rule: Shell, output_fields: {proc.name: sh}}, columns: {namespace: dev}}
    expect: {decision: no_match, reason: where}
  - name: not towards our own
    given: {event: {rule: Shell, output_fields: {proc.name: sh, fd.rip: 10.1.1.1}}, columns: {namespace: prod-eu}}
    expect: {decision: no_match, reason: where}
  - name: not for the emergency user at a terminal
    given: {event: {rule: Shell, output_fields: {proc.name: sh, user.name: breakglass, proc.tty: 34816}}, columns: {namespace: prod-eu}}
    expect: {decision: no_match, reason: unless}`),
    );
    place.rule('b.yaml', rule(`rule: B\nid: b\nmatch: {where: 'namspace == "x"'}\nunless: ['a.b ==']\n${TRACE}`));
    const { tests, problems } = await check();
    expect(tests).toEqual({ passed: 4, failed: 0 });
    expect(problems).toEqual([
      expect.stringContaining('b.yaml: b: match.where: column 1: "namspace" is no column'),
      'b.yaml: b: unless.0: column 7: the end is no value; text stands in quotes',
    ]);
  });

  it('tests know the policy of their directory: what is protected, and what all rules together may do', async () => {
    const kill = (tests: string) =>
      `rule: K\nid: k\nmode: enforce\nmatch: {rules: [x]}\ncooldown: 1s\nlimits: {rule: 9/1h}\nactions: [{action: k, actionner: shell:script, parameters: {script: kill.sh, arguments: {how: term}}}]\ntests:\n${tests}`;
    const tests =
      '  - {name: acts, given: {event: {rule: x}, columns: {namespace: shop}}, expect: {decision: executing}}\n' +
      '  - {name: spares, given: {event: {rule: x, output_fields: {k8s.ns.name: vault}}}, expect: {decision: denied, reason: protected_namespace}}';
    place.rule('a.yaml', `${rule(kill(tests))}policy: {protected: {namespaces: [vault]}}\n`);
    expect(await check()).toMatchObject({ tests: { passed: 2, failed: 0 }, problems: [] });
    place.rule('a.yaml', rule(kill(tests)));
    expect((await check()).problems.join()).toContain('expected denied, found executing');
  });

  it('a policy lowers what rules may do; it stands once, and what it does not know is refused', async () => {
    place.rule(
      'a.yaml',
      `${rule(`rule: A\nid: a\nmode: enforce\nmatch: {rules: [x]}\n${TRACE}`)}policy: {mode_ceiling: observe}\n`,
    );
    expect(await check()).toMatchObject({ rules: [{ id: 'a', mode: 'observe' }], problems: [] });
    place.rule('b.yaml', 'version: 1\npolicy: {mode_ceiling: dry_run}\n');
    place.rule('c.yaml', rule(`rule: C\nid: c\nmatch: {rules: [x]}\n${TRACE}`));
    expect((await check()).problems).toEqual(['b.yaml: policy: stands in a.yaml already']);
    place.rule('b.yaml', 'version: 1\n');
    place.rule(
      'a.yaml',
      'version: 1\npolicy: {mode_ceiling: full, protected: {namespace: [x]}, limits: {disruptive: {global: lots}}}\n',
    );
    const { problems } = await check();
    expect(problems.map((problem) => problem.split(': ').slice(0, 2).join(': '))).toEqual([
      'a.yaml: policy.mode_ceiling',
      'a.yaml: policy.protected',
      'a.yaml: policy.limits.disruptive.global',
    ]);
  });

  it('names every problem at once: file, rule, field', async () => {
    place.rule('a.yaml', rule(`rule: A\nid: a\nmatch: {rulez: [x], priority: ">=Loud"}\n${TRACE}`));
    place.rule('b.yaml', rule(`rule: B\nid: b\nmode: later\nmatch: {rules: [x]}\n${TRACE}`));
    place.rule(
      'c.yaml',
      rule(
        `rule: C\nid: c\nmatch: {output_fields: ["proc.name"]}\nactions: [{action: x, actionner: shell:script, parameters: {script: none, allow: y}}, {action: x, actionner: kubernetes:vanish}]`,
      ),
    );
    place.rule('d.yaml', '- rule: talon\n');
    place.rule('e.yaml', 'version: 2\nrules: []\nmore: 1\n');
    place.rule('f.yaml', 'a: [\n');
    const { problems } = await check();
    const text = problems.join('\n');
    for (const wanted of [
      /a\.yaml: a: match: .*rulez/,
      /a\.yaml: a: match\.priority/,
      /b\.yaml: b: mode: Invalid option/,
      /c\.yaml: c: match\.output_fields\.0: "proc\.name" is not field=value/,
      /c\.yaml: c: actions\.0\.parameters.*allow/,
      /c\.yaml: c: actions\.1\.action: "x" stands twice/,
      /c\.yaml: c: actions\.1\.actionner: "kubernetes:vanish" is unknown/,
      /d\.yaml: a list is a Falco Talon file/,
      /e\.yaml: version/,
      /f\.yaml: /,
    ]) {
      expect(text).toMatch(wanted);
    }
  });

  it('asks of what breaks things for mode, limit, cooldown and tests both ways', async () => {
    const action =
      'actions: [{action: k, actionner: shell:script, parameters: {script: kill.sh, arguments: {how: term}}}]';
    place.rule('a.yaml', rule(`rule: K\nid: k\nmatch: {rules: [x]}\n${action}`));
    expect((await check()).problems).toHaveLength(5);
    place.rule(
      'a.yaml',
      rule(`
rule: K
id: k
mode: enforce
match: {rules: [x]}
cooldown: 10m
limits: {rule: 5/1h}
${action}
tests:
  - {name: acts, given: {event: {rule: x}}, expect: {decision: executing, plan: [k]}}
  - {name: does not, given: {event: {rule: y}}, expect: {decision: no_match}}`),
    );
    expect((await check()).problems).toEqual([]);
  });

  it('refuses enforce, and only that, where others may write what rules act on', () => {
    place.rule('a.yaml', rule(`\nrule: Acts\nid: acts\nmode: enforce\nmatch: {tags: [shell]}\n${TRACE}`));
    place.rule('b.yaml', rule(`\nrule: Tries\nid: tries\nmatch: {tags: [shell]}\n${TRACE}`));
    const read = (enforceRefusal?: string) =>
      readSetup(
        {
          rulesDir: place.rulesDir,
          scriptsDir: place.scriptsDir,
          scriptsMax: 1,
          ...(enforceRefusal !== undefined && { enforceRefusal }),
        },
        { http: createHttpClient(), clock: systemClock },
      ).report.problems;
    expect(read()).toEqual([]);
    expect(read('everybody may write')).toEqual(['a.yaml: acts: mode: enforce is refused: everybody may write']);
  });

  it('a failing test is a problem', async () => {
    place.rule(
      'a.yaml',
      rule(
        `rule: A\nid: a\nmatch: {rules: [x]}\n${TRACE}\ntests: [{name: wrong, given: {event: {rule: y}}, expect: {decision: simulated}}]`,
      ),
    );
    expect((await check()).problems).toEqual([
      'a.yaml: a: tests.0: "wrong": expected simulated, found no_match (rules)',
    ]);
  });

  it('refuses a script that others may write, or with other bytes than declared', async () => {
    chmodSync(join(place.scriptsDir, 'trace.sh'), 0o777);
    await expect(check()).rejects.toThrow(/trace\.sh: is writable/);
    writeFileSync(join(place.scriptsDir, 'trace.sh'), '#!/bin/sh\nevil\n');
    chmodSync(join(place.scriptsDir, 'trace.sh'), 0o555);
    await expect(check()).rejects.toThrow(/has SHA-256/);
  });
});

describe('conditions', () => {
  it.each([
    ['proc.cmdline=curl --data=x', 'proc.cmdline', '=', 'curl --data=x'],
    ['proc.cmdline="a, b"', 'proc.cmdline', '=', 'a, b'],
    ["k8s.pod.label[app-name/x]!='y'", 'k8s.pod.label[app-name/x]', '!=', 'y'],
    ['container.start_ts=1', 'container.start_ts', '=', '1'],
    ['user.name=a!=b', 'user.name', '=', 'a!=b'],
    ['fd.name="say \\"hi\\""', 'fd.name', '=', 'say "hi"'],
  ])('reads %s', (text, field, op, value) => {
    expect(parseConditions(text)).toEqual({ conditions: [{ field, op, value }] });
  });

  it.each(['proc.name', 'a=b,c', '=x', 'a=', 'a="b', 'a="b" c', 'a b=c', ''])('refuses %s', (text) => {
    expect(parseConditions(text)).toHaveProperty('problem');
  });

  it('an absent field makes both comparisons false', () => {
    const not = [[{ field: 'a', op: '!=', value: 'x' }]] as const;
    for (const absent of [{}, { a: null }, { a: '' }, { a: '<NA>' }]) expect(someHold(not, absent)).toBe(false);
    expect(someHold(not, { a: 'y' })).toBe(true);
    expect(someHold([[{ field: 'n', op: '=', value: '5' }]], { n: 5 })).toBe(true);
    expect(someHold([[{ field: 'constructor', op: '!=', value: 'x' }]], {})).toBe(false);
  });
});
