import type { Parameters } from './blocks.ts';
import { isEmpty, type PlacedText, problemAt, type TalonMap, type TalonNode, type TalonProblem } from './node.ts';
import { listed, nearest } from './words.ts';

/** Takes the keys of a map by kind and notes what is wrong with them. */
export class Fields {
  readonly problems: TalonProblem[] = [];
  readonly #map: TalonMap;

  constructor(map: TalonMap, allowed: readonly string[], what: string) {
    this.#map = map;
    for (const { key, place } of map.entries) {
      if (allowed.includes(key)) continue;
      const hint = nearest(key, allowed);
      const meant = hint === undefined ? '' : ` (${hint}?)`;
      const merged = key === '<<' ? '; write out what it stands for' : '';
      this.problems.push(
        problemAt(
          place,
          `"${key}" is no key of ${what}${meant}${merged}; there are ${listed(allowed)}. Talon ignores it`,
        ),
      );
    }
  }

  text(key: string): PlacedText | undefined {
    const node = this.#find(key);
    if (node === undefined) return undefined;
    if (node.kind === 'scalar') return { text: node.text, place: node.place };
    this.problems.push(problemAt(node.place, 'must be a text'));
    return undefined;
  }

  /** The name of an item, which has to be there. */
  name(key: string): PlacedText {
    const found = this.text(key);
    if (found !== undefined && found.text.trim() !== '') return found;
    this.problems.push(problemAt(this.#map.place, `needs \`${key}\` with a name`));
    return { text: '', place: this.#map.place };
  }

  /** Talon keeps these as texts and takes two of them. */
  flag(key: string): PlacedText | undefined {
    const found = this.text(key);
    if (found === undefined || found.text === 'true' || found.text === 'false') return found;
    this.problems.push(problemAt(found.place, `"${found.text}" must be true or false`));
    return undefined;
  }

  list(key: string): readonly TalonNode[] {
    const node = this.#find(key);
    if (node === undefined) return [];
    if (node.kind === 'list') return node.items;
    this.problems.push(problemAt(node.place, 'must be a list'));
    return [];
  }

  texts(key: string): readonly PlacedText[] {
    return this.list(key).flatMap((node) => {
      if (node.kind === 'scalar' && node.text !== '') return [{ text: node.text, place: node.place }];
      this.problems.push(problemAt(node.place, 'must be a text'));
      return [];
    });
  }

  map(key: string, allowed: readonly string[], what: string): Fields | undefined {
    const node = this.#mapOf(key);
    return node === undefined ? undefined : new Fields(node, allowed, what);
  }

  parameters(key: string): Parameters {
    const node = this.#mapOf(key);
    return new Map(node?.entries.map(({ key: name, place, value }) => [name, { place, value }]));
  }

  #mapOf(key: string): TalonMap | undefined {
    const node = this.#find(key);
    if (node === undefined || node.kind === 'map') return node;
    this.problems.push(problemAt(node.place, 'must be a map'));
    return undefined;
  }

  #find(key: string): TalonNode | undefined {
    const node = this.#map.entries.find((entry) => entry.key === key)?.value;
    return node === undefined || isEmpty(node) ? undefined : node;
  }
}
