import { systemClock } from '@eyrie/platform/clock';
import { createHttpClient } from '@eyrie/platform/http-client';
import type { ImportedRule, TalonImport } from './core/talon/import.ts';
import { readSetup } from './setup.ts';
import { importTalonFiles, writeRuleFile } from './talon-files.ts';

export interface TalonReport extends Pick<TalonImport, 'refused' | 'unused'> {
  readonly imported: readonly Omit<ImportedRule, 'written'>[];
  /** A rule file with what was imported. */
  readonly yaml: string;
}

/**
 * Translates rule files of Falco Talon, in the order Talon is given them, into one rule file of ours.
 * @throws AppError EYRIE_INPUT_UNREADABLE
 */
export async function importTalonRules(files: readonly string[]): Promise<TalonReport> {
  const http = createHttpClient();
  try {
    const { actions } = readSetup({ scriptsMax: 1 }, { http, clock: systemClock });
    const result = importTalonFiles(files, new Set(Object.keys(actions)));
    return {
      imported: result.imported.map(({ written: _, ...rule }) => rule),
      refused: result.refused,
      unused: result.unused,
      yaml: writeRuleFile(result, files),
    };
  } finally {
    await http.close();
  }
}
