import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { AppError } from './errors.ts';

/** The content of a YAML file, without aliases: a few lines of them would fill the memory. @throws what `invalid` makes */
export function readYamlFile(file: string, invalid: (problem: string) => AppError): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw invalid('cannot be read');
  }
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw invalid(`is no YAML: ${error instanceof Error ? error.message.split('\n')[0] : ''}`);
  }
}
