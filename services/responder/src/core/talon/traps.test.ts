import { describe, expect, it } from 'vitest';
import { flags, importTexts, only, refusals, withAction, withMatch } from '../../talon-files.test-support.ts';

describe('the six traps of Talon', () => {
  it.each([
    [
      'proc.cmdline=curl --data=x',
      `"proc.cmdline=curl --data=x": has a second "="; Talon drops the condition without a word and the rule matches more. Write proc.cmdline="curl --data=x" in our format`,
    ],
    [
      'proc.cmdline!=a=b',
      `"proc.cmdline!=a=b": has a second "="; Talon drops the condition without a word and the rule matches more. Write proc.cmdline?!="a=b" in our format`,
    ],
    [
      'proc.name!=a!b',
      `"proc.name!=a!b": has a second "!"; Talon drops the condition without a word and the rule matches more. Write proc.name?!="a!b" in our format`,
    ],
    [
      'k8s.ns.name=x,proc.cmdline=a, b',
      `"b": is no condition. Talon cuts an item at every comma, also within quotes; write field="value, with a comma" in our format`,
    ],
    [
      'proc.cmdline="a,b=c"',
      `"proc.cmdline="a": ends within its quotes. Talon cuts an item at every comma, also within quotes; write field="value, with a comma" in our format`,
    ],
    [
      'proc.name = a',
      '"proc.name = a": "proc.name " is no name of a field (letters, digits, ".", "_", "-", "/", "[ ]", no space)',
    ],
    ['proc.name=a , b=c', '"proc.name=a ": has a space beside its value, which Talon compares too; take it away'],
    [
      'proc.name!=',
      `"proc.name!=": compares with what stands for an absent field; write where: 'exists(proc.name)' in our format`,
    ],
    [
      'proc.name=<NA>',
      `"proc.name=<NA>": compares with what stands for an absent field; write where: 'not exists(proc.name)' in our format`,
    ],
  ])('1: %s refuses the rule', (item, message) => {
    const [found] = refusals(importTexts(withMatch(`output_fields:\n      - ${JSON.stringify(item)}`)));
    expect(found).toBe(`a.yaml:4 match.output_fields.0: ${message}`);
  });

  it('2: keys that Talon rejects are taken, and flagged', () => {
    const result = importTexts(withMatch('output_fields: ["k8s.pod.label[app-name]=x", "container.start_ts=1"]'));
    expect(flags(result)).toEqual([
      'key_accepted a.yaml:3 match.output_fields.0: k8s.pod.label[app-name] is taken as it is written; Talon takes letters, digits, "." and "[ ]" in a key and rejects the rule',
      'key_accepted a.yaml:3 match.output_fields.1: container.start_ts is taken as it is written; Talon takes letters, digits, "." and "[ ]" in a key and rejects the rule',
    ]);
    expect(only(result).written['match']).toEqual({
      output_fields: ['k8s.pod.label[app-name]=x', 'container.start_ts=1'],
    });
  });

  it('3: an override clears neither priority nor source', () => {
    const first = withMatch('rules: [X]\n    priority: ">=Error"\n    source: syscall');
    const result = importTexts(first, '- rule: R\n  dry_run: true\n');
    expect(flags(result)).toEqual([
      'override_kept a.yaml:4 match.priority: priority >=Error is kept; in Talon the block at b.yaml:1 clears it, because it does not name it',
      'override_kept a.yaml:5 match.source: source syscall is kept; in Talon the block at b.yaml:1 clears it, because it does not name it',
      'dry_run b.yaml:2 dry_run: mode: dry_run, as it was in Talon',
    ]);
    expect(only(result).written['match']).toEqual({ rules: ['X'], priority: '>=Error', source: 'syscall' });
  });

  it.each([
    [
      'kubernetes:networkpolicy',
      'allow: [10.0.0.0/8]',
      '"allow" is no parameter of kubernetes:networkpolicy: Talon takes it and does nothing with it; write allow_cidr; there are allow_cidr, allow_namespaces',
    ],
    [
      'kubernetes:terminate',
      'ignore_daemonset: true',
      '"ignore_daemonset" is no parameter of kubernetes:terminate: Talon takes it and does nothing with it; write ignore_daemonsets; there are grace_period_seconds, ignore_standalone_pods, min_healthy_replicas, ignore_daemonsets, ignore_statefulsets',
    ],
    [
      'kubernetes:drain',
      'force: true',
      '"force" is no parameter of kubernetes:drain: Talon takes it and does nothing with it; a drain cannot be forced: leave it out; there are min_healthy_replicas, ignore_daemonsets, ignore_statefulsets, max_wait_period, wait_period_excluded_namespaces, ignore_errors',
    ],
    [
      'kubernetes:cordon',
      'node: x',
      '"node" is no parameter of kubernetes:cordon: Talon takes it and does nothing with it; it has none',
    ],
  ])('4: %s with %s is refused', (actionner, parameter, message) => {
    const text = withAction(`action: A\n      actionner: ${actionner}\n      parameters:\n        ${parameter}`);
    const key = parameter.split(':')[0];
    expect(refusals(importTexts(text))).toContain(`a.yaml:7 actions.0.parameters.${key}: ${message}`);
  });

  it.each(['>=Loud', 'Info', '=>Error', '>= Error', ''])('5: the priority "%s" is refused', (priority) => {
    expect(refusals(importTexts(withMatch(`priority: "${priority}"`)))).toContain(
      `a.yaml:3 match.priority: "${priority}" is no priority: [<|>][=] and one of Emergency, Alert, Critical, Error, Warning, Notice, Informational, Debug`,
    );
  });

  it('5: a comparison that unknown words pass in Talon is flagged', () => {
    expect(flags(importTexts(withMatch('priority: <Error')))).toEqual([
      "priority a.yaml:3 match.priority: an event whose priority is none of Falco's words is below all in Talon and so matches <Error; Eyrie takes no such event in",
    ]);
  });

  it('6: != still holds where the field is absent, and that is flagged', () => {
    const result = importTexts(withMatch('output_fields: [\'k8s.ns.name!=kube-system, proc.name="nc"\']'));
    expect(flags(result)).toEqual([
      'absent_passes a.yaml:3 match.output_fields.0: k8s.ns.name?!=kube-system also holds where k8s.ns.name is absent, as in Talon: events of hosts match too; k8s.ns.name!=kube-system would need the field',
    ]);
    expect(only(result).written['match']).toEqual({ output_fields: ['k8s.ns.name?!=kube-system, proc.name=nc'] });
  });

  it.each([
    [
      'source: syscalls',
      'source a.yaml:3 match.source: "syscalls" is read as "syscall", the word of Falco; Talon compares the text, so its rule saw no such event',
    ],
    [
      'output_fields: [proc.pid=1234567]',
      'number a.yaml:3 match.output_fields.0: 1234567 is compared as it is written; Talon renders such a number with an exponent, so its condition does not see it',
    ],
  ])('and what else Talon compares otherwise is flagged: %s', (match, flag) => {
    expect(flags(importTexts(withMatch(match)))).toEqual([flag]);
  });
});
