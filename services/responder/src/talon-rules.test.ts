import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { describe, expect, it } from 'vitest';
import { ALL, OURS, variable } from './talon-files.test-support.ts';
import { importTalonFiles } from './talon-files.ts';

const data = join(env['EYRIE_TEST_DATA'] ?? '../shared/data', 'talon');
describe.skipIf(!existsSync(data))('Talon’s own rules', () => {
  const names = ['rules.yaml', 'rules_override.yaml'];
  const notOurs = (actionner: string, reason: string) =>
    `${actionner} is not among our actions${reason}. Ours, of those of Talon: ${OURS}`;
  const network = '; kubernetes:networkpolicy and kubernetes:quarantine use policies that every plugin enforces';
  const deletes =
    ': it deletes whatever the event names, namespaces and cluster roles included, and an event is text that others write';
  const injection = (found: string, key: string) =>
    `${found} would be replaced by text of the event, which attackers write: an injection into ${key}. Use shell:script, whose program reads the event as JSON on standard input`;
  const output = 'the output aws:s3 is not among ours; take `output` away to import the rule without it';

  it('are imported, or refused with the exact reason', () => {
    const { imported, refused, unused } = importTalonFiles(
      names.map((name) => join(data, name)),
      ALL,
    );
    expect(imported.map(({ name }) => name)).toEqual(['Terminal shell in container']);
    expect(unused.map(({ name }) => name)).toEqual([
      'Label Pod as Suspicious',
      'Invoke Lambda function',
      'Invoke GCP function',
    ]);
    expect(imported[0]?.written).toMatchObject({
      id: 'terminal-shell-in-container',
      mode: 'dry_run',
      match: {
        rules: ['Terminal shell in container'],
        output_fields: ['k8s.ns.name?!=kube-system, k8s.ns.name?!=falco'],
      },
      unless: ['not exists(workload_kind) or workload_kind in ("DaemonSet", "StatefulSet")'],
      limits: { rule: '5/1h', target: '1/30m' },
      cooldown: '30m',
      actions: [
        {
          action: 'terminate-pod',
          actionner: 'kubernetes:terminate',
          parameters: { method: 'delete', grace_period_seconds: 2, standalone: 'deny' },
        },
      ],
    });
    expect(imported[0]?.flags.map(({ code }) => code)).toEqual([
      'absent_passes',
      'absent_passes',
      'differs',
      'guarded',
      'guarded',
      'generated',
    ]);
    expect(refused.map(({ name, problems }) => [name, ...problems.map(({ message }) => message)])).toEqual([
      ['Suspicious outbound connection', notOurs('cilium:networkpolicy', network)],
      ['Delete unknown namespace', notOurs('kubernetes:delete', deletes)],
      [
        'Calico netpol',
        '"allow" is no parameter of kubernetes:networkpolicy: Talon takes it and does nothing with it; write allow_cidr; there are allow_cidr, allow_namespaces',
        notOurs('calico:networkpolicy', network),
      ],
      [
        'Test node drain',
        '"force" is no parameter of kubernetes:drain: Talon takes it and does nothing with it; a drain cannot be forced: leave it out; there are min_healthy_replicas, ignore_daemonsets, ignore_statefulsets, max_wait_period, wait_period_excluded_namespaces, ignore_errors',
        notOurs(
          'kubernetes:drain',
          '; kubernetes:cordon keeps new pods away, kubernetes:terminate ends the pod of the event',
        ),
      ],
      ['Delete namespace', notOurs('kubernetes:delete', deletes)],
      ['Test exec', injection(variable('NODE_HOSTNAME'), 'command')],
      [
        'Test download',
        output,
        injection(variable('FD_NAME'), 'file'),
        notOurs('kubernetes:download', '; shell:script can fetch a file of the pod with a program of your own'),
      ],
      ['Test tcpdump', notOurs('kubernetes:tcpdump', ': it puts a privileged container into the pod under attack')],
      [
        'Test sysdig',
        notOurs(
          'kubernetes:sysdig',
          ": it runs a privileged job with the node's file system in the victim's namespace",
        ),
      ],
      ['Test log', output],
    ]);
  });

  it('name the line of what is refused', () => {
    const { refused } = importTalonFiles([join(data, 'rules.yaml')], ALL);
    const lines = readFileSync(join(data, 'rules.yaml'), 'utf8').split('\n');
    for (const { problems } of refused) {
      for (const { line, key } of problems) {
        expect(lines[line - 1]).toContain(
          `${key
            .split('.')
            .filter((part) => !/^\d+$/.test(part))
            .at(-1)}:`,
        );
      }
    }
  });
});
