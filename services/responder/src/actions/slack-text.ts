/** Slack reads `&`, `<` and `>`: written like this, event text can neither mention people nor hide a link. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Escaped text of at most `maximum` characters, cut between characters and entities. */
export function fitSlack(text: string, maximum: number): string {
  const whole = escapeSlack(text);
  if (whole.length <= maximum) return whole;
  let fitted = '';
  for (const char of text) {
    const escaped = escapeSlack(char);
    if (fitted.length + escaped.length > maximum - 1) break;
    fitted += escaped;
  }
  return `${fitted}…`;
}
