import { pathGravity } from './facts.ts';
import { floorOfCommand } from './floors.ts';

export interface TextFacts {
  readonly floor: string | undefined;
  readonly gravity: number;
}

/** Longer texts are judged by their beginning and their end: padding must not hide what follows it. */
const TEXT_MAX = 2_048;
const PART_MAX = 200;
const MEMO_MAX = 8_192;
const VOLATILE = /\d{3,}|[0-9a-f]{8,}/gi;
const DIGIT = /\d/;

/** What texts of events say, remembered: a workload does the same again and again. Forgets all when full. */
export class Texts {
  readonly #facts = new Map<string, TextFacts>();
  readonly #parts = new Map<string, string>();

  facts(text: string | undefined): TextFacts {
    if (text === undefined || text === '') return NOTHING;
    const held = this.#facts.get(text);
    if (held !== undefined) return held;
    const read = text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX / 2)} ${text.slice(-TEXT_MAX / 2)}`;
    const facts = { floor: floorOfCommand(read), gravity: pathGravity(read) };
    // A long text is dear to hold, and seldom comes again.
    if (text.length <= TEXT_MAX) remember(this.#facts, text, facts);
    return facts;
  }

  /** Masked and cut for a name: temporary names must not make every run a new one, long ones must not fill the table. */
  part(text: string | undefined): string {
    if (text === undefined) return '';
    const short = text.length > PART_MAX ? text.slice(0, PART_MAX) : text;
    const held = this.#parts.get(short);
    if (held !== undefined) return held;
    const masked = DIGIT.test(short) ? short.replace(VOLATILE, '*') : short;
    remember(this.#parts, short, masked);
    return masked;
  }
}

const NOTHING: TextFacts = { floor: undefined, gravity: 0 };

function remember<V>(memo: Map<string, V>, key: string, value: V): void {
  if (memo.size >= MEMO_MAX) memo.clear();
  memo.set(key, value);
}
