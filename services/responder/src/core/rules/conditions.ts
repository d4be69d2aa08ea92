import { isAbsent, textOf } from './values.ts';

/** One comparison of an output field with text. An absent field makes `=` and `!=` false, and `?!=` true. */
export interface Condition {
  readonly field: string;
  readonly op: '=' | '!=' | '?!=';
  readonly value: string;
}

/** Any of the lists, all conditions of one list. */
export type Conditions = readonly (readonly Condition[])[];

export type Fields = Readonly<Record<string, unknown>>;

const FIELD = /^[A-Za-z][A-Za-z0-9._\-/[\]]*$/;

/**
 * `field=value, other!="a, b", third?!=c`: cut at commas outside quotes, each part at its first `=`, `!=` or `?!=`. A part
 * that is no comparison is an error and never dropped: dropping one would widen the match.
 */
export function parseConditions(
  item: string,
): { readonly conditions: readonly Condition[] } | { readonly problem: string } {
  const parts = splitOutsideQuotes(item);
  if (parts === undefined) return { problem: `"${item}" has an open quote` };
  const conditions: Condition[] = [];
  for (const part of parts) {
    const at = part.indexOf('=');
    const op = at < 0 ? '=' : operatorBefore(part, at);
    const field = part.slice(0, Math.max(0, at + 1 - op.length)).trim();
    if (at < 0 || !FIELD.test(field)) {
      const forms = 'field=value, field!=value or field?!=value';
      return { problem: `"${part.trim()}" is not ${forms} (quote values that hold a comma)` };
    }
    const written = part.slice(at + 1).trim();
    if (op !== '=' && written.startsWith('=')) return { problem: `"${part.trim()}" has one "=" too many` };
    if (isExpression(part))
      return { problem: `"${part.trim()}" reads like an expression: write it as where, or quote the value` };
    const value = unquote(written);
    if (value === undefined) return { problem: `"${part.trim()}" has text beside its quotes` };
    if (value === '') return { problem: `"${part.trim()}" compares with nothing` };
    conditions.push({ field, op, value });
  }
  return { conditions };
}

/** The operator whose last sign is the `=` at this place. */
function operatorBefore(part: string, at: number): Condition['op'] {
  if (part[at - 1] !== '!') return '=';
  return part[at - 2] === '?' ? '?!=' : '!=';
}

/** A comparison that is none of `=`, `!=`, `?!=`, or a second one after a word: what a value cut at its first sign would swallow. */
export function isExpression(item: string): boolean {
  const bare = item.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  return /^[^=!]*==/.test(bare) || /^\s*(?:not\b|exists\s*\(|\()/.test(bare) || WORD_OPERATOR.test(bare);
}

const WORD_OPERATOR =
  /^\s*[\w.\-/[\]"]+\s+(?:in\s*\(|(?:contains|icontains|startswith|endswith|glob|regex|cidr)\s|[<>])|\s(?:and|or)\s+\S+\s*(?:==|!=|=|<|>|\s)/;

export function someHold(conditions: Conditions, fields: Fields): boolean {
  return conditions.some((all) => all.every((condition) => holds(condition, fields)));
}

function holds({ field, op, value }: Condition, fields: Fields): boolean {
  const found = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (isAbsent(found)) return op === '?!=';
  const equal = Array.isArray(found) ? found.some((item) => textOf(item) === value) : textOf(found) === value;
  return op === '=' ? equal : !equal;
}

function splitOutsideQuotes(item: string): string[] | undefined {
  const parts: string[] = [];
  let part = '';
  let quote = '';
  for (let i = 0; i < item.length; i += 1) {
    const char = item.charAt(i);
    if (quote !== '') {
      if (char === '\\' && i + 1 < item.length) {
        part += char;
        i += 1;
      } else if (char === quote) quote = '';
      part += item.charAt(i);
    } else if (char === ',') {
      parts.push(part);
      part = '';
    } else {
      // A quote opens only at the start of a value: `it's` is text.
      if ((char === '"' || char === "'") && /=\s*$/.test(part)) quote = char;
      part += char;
    }
  }
  if (quote !== '') return undefined;
  parts.push(part);
  return parts;
}

function unquote(value: string): string | undefined {
  const quote = value.charAt(0);
  if (quote !== '"' && quote !== "'") return value;
  if (value.length < 2 || !value.endsWith(quote)) return undefined;
  const inner = value.slice(1, -1);
  if (new RegExp(`(?<!\\\\)(?:\\\\\\\\)*${quote}`).test(inner)) return undefined;
  return inner.replace(/\\(.)/g, '$1');
}
