import { type Priority, parsePriority, priorityRank } from '@eyrie/schemas';

type Order = '<' | '<=' | '>' | '>=' | '=';
export interface Comparison {
  readonly op: Order;
  readonly value: number;
}

/** `>=Notice`; without an operator it must be equal. */
export function parsePriorityComparison(text: string): Comparison {
  const { op, rest } = cut(text);
  return { op, value: priorityRank(parsePriority(rest) ?? 'Emergency') };
}

/** `<0.3` */
export function parseScoreComparison(text: string): Comparison {
  const { op, rest } = cut(text);
  return { op, value: Number(rest) };
}

export function priorityCompares(priority: Priority, comparison: Comparison): boolean {
  return compares(priorityRank(priority), comparison);
}

/** An unknown number compares with nothing. */
export function compares(found: number | undefined, { op, value }: Comparison): boolean {
  if (found === undefined) return false;
  switch (op) {
    case '<':
      return found < value;
    case '<=':
      return found <= value;
    case '>':
      return found > value;
    case '>=':
      return found >= value;
    case '=':
      return found === value;
  }
}

function cut(text: string): { op: Order; rest: string } {
  const [op = ''] = /^[<>]=?/.exec(text) ?? [];
  return { op: (op === '' ? '=' : op) as Order, rest: text.slice(op.length) };
}
