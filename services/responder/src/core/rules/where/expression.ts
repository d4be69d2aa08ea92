import { isAbsent } from '../values.ts';

/** A condition over the fields of an event, in a language without loops, calls or code of its author. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly items: readonly Expression[] }
  | { readonly kind: 'not'; readonly item: Expression }
  | { readonly kind: 'exists'; readonly field: string }
  | { readonly kind: 'compare'; readonly field: string; readonly negated: boolean; readonly test: Test };

/** Whether one present value passes. */
export type Test = (value: unknown) => boolean;

/** Gives undefined for a field that is not there. */
export type Lookup = (field: string) => unknown;

/**
 * An absent field makes every comparison false, also `!=`; `not exists(field)` asks for absence. Of a list one item has to
 * pass, and for `!=` none may be equal.
 */
export function evaluate(expression: Expression, lookup: Lookup): boolean {
  switch (expression.kind) {
    case 'and':
      return expression.items.every((item) => evaluate(item, lookup));
    case 'or':
      return expression.items.some((item) => evaluate(item, lookup));
    case 'not':
      return !evaluate(expression.item, lookup);
    case 'exists':
      return !isAbsent(lookup(expression.field));
    case 'compare': {
      const value = lookup(expression.field);
      if (isAbsent(value)) return false;
      const passes = Array.isArray(value) ? value.some(expression.test) : expression.test(value);
      return passes !== expression.negated;
    }
  }
}
