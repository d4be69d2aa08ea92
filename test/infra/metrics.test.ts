import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { expressionProblems } from './expressions.ts';

const infra = new URL('../../infra/', import.meta.url);
const Rules = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});
const Dashboard = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});
const rules = Rules.parse(parse(readFileSync(new URL('prometheus/alerts.yml', infra), 'utf8'))).groups.flatMap(
  (group) => group.rules,
);
const { panels } = Dashboard.parse(JSON.parse(readFileSync(new URL('grafana/dashboards/eyrie.json', infra), 'utf8')));

test('alerts and dashboard ask only for metrics and labels that exist', () => {
  const expressions = [
    ...rules.map(({ expr }) => expr),
    ...panels.flatMap(({ targets }) => targets.map((t) => t.expr)),
  ];
  expect(expressions.length).toBeGreaterThan(30);
  expect(expressions.flatMap(expressionProblems)).toEqual([]);
});

test.each([
  ['sum(rate(eyrie_outcome_total[5m]))', 'eyrie_outcome_total is no metric'],
  ['sum by (tenant) (eyrie_windows_open)', 'has the label tenant'],
  ['eyrie_actions_total{status="failed"}', 'has the label status'],
  ['eyrie_store_insert_seconds', 'eyrie_store_insert_seconds is no metric'],
  ['sum(eyrie_windows_open', 'is no PromQL'],
])('%s is found', (expression, problem) => {
  expect(expressionProblems(expression).join('\n')).toContain(problem);
});

test('what each alert means is written in docs/operations.md, and nothing else is', () => {
  const text = readFileSync(new URL('../docs/operations.md', infra), 'utf8');
  const told = [...text.matchAll(/^### (Eyrie\w+)$/gm)].map((match) => match[1]);
  expect(told.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});
