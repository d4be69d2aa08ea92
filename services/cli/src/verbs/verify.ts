import { printJson, printLine } from '../print.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

const WORDS = {
  missing: 'is missing',
  changed: 'is not what was written',
  twice: 'stands twice, or out of its place',
  cut_off: 'and what follows is missing: the end was cut off, or the archiver is behind',
  unsigned: 'was not written by Eyrie',
} as const;

/** Exit code 1 where a line is not as it was written. */
export async function verify(options: SpeakingOptions): Promise<void> {
  const { sound, partitions } = await openSession(options).verifyLedger();
  if (!sound) process.exitCode = 1;
  if (options.json === true) return printJson({ sound, partitions });
  for (const { partition, head, lines, rows, breaks } of partitions) {
    printLine(`partition ${partition}: ${head} lines; looked at ${lines} of the topic, ${rows} rows`);
    for (const { where, seq, problem, intent_key: intent, version } of breaks) {
      const of = intent === undefined ? '' : ` (intent ${intent}, version ${version})`;
      printLine(`  BROKEN in ${where === 'topic' ? 'the topic' : 'ClickHouse'}: line ${seq} ${WORDS[problem]}${of}`);
    }
  }
  printLine(sound ? 'The ledger is as it was written.' : 'The ledger is not as it was written.');
}
