import { RE2JS } from 're2js';

/** `*` any text, `?` one character; the whole text has to match. In time that grows with the text alone. */
export function globTest(glob: string): (text: string) => boolean {
  const body = glob.replace(/[^*?]+|\*|\?/g, (part) => (part === '*' ? '.*' : part === '?' ? '.' : RE2JS.quote(part)));
  const compiled = RE2JS.compile(`(?s)\\A${body}\\z`);
  return (text) => compiled.matcher(text).find();
}
