import { parser } from '@prometheus-io/lezer-promql';
import { METRICS } from '../../services/platform/src/metrics.ts';

/** Labels that Prometheus gives a series, and those of a histogram. */
const TARGET = ['job', 'role', 'instance'];
const SERIES = new Map<string, readonly string[]>([['up', TARGET]]);
for (const [name, { type, labels }] of Object.entries(METRICS)) {
  if (type === 'histogram') {
    SERIES.set(`${name}_bucket`, [...TARGET, ...labels, 'le']);
    SERIES.set(`${name}_sum`, [...TARGET, ...labels]);
    SERIES.set(`${name}_count`, [...TARGET, ...labels]);
  } else SERIES.set(name, [...TARGET, ...labels]);
}

/** What a PromQL expression asks of Eyrie and does not get: metrics and labels that do not exist, bad syntax. */
export function expressionProblems(written: string): string[] {
  // Grafana fills these in.
  const expression = written.replaceAll('$__rate_interval', '5m');
  const problems: string[] = [];
  const labels = new Set<string>();
  const asked: string[] = [];
  const text = (node: { from: number; to: number }) => expression.slice(node.from, node.to);
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) problems.push(`"${expression}" is no PromQL at ${node.from}`);
      if (node.name === 'LabelName') asked.push(text(node));
      if (node.name === 'UnquotedLabelMatcher') asked.push(text(node).split(/[=!]/)[0]?.trim() ?? '');
      if (node.name !== 'VectorSelector') return;
      const name = /^\w+/.exec(text(node))?.[0] ?? '';
      const known = SERIES.get(name);
      if (known === undefined) problems.push(`${name || text(node)} is no metric of Eyrie`);
      for (const label of known ?? []) labels.add(label);
    },
  });
  for (const label of new Set(asked)) {
    if (!labels.has(label)) problems.push(`no metric of "${expression}" has the label ${label}`);
  }
  return problems;
}
