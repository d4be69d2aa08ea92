import { type Condition, someHold } from '../rules/conditions.ts';

type Items = readonly (readonly Condition[])[];
type Fields = Readonly<Record<string, string>>;

/** Steps of a search: more than any rule that people write needs. */
const STEPS_MAX = 20_000;

/** Fields for which an item holds: with every field it names, and with those alone that it needs. */
export function matchingFields(items: Items) {
  if (items.length === 0) return { all: {}, needed: {}, isOnPresence: true };
  for (const item of items) {
    const needed = Object.fromEntries(item.filter(({ op }) => op === '=').map(({ field, value }) => [field, value]));
    const names = new Set(item.map(({ field }) => field));
    const others = [...names].filter((field) => !Object.hasOwn(needed, field));
    const unequal = (field: string) => item.filter((one) => one.field === field).map(({ value }) => value);
    const all = {
      ...needed,
      ...Object.fromEntries(others.map((field) => [field, otherThan(unequal(field), 'other')])),
    };
    if (someHold([item], all)) return { all, needed, isOnPresence: others.length === 0 };
  }
  return undefined;
}

/** Fields for which no item holds: of each one condition has to fail, and no two may ask for different values. */
export function failingFields(items: Items): Fields | undefined {
  const values = new Map<string, string>();
  const excluded: Condition[] = [];
  let steps = 0;
  const search = (index: number): boolean => {
    const item = items[index];
    if (item === undefined) return true;
    for (const condition of item) {
      steps += 1;
      if (steps > STEPS_MAX) return false;
      const { field, op, value } = condition;
      const found = values.get(field);
      if (op === '=') {
        if (found === value) continue;
        excluded.push(condition);
        if (search(index + 1)) return true;
        excluded.pop();
      } else if (found === value) {
        if (search(index + 1)) return true;
      } else if (found === undefined && !excluded.some((one) => one.field === field && one.value === value)) {
        values.set(field, value);
        if (search(index + 1)) return true;
        values.delete(field);
      }
    }
    return false;
  };
  return search(0) ? Object.fromEntries(values) : undefined;
}

/** A word that is none of those. */
export function otherThan(taken: readonly string[], word: string): string {
  let other = word;
  while (taken.includes(other)) other += '-';
  return other;
}
