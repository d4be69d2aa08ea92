import { isMatchField, MATCH_FIELDS } from '@eyrie/schemas';
import type { Expression } from './expression.ts';
import { type Literal, OPERATORS, oneOf } from './operators.ts';
import { ExpressionProblem, type Token, tokenize } from './tokens.ts';

const TEXT_MAX = 4_096;
const DEPTH_MAX = 32;
const RESERVED = new Set(['and', 'or', 'not', 'in', 'exists', 'true', 'false', ...Object.keys(OPERATORS)]);

/**
 * Reads a `where` expression:
 *
 *     or       = and { "or" and }
 *     and      = not { "and" not }
 *     not      = "not" not | "(" or ")" | "exists" "(" field ")" | field operator value | field "in" "(" value { "," value } ")"
 *     value    = "text" | 'text' | number | true | false
 */
export function parseWhere(text: string): { readonly expression: Expression } | { readonly problem: string } {
  if (text.length > TEXT_MAX) return { problem: `has ${text.length} characters; at most ${TEXT_MAX}` };
  try {
    return { expression: new Parser(tokenize(text)).whole() };
  } catch (error) {
    if (error instanceof ExpressionProblem) return { problem: error.message };
    throw error;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#or();
    const rest = this.#peek();
    if (rest.kind !== 'end') this.#refuse(rest, `"${rest.text}" stands after the end; there are and, or`);
    return expression;
  }

  #or(): Expression {
    return this.#joined('or', () => this.#joined('and', () => this.#not()));
  }

  #joined(kind: 'and' | 'or', part: () => Expression): Expression {
    const first = part();
    const items = [first];
    while (this.#isName(kind)) {
      this.#next();
      items.push(part());
    }
    return items.length === 1 ? first : { kind, items };
  }

  #not(): Expression {
    const token = this.#peek();
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.#refuse(token, `more than ${DEPTH_MAX} parentheses and nots in each other`);
    const expression = this.#primary(this.#next());
    this.#depth -= 1;
    return expression;
  }

  #primary(token: Token): Expression {
    if (token.kind === 'name' && token.text === 'not') return { kind: 'not', item: this.#not() };
    if (token.text === '(' && token.kind === 'sign') {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    if (token.kind === 'name' && token.text === 'exists') {
      this.#expect('(');
      const field = this.#field(this.#next());
      this.#expect(')');
      return { kind: 'exists', field };
    }
    return this.#comparison(this.#field(token));
  }

  #comparison(field: string): Expression {
    const operator = this.#next();
    if (operator.kind === 'name' && operator.text === 'in') {
      return { kind: 'compare', field, negated: false, test: oneOf(this.#list()) };
    }
    const make =
      operator.kind !== 'string' && Object.hasOwn(OPERATORS, operator.text) ? OPERATORS[operator.text] : undefined;
    if (make === undefined) {
      const found = operator.kind === 'end' ? 'the end' : `"${operator.text}"`;
      this.#refuse(operator, `${found} is no operator; there are ${Object.keys(OPERATORS).join(' ')} in`);
    }
    const token = this.#peek();
    const test = make(this.#value());
    if (typeof test === 'string') this.#refuse(token, `${operator.text} ${test}`);
    return { kind: 'compare', field, negated: operator.text === '!=', test };
  }

  #list(): readonly Literal[] {
    this.#expect('(');
    const values = [this.#value()];
    while (this.#peek().text === ',' && this.#peek().kind === 'sign') {
      this.#next();
      values.push(this.#value());
    }
    this.#expect(')');
    return values;
  }

  #value(): Literal {
    const token = this.#next();
    if (token.kind === 'string') return token.text;
    if (token.kind === 'number') return Number(token.text);
    if (token.kind === 'name' && (token.text === 'true' || token.text === 'false')) return token.text === 'true';
    const found = token.kind === 'end' ? 'the end' : `"${token.text}"`;
    return this.#refuse(token, `${found} is no value; text stands in quotes`);
  }

  /** A column, or a field as the sensor calls it; `k8s.labels["env"]` is the field `k8s.labels[env]`. */
  #field(token: Token): string {
    if (token.kind !== 'name' || RESERVED.has(token.text)) {
      const found = token.kind === 'end' ? 'the end' : `"${token.text}"`;
      this.#refuse(token, `${found} stands where a field should`);
    }
    if (!token.text.includes('.') && !isMatchField(token.text)) {
      this.#refuse(token, `"${token.text}" is no column (${MATCH_FIELDS.join(', ')}), and a sensor's field has a dot`);
    }
    return token.text.replace(/\[["']?([^\]"']*)["']?\]/g, '[$1]');
  }

  #expect(sign: string): void {
    const token = this.#next();
    if (token.kind !== 'sign' || token.text !== sign) {
      this.#refuse(token, `"${sign}" is missing before ${token.kind === 'end' ? 'the end' : `"${token.text}"`}`);
    }
  }

  #isName(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'name' && token.text === text;
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] as Token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #refuse(token: Token, message: string): never {
    throw new ExpressionProblem(token.column, message);
  }
}
