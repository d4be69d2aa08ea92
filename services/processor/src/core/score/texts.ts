import { Words } from '../words.ts';
import { PATH_SIGNS, pathGravity } from './facts.ts';
import { COMMAND_SIGNS, floorOfCommand } from './floors.ts';

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

/** All signs as one, so that a text without any is read once. Ignores case: it may find too much, never too little. */
const SIGNS = new RegExp(
  ['release_agent', ...[...COMMAND_SIGNS, ...PATH_SIGNS].map(({ source }) => `(?:${source})`)].join('|'),
  'i',
);

/** What a command line or path says by itself. */
export function factsOf(text: string | undefined): TextFacts {
  if (text === undefined || text === '') return NOTHING;
  const read = text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX / 2)} ${text.slice(-TEXT_MAX / 2)}`;
  if (!SIGNS.test(read)) return NOTHING;
  return { floor: floorOfCommand(read), gravity: pathGravity(read) };
}

const NOTHING: TextFacts = { floor: undefined, gravity: 0 };

/** Texts of events made ready for names and comparisons, remembered: a workload does the same again and again. */
export class Texts {
  readonly words = new Words();
  readonly #parts = new Map<string, string>();

  /** Masked and cut for a name: temporary names must not make every run a new one, long ones must not fill the table. */
  part(text: string | undefined): string {
    if (text === undefined) return '';
    const short = text.length > PART_MAX ? text.slice(0, PART_MAX) : text;
    const held = this.#parts.get(short);
    if (held !== undefined) return held;
    const masked = DIGIT.test(short) ? short.replace(VOLATILE, '*') : short;
    if (this.#parts.size >= MEMO_MAX) this.#parts.clear();
    this.#parts.set(short, masked);
    return masked;
  }
}
