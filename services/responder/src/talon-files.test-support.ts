import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { ImportedRule, TalonImport } from './core/talon/import.ts';
import { importTalonFiles } from './talon-files.ts';

/** Actionners of Talon that become actions of ours, as refusals list them. */
export const OURS =
  'kubernetes:terminate, kubernetes:label, kubernetes:annotation, kubernetes:networkpolicy, kubernetes:cordon, kubernetes:log, kubernetes:exec';
export const ALL = new Set(OURS.replace('annotation', 'annotate').split(', '));

/** A directory of its own for each test. */
export let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'eyrie-talon-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

/** As a shell and Talon write it. */
export const variable = (name: string) => `\${${name}}`;

/** Files `a.yaml`, `b.yaml`, …, in that order. */
export function files(...texts: readonly string[]): string[] {
  return texts.map((text, i) => {
    const file = join(path, `${String.fromCharCode(97 + i)}.yaml`);
    writeFileSync(file, text);
    return file;
  });
}

export function importTexts(...texts: readonly string[]): TalonImport {
  return importTalonFiles(files(...texts), ALL);
}

function shorten(text: string): string {
  return text.replaceAll(`${path}/`, '');
}

/** `file:line key: message` of what was refused. */
export function refusals({ refused }: TalonImport): string[] {
  return refused.flatMap(({ problems }) =>
    problems.map(({ file, line, key, message }) => shorten(`${file}:${line} ${key}: ${message}`)),
  );
}

export function flags({ imported, refused }: TalonImport): string[] {
  expect(refused).toEqual([]);
  return imported.flatMap((rule) =>
    rule.flags
      .filter(({ code }) => code !== 'generated')
      .map(({ code, file, line, key, message }) => shorten(`${code} ${file}:${line} ${key}: ${message}`)),
  );
}

export function only({ imported, refused }: TalonImport): ImportedRule {
  expect(refused).toEqual([]);
  expect(imported).toHaveLength(1);
  return imported[0] as ImportedRule;
}

export const CORDON = 'actions: [{action: Cordon, actionner: kubernetes:cordon}]';
export const withMatch = (match: string) => `- rule: R\n  match:\n    ${match}\n  ${CORDON}\n`;
export const withAction = (action: string) => `- rule: R\n  match: {rules: [X]}\n  actions:\n    - ${action}\n`;
