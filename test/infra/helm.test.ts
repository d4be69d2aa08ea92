import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROLE_NAMES } from '../../services/cli/src/role-names.ts';
import { CHART, objectsOf, type Rendered, render, renderText, VALUES, validate } from './chart.ts';
import { openPods, promiseProblems } from './chart-promises.ts';
import { ask, isLeftOut } from './judge.ts';

const infra = join(CHART, '../..');
const values = (name: string) => join(CHART, 'ci', `${name}.yaml`);
const named = VALUES.map((file) => [basename(file), file] as const);
const scratch = mkdtempSync(join(tmpdir(), 'eyrie-chart-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A copy of the chart with one thing changed. */
function changedChart(file: string, what: string | RegExp, instead: string): string {
  const chart = mkdtempSync(join(scratch, 'chart-'));
  cpSync(CHART, chart, { recursive: true, dereference: true });
  const text = readFileSync(join(CHART, file), 'utf8');
  const other = text.replace(what, instead);
  expect(other).not.toBe(text);
  writeFileSync(join(chart, file), other);
  return chart;
}

describe.skipIf(isLeftOut('helm', 'kubeconform', 'kubernetes'))('the chart', () => {
  test.each(named)('%s: lint finds nothing', (_, file) => {
    expect(ask('helm', ['lint', '--strict', CHART, '-f', file])).toMatchObject({ code: 0 });
  });

  test.each(named)('%s: Kubernetes knows every field of every object', (_, file) => {
    const { code, output } = renderText(CHART, '-f', file);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const count = objectsOf(output).length;
    expect(count).toBeGreaterThan(3);
    expect(validate(output)).toEqual({
      code: 0,
      output: `Summary: ${count} resources found parsing stdin - Valid: ${count}, Invalid: 0, Errors: 0, Skipped: 0\n`,
    });
  });

  test.each(named)('%s: least rights, no secrets, everything wired', (_, file) => {
    expect(promiseProblems(render('-f', file))).toEqual([]);
  });

  test('every role runs, is held by a policy and survives a drained node', () => {
    const objects = render('-f', values('distributed'));
    const of = (kind: string) => objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
    const expected = ROLE_NAMES.map((role) => `eyrie-${role}`).toSorted();
    expect(of('Deployment').toSorted()).toEqual(expected);
    expect(of('PodDisruptionBudget').toSorted()).toEqual(expected);
    expect(of('HorizontalPodAutoscaler')).toEqual(['eyrie-gateway']);
    expect(openPods(objects)).toEqual([]);
    expect(openPods(objects.filter(({ metadata }) => metadata.name !== 'eyrie-archiver'))).toEqual([]);
    expect(openPods(objects.filter(({ kind }) => kind !== 'NetworkPolicy'))).toHaveLength(7);
  });

  test('only the roles that need them hold passwords, tokens, connections and inputs', () => {
    const objects = render('-f', values('everything'));
    const holders = (secret: string) =>
      objects
        .filter(({ spec }) => JSON.stringify(spec?.template?.spec.volumes ?? []).includes(`"${secret}"`))
        .map(({ metadata }) => metadata.name)
        .toSorted();
    expect(holders('eyrie-clickhouse')).toEqual(['eyrie-archiver', 'eyrie-console']);
    expect(holders('eyrie-owner')).toEqual(['eyrie-migrate']);
    expect(holders('eyrie-tokens')).toEqual(['eyrie-console']);
    expect(holders('eyrie-connections')).toEqual(['eyrie-console', 'eyrie-responder']);
    expect(holders('eyrie-inputs')).toEqual(['eyrie-gateway']);
    expect(holders('eyrie-kafka')).toEqual(
      ['archiver', 'console', 'processor', 'responder'].map((role) => `eyrie-${role}`),
    );
    expect(holders('eyrie-kafka-gateway')).toEqual(['eyrie-gateway']);
    expect(holders('eyrie-kafka-topics')).toEqual(['eyrie-topics']);
    expect(holders('eyrie-kafka-tls-responder')).toEqual(['eyrie-responder']);
  });

  test('alerts and dashboard are those of the Compose file', () => {
    const objects = render('-f', values('everything'));
    const find = (kind: string): Rendered => objects.find((object) => object.kind === kind);
    expect(find('PrometheusRule').spec).toEqual(parse(readFileSync(join(infra, 'prometheus/alerts.yml'), 'utf8')));
    expect(JSON.parse(find('ConfigMap').data['eyrie.json'])).toEqual(
      JSON.parse(readFileSync(join(infra, 'grafana/dashboards/eyrie.json'), 'utf8')),
    );
  });

  test('settings of a role win over those of all, and those over the chart', () => {
    const set = ['--set-string', 'settings.EYRIE_LOG_LEVEL=warn,archiver.settings.EYRIE_LOG_LEVEL=debug'];
    const level = (name: string) =>
      render('-f', values('distributed'), ...set)
        .find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name)
        .spec.template.spec.containers[0].env.find((each: Rendered) => each.name === 'EYRIE_LOG_LEVEL')?.value;
    expect([level('eyrie-archiver'), level('eyrie-console')]).toEqual(['debug', 'warn']);
  });

  test.each([
    ['no broker', 'kafka.brokers=null', '/kafka'],
    ['no signing key', 'signingKey.existingSecret=', '/signingKey/existingSecret'],
    ['no ClickHouse', 'clickhouse.url=', '/clickhouse/url'],
    ['a password in the address', 'clickhouse.url=https://eyrie:secret@clickhouse:8443', '/clickhouse/url'],
    ['an unknown value', 'kafka.broker=a:9092', "additional properties 'broker' not allowed"],
    ['an unknown role', 'exporter.replicas=2', "additional properties 'exporter' not allowed"],
    ['an unknown mode', 'mode=cluster', '/mode'],
    ['a floating tag', 'image.tag=latest', '/image/tag'],
    ['a secret among the settings', 'settings.EYRIE_API_TOKEN=x', "invalid propertyName 'EYRIE_API_TOKEN'"],
    ['another port', 'gateway.settings.EYRIE_HEALTH_PORT=9', "invalid propertyName 'EYRIE_HEALTH_PORT'"],
    ['SASL without a password', 'kafka.sasl.mechanism=scram-sha-512', '/kafka/sasl'],
    [
      'a password in clear',
      'kafka.sasl.mechanism=plain,kafka.sasl.username=eyrie,kafka.sasl.existingSecret=eyrie-kafka',
      '/kafka/tls/enabled',
    ],
    ['a user for a role nobody knows', 'kafka.sasl.users.exporter.username=x', '/kafka/sasl/users'],
    ['tables for a role that has none', 'clickhouse.users.gateway.username=x', '/clickhouse/users'],
    ['an analyst without a password', 'clickhouse.analyst.user=reader', '/clickhouse/analyst'],
    ['a client certificate from nowhere', 'kafka.tls.clientCertificate=true', '/kafka/tls'],
  ])('%s is refused', (_, set, problem) => {
    const { code, output } = renderText(CHART, '-f', values('distributed'), '--set', set);
    expect(code).not.toBe(0);
    expect(output).toContain(problem);
  });

  test.each([
    [
      'an unknown field',
      'templates/roles.yaml',
      /revisionHistoryLimit: 5/,
      'revisionHistory: 5',
      "'revisionHistory' not allowed",
    ],
    [
      'a wrong type',
      'templates/roles.yaml',
      /revisionHistoryLimit: 5/,
      'revisionHistoryLimit: five',
      'got string, want integer',
    ],
    [
      'an unknown kind',
      'templates/roles.yaml',
      /kind: PodDisruptionBudget/,
      'kind: PodBudget',
      'could not find schema',
    ],
    [
      'a field in the wrong place',
      'templates/_container.tpl',
      /automountServiceAccountToken: false/,
      'privileged: false',
      "'privileged' not allowed",
    ],
    [
      'an unknown field of a monitor',
      'templates/monitoring.yaml',
      /jobLabel:/,
      'jobLabels:',
      "'jobLabels' not allowed",
    ],
  ])('%s in a template is found', (_, file, what, instead, problem) => {
    const { code, output } = renderText(changedChart(file, what, instead), '-f', values('everything'));
    expect(code).toBe(0);
    const verdict = validate(output);
    expect(verdict.code).not.toBe(0);
    expect(verdict.output).toContain(problem);
  });

  test('a template that is none is found', () => {
    const chart = changedChart('templates/services.yaml', '{{- end }}', '{{- fin }}');
    expect(ask('helm', ['lint', '--strict', chart, '-f', values('distributed')]).code).not.toBe(0);
  });

  test.each([
    ['_container', /runAsNonRoot: true/, 'runAsNonRoot: false', 'may run as root'],
    ['_container', /enableServiceLinks: false/, 'enableServiceLinks: true', 'Kubernetes sets EYRIE_GATEWAY_PORT'],
    ['_container', /readOnlyRootFilesystem: true/, 'readOnlyRootFilesystem: false', 'may write its root'],
    [
      '_container',
      /mount: \/secrets\/clickhouse,/,
      'mount: /secrets/ch,',
      'EYRIE_CLICKHOUSE_PASSWORD_FILE: /secrets/clickhouse/password is not mounted',
    ],
    ['services', /targetPort: \{\{.*?\}\}/, 'targetPort: http', 'no pod has the port http'],
    ['roles', /scaleTargetRef: \{ (.*) name: /, 'scaleTargetRef: { $1 name: x', 'which is not there'],
  ])('%s.*: a broken promise is found', (file, what, instead, problem) => {
    const path = `templates/${file}.${file.startsWith('_') ? 'tpl' : 'yaml'}`;
    const { output } = renderText(changedChart(path, what, instead), '-f', values('everything'));
    expect(promiseProblems(objectsOf(output)).join('\n')).toContain(problem);
  });
});
