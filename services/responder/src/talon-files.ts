import { readFileSync } from 'node:fs';
import { AppError } from '@eyrie/platform/errors';
import { Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from 'yaml';
import { importTalon, type TalonImport } from './core/talon/import.ts';
import { type Place, problemAt, type TalonEntry, type TalonNode, type TalonProblem } from './core/talon/node.ts';

const DEPTH_MAX = 32;
const NODES_MAX = 200_000;

/**
 * Translates rule files of Falco Talon. A file that cannot be read as YAML stops all of them: what it would have
 * overridden is not known.
 * @throws AppError EYRIE_INPUT_UNREADABLE
 */
export function importTalonFiles(files: readonly string[], catalog: ReadonlySet<string>): TalonImport {
  const problems: TalonProblem[] = [];
  const roots = files.map((file) => readTalonFile(file, readText(file), problems));
  if (problems.length > 0) {
    return { imported: [], refused: problems.map((one) => ({ name: '', problems: [one] })), unused: [] };
  }
  return importTalon(roots, catalog);
}

/** YAML of a file with the place of each part. */
function readTalonFile(file: string, text: string, problems: TalonProblem[]): TalonNode {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { pos, message } of [...document.errors, ...document.warnings]) {
    problems.push(problemAt({ file, line: lines.linePos(pos[0]).line, key: '' }, message));
  }
  const reader = { file, lines, document, problems, left: NODES_MAX };
  return placed(document.contents, { file, line: 1, key: '' }, reader, 0);
}

interface Reader {
  readonly lines: LineCounter;
  readonly document: Document.Parsed;
  readonly problems: TalonProblem[];
  left: number;
}

function placed(node: unknown, from: Place, reader: Reader, depth: number): TalonNode {
  const place = { ...from, line: lineOf(node, reader) ?? from.line };
  reader.left -= 1;
  if (depth > DEPTH_MAX || reader.left < 0) {
    // An alias may stand for what holds it, and one for many.
    if (reader.problems.length === 0) reader.problems.push(problemAt(place, 'is nested too deeply, or too much'));
    return { kind: 'scalar', place, text: '', value: null };
  }
  // What an alias stands for is shown where that is written.
  if (isAlias(node)) return placed(node.resolve(reader.document), place, reader, depth + 1);
  if (isSeq(node)) {
    // Keys begin within an item: `actions.0.parameters`.
    const items = node.items.map((item, i) => placed(item, depth === 0 ? place : below(place, i), reader, depth + 1));
    return { kind: 'list', place, items };
  }
  if (isMap(node)) {
    const entries = node.items.map((pair): TalonEntry => {
      const key = isScalar(pair.key) ? sourceOf(pair.key) : String(pair.key);
      const at = { ...below(place, key), line: lineOf(pair.key, reader) ?? place.line };
      return { key, place: at, value: placed(pair.value, at, reader, depth + 1) };
    });
    return { kind: 'map', place, entries };
  }
  if (!isScalar(node)) return { kind: 'scalar', place, text: '', value: null };
  const { value } = node;
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (!isPlain && value !== null) reader.problems.push(problemAt(place, 'must be a text, a number, true or false'));
  return { kind: 'scalar', place, text: sourceOf(node), value: isPlain ? value : null };
}

function below(place: Place, key: string | number): Place {
  return { ...place, key: place.key === '' ? String(key) : `${place.key}.${key}` };
}

/** Talon keeps most scalars as they are written. */
function sourceOf(scalar: Scalar): string {
  if (typeof scalar.value === 'string') return scalar.value;
  return scalar.source ?? String(scalar.value ?? '');
}

function lineOf(node: unknown, { lines }: Reader): number | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range === null || range === undefined ? undefined : lines.linePos(range[0]).line;
}

/** A rule file of ours; what is to be known of a rule stands above it. */
export function writeRuleFile({ imported }: TalonImport, sources: readonly string[]): string {
  const document = new Document(
    { version: 1, rules: imported.map(({ written }) => written) },
    { aliasDuplicateObjects: false },
  );
  const from = oneLine(sources.join(', '));
  document.commentBefore = ` Imported from Falco Talon (${from}). Nothing acts before its mode is set to enforce.`;
  const rules = document.get('rules');
  for (const [index, { file, line, flags }] of imported.entries()) {
    const item: unknown = isSeq(rules) ? rules.items[index] : undefined;
    const notes = [`${file}:${line}`, ...flags.map(({ code, message }) => `${code}: ${message}`)];
    if (isMap(item)) item.commentBefore = notes.map((note) => ` ${oneLine(note)}`).join('\n');
  }
  return document.toString({ lineWidth: 120 });
}

/** A comment ends with its line; what follows would be read. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AppError('EYRIE_INPUT_UNREADABLE', `${file} cannot be read`, { cause: error });
  }
}
