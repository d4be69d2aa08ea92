type TokenKind = 'name' | 'string' | 'number' | 'sign' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Column, from 1. */
  readonly column: number;
}

/** What is wrong with an expression, and where. */
export class ExpressionProblem extends Error {
  constructor(column: number, message: string) {
    super(`column ${column}: ${message}`);
    this.name = 'ExpressionProblem';
  }
}

const SPACE = /\s+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_.\-/]*(?:\[(?:"[^"\\]*"|'[^'\\]*'|[A-Za-z0-9_.\-/]+)\])*/y;
const NUMBER = /-?\d+(?:\.\d+)?(?![A-Za-z0-9_])/y;
const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/sy;
const SIGN = /==|!=|<=|>=|<|>|\(|\)|,/y;

/** Cuts an expression into its words. @throws ExpressionProblem */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const space = take(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const found = next(take);
    if (found === undefined) throw new ExpressionProblem(at + 1, unreadable(text, at));
    const [kind, word] = found;
    tokens.push({ kind, text: kind === 'string' ? unquote(word) : word, column: at + 1 });
    at += word.length;
  }
  return [...tokens, { kind: 'end', text: '', column: text.length + 1 }];
}

function next(take: (pattern: RegExp) => string | undefined): readonly [TokenKind, string] | undefined {
  for (const [kind, pattern] of PATTERNS) {
    const word = take(pattern);
    if (word !== undefined) return [kind, word];
  }
  return undefined;
}

const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['string', STRING],
  ['number', NUMBER],
  ['name', NAME],
  ['sign', SIGN],
];

function unquote(word: string): string {
  return word.slice(1, -1).replace(/\\(.)/gs, '$1');
}

function unreadable(text: string, at: number): string {
  const char = text.charAt(at);
  if (char === '"' || char === "'") return 'a quote is opened here and never closed';
  if (char === '=') return 'a single "="; equality is "=="';
  if (char === '&' || char === '|' || char === '!') return `"${char}" is not an operator; there are and, or, not`;
  return `"${char}" cannot stand here`;
}
