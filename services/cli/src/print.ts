/** Results go to stdout; everything else to stderr. */
export function printJson(value: unknown): void {
  process.stdout.write(`${jsonLine(value)}\n`);
}

/** JSON on one line. What JSON leaves as it is and a terminal may act on (C1 controls, direction marks) is written as \\u. */
export function jsonLine(value: unknown): string {
  return escaped(JSON.stringify(value));
}

/** What a terminal may act on, written as \\u: for text in double quotes of JSON or YAML. */
export function escaped(text: string): string {
  return text.replace(CONTROL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Whether a terminal may act on it, or it is more than one line. */
export function hasControl(text: string): boolean {
  return escaped(text) !== text;
}

export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

// Event text is written by attackers: control characters could rewrite the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is replaced
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g;

/** Text of events, safe for a terminal, cut to `width`. */
export function plain(value: unknown, width = 400): string {
  const text = String(value ?? '').replace(CONTROL, '\ufffd');
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/** Columns aligned by their widest cell. */
export function printTable(head: readonly string[], rows: readonly (readonly unknown[])[]): void {
  const cells = [head, ...rows].map((row) => row.map((value) => plain(value, 60)));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  for (const row of cells) {
    printLine(
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

/** One line that is rewritten in place on a terminal, and nothing elsewhere. */
export function progressLine(): { show(text: string): void; end(): void } {
  const isTerminal = process.stderr.isTTY === true;
  return {
    show: (text) => {
      if (isTerminal) process.stderr.write(`\r\u001b[2K${text}`);
    },
    end: () => {
      if (isTerminal) process.stderr.write('\r\u001b[2K');
    },
  };
}
