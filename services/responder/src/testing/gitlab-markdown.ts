import { marked, type Token } from 'marked';

/** Everything a reader of GitLab's Markdown would act on, by a parser that is not ours. */
export function acted(markdown: string): string[] {
  const found: string[] = [];
  const code: string[] = [];
  const visit = (token: Token): void => {
    if (['link', 'image', 'html', 'code', 'blockquote', 'table', 'def', 'hr'].includes(token.type))
      found.push(token.type);
    if (token.type === 'heading') found.push('heading');
    if (token.type === 'codespan') code.push(token.raw);
    for (const child of 'tokens' in token ? (token.tokens ?? []) : []) visit(child);
    if (token.type === 'list') for (const item of token.items) for (const child of item.tokens) visit(child);
  };
  for (const token of marked.lexer(markdown, { gfm: true })) visit(token);
  // What stands outside code: mentions and references would be made there.
  const outside = code.reduce((text, span) => text.replace(span, ''), markdown);
  if (/[@#!~&%][\w"]/.test(outside)) found.push('reference');
  if (markdown.split(/[\r\n\u2028\u2029\u0085]/).some((line) => /^\s*\//.test(line))) found.push('quick action');
  return found;
}

/** Texts that would do something in GitLab, each in its own way. */
export const EVIL = [
  '/close',
  'x\n/close',
  'x\r/assign @root',
  'x\u2028/confidential',
  'x\u0085/label ~evil',
  '`/close`\n/close',
  '``` \n/close\n```',
  '<!-- \n/close\n-->',
  '@all #1 !2 ~bug &3 %4 $5',
  '![x](http://evil/a.png)',
  '[click](http://evil)',
  '<http://evil> http://evil www.evil.example',
  '<img src=x onerror=alert(1)><script>1</script>',
  '` http://evil `` @root ``` ![](x)',
  '`'.repeat(50),
  '\\` @root',
  '| a | b |\n| - | - |\n| 1 | 2 |',
  'a\n===\nb\n---\n# c',
  '- [ ] task\n1. one',
  '[x]: http://evil',
  '> quote\n>>> all\n/close\n>>>',
  '$$\n/close\n$$',
  '[[_TOC_]] {{x}} <%= 7*7 %>',
  ' /close ',
  '\u202e/esolc',
];
