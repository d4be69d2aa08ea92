import { env } from 'node:process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutBody } from './lines.ts';

const runs = 300 * Number(env['EYRIE_TEST_RUNS'] ?? 1);

function cut(text: string | Buffer, form: 'json' | 'lines' = 'json', maxLines = 1000) {
  const body = Buffer.concat([Buffer.from(text), Buffer.from('\n')]);
  const result = cutBody(body, form, maxLines);
  if (!result.ok) return result.message;
  const { starts, ends } = result.lines;
  for (const end of ends) expect(body[end]).toBe(10);
  return starts.map((start, i) => body.toString('utf8', start, ends[i]));
}

/** Any JSON value printed in any of the ways JSON allows. */
const printed = fc
  .tuple(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t', ' \n ', '\r\n'))
  .map(([value, indent]) => ({ value, text: JSON.stringify(value, null, indent) }));
const blanks = fc.array(fc.constantFrom(' ', '\n', '\t', '\r'), { maxLength: 4 }).map((parts) => parts.join(''));

describe('an array', () => {
  it('is cut into what JSON.parse finds in it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(blanks, printed, blanks)), blanks, blanks, (items, before, after) => {
        const text = `${before}[${items.map(([b, { text: t }, a]) => b + t + a).join(',')}]${after}`;
        const lines = cut(text);
        expect(Array.isArray(lines) && lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(text));
      }),
      { numRuns: runs },
    );
  });

  it('keeps elements byte for byte where no newline stands between tokens', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), (values) => {
        const texts = values.map((value) => JSON.stringify(value));
        expect(cut(`[${texts.join(', ')}]`)).toEqual(texts);
      }),
      { numRuns: runs },
    );
  });

  it('never makes an event of what was none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('[', '{', '{"a":"', ''), (bytes, start) => {
        const text = Buffer.concat([Buffer.from(start), Buffer.from(bytes)]).toString('latin1');
        const lines = cut(Buffer.from(text, 'latin1'));
        if (!Array.isArray(lines) || lines.length !== 1 || text.trim().startsWith('[')) return;
        if (isJson(lines[0] ?? '')) expect(isJson(Buffer.from(text, 'latin1').toString('utf8'))).toBe(true);
      }),
      { numRuns: runs * 3 },
    );
    expect(cut('{"a":"x\ny"}')).toEqual(['{"a":"x\ry"}']);
    expect(isJson('{"a":"x\ry"}')).toBe(false);
  });

  it.each([
    ['', 'the body is empty'],
    [' \r\n\t', 'the body is empty'],
    ['[', 'the array does not end'],
    ['[{"a":1}', 'the array does not end'],
    ['[{"a":"]"}', 'the array does not end'],
    ['["\\"]', 'the array does not end'],
    ['[1,]', 'element 1 of the array is empty'],
    ['[,1]', 'element 0 of the array is empty'],
    ['[1] 2', 'text follows the array'],
    ['[1}', 'the array is closed by a brace'],
    [`[${'1,'.repeat(1000)}1]`, 'too many events in one body'],
  ])('%j is not decodable: %s', (text, message) => {
    expect(cut(text)).toBe(message);
  });

  it('nested without end costs no stack', () => {
    expect(cut('['.repeat(1_000_000))).toBe('the array does not end');
    expect(cut(`[${'['.repeat(100_000)}${']'.repeat(100_000)}]`)).toHaveLength(1);
  });
});

describe('an object', () => {
  it.each([
    ['{"a":1}', ['{"a":1}']],
    ['\uFEFF{"a":1}', ['{"a":1}']],
    ['{"a":1}\n\n', ['{"a":1}']],
    ['{\n "a": [\n1]\n}\n', ['{  "a": [ 1] }']],
    ['{"a":1}\n{"b":2}', ['{"a":1}', '{"b":2}']],
    ['{"a":1}\r\n\r\n{"b":2}\r\n', ['{"a":1}\r', '\r', '{"b":2}\r', '']],
    ['{"a":1} {"b":2}', ['{"a":1} {"b":2}']],
    ['{"a":\n1', ['{"a": 1']],
    ['text\nmore', ['text more']],
    ['"\n"', ['"\r"']],
  ])('%j becomes %j', (text, lines) => {
    expect(cut(text)).toEqual(lines);
  });
});

describe('lines', () => {
  it('are cut at newlines only, byte for byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const text = Buffer.from(bytes);
        if (text[0] === 0xef) return;
        expect(cut(text, 'lines')).toEqual(text.toString('utf8').split('\n'));
      }),
      { numRuns: runs },
    );
  });

  it('are bounded in number', () => {
    expect(cut('\n'.repeat(999), 'lines')).toHaveLength(1000);
    expect(cut('\n'.repeat(1000), 'lines')).toBe('too many events in one body');
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
