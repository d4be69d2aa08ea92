import type { Place, TalonNode } from './node.ts';

/** A value as if it had been read from line 1 of a file. */
export function nodeOf(value: unknown, file = 'rules.yaml', key = ''): TalonNode {
  const place: Place = { file, line: 1, key };
  const below = (name: string | number) => (key === '' ? String(name) : `${key}.${name}`);
  if (Array.isArray(value)) {
    return { kind: 'list', place, items: value.map((item, i) => nodeOf(item, file, key === '' ? '' : below(i))) };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, one]) => ({
      key: name,
      place: { ...place, key: below(name) },
      value: nodeOf(one, file, below(name)),
    }));
    return { kind: 'map', place, entries };
  }
  const scalar = (value ?? null) as string | number | boolean | null;
  return { kind: 'scalar', place, text: String(scalar ?? ''), value: scalar };
}
