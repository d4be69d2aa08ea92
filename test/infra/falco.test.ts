import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { objectsOf, validate } from './chart.ts';
import { promiseProblems } from './chart-promises.ts';
import { isLeftOut } from './judge.ts';

const read = (file: string) => readFileSync(new URL(`../../infra/falco/${file}`, import.meta.url), 'utf8');

test('Falco and falcosidekick take the token from a Secret', () => {
  const falco = parse(read('falco-values.yaml'));
  const [variable] = falco.extra.env;
  expect(falco.falco.http_output).toMatchObject({ enabled: true, url: `\${${variable.name}}` });
  expect(variable.valueFrom.secretKeyRef).toEqual({ name: 'eyrie-intake', key: 'url' });
  expect(falco.falco).toMatchObject({ json_output: true, json_include_tags_property: true });
  expect(parse(read('compose.yaml')).http_output).toEqual({ enabled: true, url: `\${${variable.name}}` });
  const sidekick = parse(read('falcosidekick-values.yaml'));
  expect(sidekick.config.existingSecret).toBe('eyrie-sidekick');
  expect(sidekick.config.webhook).not.toHaveProperty('customHeaders');
  expect(read('falco-values.yaml') + read('falcosidekick-values.yaml')).not.toMatch(/eyrie_[\w-]{43}/);
});

test('the canary touches what its rule looks for', () => {
  const [rule] = parse(parse(read('falco-values.yaml')).customRules['eyrie.yaml']);
  expect(rule.condition).toContain('fd.name=/tmp/eyrie-canary');
  // The tag by which Eyrie knows it.
  expect(rule.tags).toEqual(['eyrie_canary']);
  const [{ spec }] = objectsOf(read('canary.yaml'));
  expect(spec.template.spec.containers[0].command.at(-1)).toContain('/tmp/eyrie-canary');
});

describe.skipIf(isLeftOut('kubeconform', 'kubernetes'))('the canary', () => {
  test('Kubernetes knows every field of it, and it has least rights', () => {
    expect(validate(read('canary.yaml'))).toMatchObject({ code: 0 });
    expect(promiseProblems(objectsOf(read('canary.yaml')))).toEqual([]);
    const worse = read('canary.yaml').replace('drop: [ALL]', 'drop: []');
    expect(promiseProblems(objectsOf(worse)).join()).toContain('keeps capabilities');
  });
});
