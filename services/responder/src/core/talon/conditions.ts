import { type Condition, parseConditions } from '../rules/conditions.ts';
import { flagAt, type PlacedText, problemAt, type TalonFlag, type TalonProblem } from './node.ts';

export interface TranslatedItem {
  /** As our rule file writes it. */
  readonly item: string;
  readonly conditions: readonly Condition[];
}

/** What Talon takes before `=` or `!=`. */
const TALON_KEY = /^[a-z0-9.[\]]+$/i;
const OUR_KEY = /^[A-Za-z][A-Za-z0-9._\-/[\]]*$/;
/** Our `=` has a meaning for these only where the field is there. */
const ABSENT = ['', '<NA>', '<nil>'];
/** Go writes a number of a million and more with an exponent. */
const LARGE_NUMBER = /^-?\d{7,}$/;

/**
 * One item of `output_fields`. Talon cuts it at every comma and every `=`, and a part that does not come out as two
 * pieces is dropped: the rule then matches more. Here such a part refuses the rule.
 */
export function translateItem(
  { text, place }: PlacedText,
  flags: TalonFlag[],
  problems: TalonProblem[],
): TranslatedItem | undefined {
  const conditions: Condition[] = [];
  const parts = text.split(',').map((part, index) => (index === 0 ? part : part.replace(/^ /, '')));
  for (const part of parts) {
    const read = readPart(part);
    if (typeof read === 'string') {
      problems.push(problemAt(place, `"${part}": ${read}`));
      continue;
    }
    conditions.push(read);
    const { field, op, value } = read;
    if (!TALON_KEY.test(field)) {
      const message = `${field} is taken as it is written; Talon takes letters, digits, "." and "[ ]" in a key and rejects the rule`;
      flags.push(flagAt(place, 'key_accepted', message));
    }
    if (op === '?!=') {
      const message = `${field}?!=${value} also holds where ${field} is absent, as in Talon: events of hosts match too; ${field}!=${value} would need the field`;
      flags.push(flagAt(place, 'absent_passes', message));
    }
    if (LARGE_NUMBER.test(value)) {
      const message = `${value} is compared as it is written; Talon renders such a number with an exponent, so its condition does not see it`;
      flags.push(flagAt(place, 'number', message));
    }
  }
  if (conditions.length < parts.length) return undefined;
  const item = conditions.map(writeCondition).join(', ');
  const back = parseConditions(item);
  if ('conditions' in back && JSON.stringify(back.conditions) === JSON.stringify(conditions))
    return { item, conditions };
  problems.push(problemAt(place, `"${text}" cannot be written in our format`));
  return undefined;
}

function readPart(part: string): Condition | string {
  const at = part.indexOf('=');
  if (at < 0) {
    return 'is no condition. Talon cuts an item at every comma, also within quotes; write field="value, with a comma" in our format';
  }
  const isNegated = part[at - 1] === '!';
  const field = part.slice(0, isNegated ? at - 1 : at);
  const rest = part.slice(at + 1);
  const example = `${isNegated ? `${field}?!=` : `${field}=`}${JSON.stringify(rest.replaceAll('"', ''))}`;
  if (!OUR_KEY.test(field))
    return `"${field}" is no name of a field (letters, digits, ".", "_", "-", "/", "[ ]", no space)`;
  if (rest.includes('=')) {
    return `has a second "="; Talon drops the condition without a word and the rule matches more. Write ${example} in our format`;
  }
  if (isNegated && rest.includes('!')) {
    return `has a second "!"; Talon drops the condition without a word and the rule matches more. Write ${example} in our format`;
  }
  if ((rest.match(/"/g)?.length ?? 0) % 2 !== 0) {
    return 'ends within its quotes. Talon cuts an item at every comma, also within quotes; write field="value, with a comma" in our format';
  }
  // Talon takes every quote away, wherever it stands.
  const value = rest.replaceAll('"', '');
  if (value !== '' && value !== value.trim())
    return 'has a space beside its value, which Talon compares too; take it away';
  if (ABSENT.includes(value)) {
    const test = isNegated ? `exists(${field})` : `not exists(${field})`;
    return `compares with what stands for an absent field; write where: '${test}' in our format`;
  }
  return { field, op: isNegated ? '?!=' : '=', value };
}

/** Quoted unless it is plain: commas, spaces and words such as `and` mean nothing within quotes. */
function writeCondition({ field, op, value }: Condition): string {
  const isPlain = /^[A-Za-z0-9._:/@%+-]+$/.test(value);
  return `${field}${op}${isPlain ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`;
}
