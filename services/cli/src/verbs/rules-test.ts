import { type MadeTest, testFromAlert } from '@eyrie/responder';
import { Document, isScalar, visit } from 'yaml';
import { type HistoryOptions, historySettings, quietConfig, withHistory } from '../history.ts';
import { escaped, hasControl, plain, printJson, printLine } from '../print.ts';

interface TestOptions extends Pick<HistoryOptions, 'dataDir'> {
  readonly fromAlert: string;
  readonly rule: string;
  readonly json?: boolean;
}

/** Prints a test to paste into the file of a rule, made of an alert that really was. */
export async function test(dir: string, { fromAlert, rule, dataDir, json }: TestOptions): Promise<void> {
  const config = quietConfig();
  const { paths } = historySettings({ dataDir, from: 0 }, config);
  const made = await withHistory(dataDir, config, (select) => testFromAlert(dir, rule, fromAlert, select, paths));
  if (json === true) return printJson(made);
  printLine(testYaml(made));
  if (made.differs !== undefined) {
    process.stderr.write(
      `The test decides otherwise than the event itself (${plain(made.differs)}): it cannot hold all of it.\n`,
    );
  }
}

/** An item of `tests`. Text of attackers stands in quotes where a terminal may act on it, and what it may act on is escaped. */
export function testYaml({ test, verdict }: Pick<MadeTest, 'test' | 'verdict'>): string {
  const document = new Document([test]);
  document.commentBefore = ` Judged: ${verdict ?? 'by nobody yet'}. Secrets are masked.`;
  visit(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && typeof node.value === 'string' && hasControl(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document
    .toString({ lineWidth: 0, indentSeq: true })
    .trimEnd()
    .split('\n')
    .map((line) => escaped(line))
    .join('\n');
}
