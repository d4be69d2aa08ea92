import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, isSeq, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';

/** Text that takes the place of `[start, end)`. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A changed line: what it was, and what stands there now. */
export interface LineChange {
  /** From 1. */
  readonly line: number;
  readonly before: string;
  readonly after: readonly string[];
}

export type EditedRule =
  | { readonly text: string; readonly changes: readonly LineChange[] }
  | { readonly problem: string };

/** What a test of the rule expects once it enforces. */
const DECISIONS: Readonly<Record<string, string>> = { simulated: 'executing', planned: 'executing' };
const REASONS: Readonly<Record<string, string>> = { dry_run: 'queued', observe: 'queued' };

/**
 * Sets one rule of a file to enforce, and has its tests expect that. All else keeps its bytes: the parser says where a
 * value stands, and nothing is written anew. What came of it is read back; a file that would say something else as well
 * (an anchor that others use) is left to a person.
 */
export function setEnforce(text: string, ruleId: string): EditedRule {
  const document = parseDocument(text);
  const rules = document.get('rules');
  const index = isSeq(rules) ? rules.items.findIndex((item) => isMap(item) && item.get('id') === ruleId) : -1;
  const item = isSeq(rules) ? rules.items[index] : undefined;
  if (!isMap(item)) return { problem: `no rule "${ruleId}" is written out there` };
  const edits = [modeEdit(text, item), ...testEdits(item)];
  const changed = apply(text, edits);
  const after = parseDocument(changed);
  if (after.errors.length > 0 || !isDeepStrictEqual(after.toJS(), expected(document.toJS(), index))) {
    return { problem: 'its mode cannot be changed there without changing something else: change it by hand' };
  }
  return { text: changed, changes: lineChanges(text, edits) };
}

function modeEdit(text: string, rule: YAMLMap): Edit {
  const mode = pairOf(rule, 'mode');
  if (mode !== undefined) return replace(mode, 'enforce');
  const id = pairOf(rule, 'id');
  const key = id === undefined ? undefined : rangeOf(id.key);
  const value = id === undefined ? undefined : rangeOf(id.value);
  if (key === undefined || value === undefined) return { start: 0, end: 0, text: '' };
  if (rule.flow === true) {
    const name = text[key[0]] === '"' ? '"mode": "enforce"' : 'mode: enforce';
    return { start: value[1], end: value[1], text: `, ${name}` };
  }
  // Behind a comment on the line of the id.
  const lineEnd = text.indexOf('\n', value[1]);
  const at = lineEnd < 0 ? text.length : lineEnd - Number(text[lineEnd - 1] === '\r');
  const column = key[0] - (text.lastIndexOf('\n', key[0] - 1) + 1);
  return { start: at, end: at, text: `${text[at] === '\r' ? '\r' : ''}\n${' '.repeat(column)}mode: enforce` };
}

function testEdits(rule: YAMLMap): Edit[] {
  const tests = rule.get('tests');
  if (!isSeq(tests)) return [];
  return tests.items.flatMap((test) => {
    const expect = isMap(test) ? test.get('expect') : undefined;
    if (!isMap(expect)) return [];
    return (['decision', 'reason'] as const).flatMap((name) => {
      const pair = pairOf(expect, name);
      const word = pair === undefined ? undefined : wordOf(name, expect.get(name));
      return pair === undefined || word === undefined ? [] : [replace(pair, word)];
    });
  });
}

function wordOf(name: 'decision' | 'reason', value: unknown): string | undefined {
  const words = name === 'decision' ? DECISIONS : REASONS;
  return typeof value === 'string' && Object.hasOwn(words, value) ? words[value] : undefined;
}

/** What the file must say after the change, and nothing else. */
function expected(written: unknown, index: number): unknown {
  const wanted = structuredClone(written) as {
    rules: { mode?: unknown; tests?: { expect?: Record<string, unknown> }[] }[];
  };
  const rule = wanted.rules[index];
  if (rule === undefined) return undefined;
  rule.mode = 'enforce';
  for (const { expect } of rule.tests ?? []) {
    for (const name of ['decision', 'reason'] as const) {
      const word = wordOf(name, expect?.[name]);
      if (expect !== undefined && word !== undefined) expect[name] = word;
    }
  }
  return wanted;
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

function replace({ value }: Pair, word: string): Edit {
  const [start, end] = rangeOf(value) ?? [0, 0];
  const isQuoted = isScalar(value) && (value as Scalar).type === 'QUOTE_DOUBLE';
  return { start, end, text: isQuoted ? `"${word}"` : word };
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  return (node as { readonly range?: readonly [number, number, number] | null } | null | undefined)?.range ?? undefined;
}

function apply(text: string, edits: readonly Edit[]): string {
  let changed = text;
  for (const { start, end, text: by } of edits.toSorted((a, b) => b.start - a.start)) {
    changed = changed.slice(0, start) + by + changed.slice(end);
  }
  return changed;
}

function lineChanges(text: string, edits: readonly Edit[]): readonly LineChange[] {
  const byLine = Map.groupBy(edits, ({ start }) => text.lastIndexOf('\n', start - 1) + 1);
  return [...byLine]
    .sort(([a], [b]) => a - b)
    .map(([begin, ofLine]) => {
      const end = text.indexOf('\n', begin);
      const before = text.slice(begin, end < 0 ? text.length : end);
      const moved = ofLine.map((edit) => ({ ...edit, start: edit.start - begin, end: edit.end - begin }));
      const after = apply(before, moved).split('\n');
      return { line: text.slice(0, begin).split('\n').length, before, after };
    })
    .filter(({ before, after }) => after.length > 1 || after[0] !== before);
}
