import { createHash } from 'node:crypto';
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import type { ActionClass } from '@eyrie/schemas';
import { parse } from 'yaml';
import { z } from 'zod';

const argument = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be lower case letters, digits and -'),
  required: z.boolean().default(false),
  values: z.array(z.string().max(256)).min(1).max(100).exactOptional(),
  description: z.string().max(500).exactOptional(),
});

/** `NAME.yaml` beside the executable `NAME`: what it is, what it takes, which bytes it has. */
const Sidecar = z.strictObject({
  version: z.literal(1, 'must be 1'),
  description: z.string().max(500).exactOptional(),
  class: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
  arguments: z.array(argument).max(32).default([]),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the executable, 64 hex digits'),
});

export interface Script {
  readonly name: string;
  readonly path: string;
  readonly class: ActionClass;
  readonly arguments: readonly z.output<typeof argument>[];
  readonly sha256: string;
}

export type Scripts = ReadonlyMap<string, Script>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Reads `EYRIE_SCRIPTS_DIR`. @throws AppError EYRIE_RULE_INVALID naming every bad script */
export function readScripts(directory: string): Scripts {
  const scripts = new Map<string, Script>();
  const problems: string[] = [];
  let files: string[];
  try {
    files = readdirSync(directory);
  } catch {
    throw new AppError('EYRIE_RULE_INVALID', `${directory}: the directory of scripts cannot be read`);
  }
  for (const file of files.filter((name) => name.endsWith('.yaml')).sort()) {
    const name = file.slice(0, -'.yaml'.length);
    const path = join(directory, name);
    if (!NAME.test(name))
      problems.push(`${join(directory, file)}: a script is named with letters, digits, ".", "_", "-"`);
    const sidecar = readSidecar(join(directory, file));
    if (typeof sidecar === 'string') problems.push(`${join(directory, file)}: ${sidecar}`);
    else {
      const script = { name, path, class: sidecar.class, arguments: sidecar.arguments, sha256: sidecar.sha256 };
      const refused = refuseScript(script);
      if (refused !== undefined) problems.push(`${path}: ${refused}`);
      else scripts.set(name, script);
    }
  }
  if (problems.length > 0) throw new AppError('EYRIE_RULE_INVALID', problems.join('; '));
  return scripts;
}

/** Why the executable must not run now; checked when it is read and again right before each call. */
export function refuseScript({ path, sha256 }: Pick<Script, 'path' | 'sha256'>): string | undefined {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return 'is no file';
    if ((stat.mode & 0o111) === 0) return 'is not executable';
    if (isWritable(path)) return 'is writable for this service or others: chmod 0555';
    const found = createHash('sha256').update(readFileSync(path)).digest('hex');
    return found === sha256 ? undefined : `has SHA-256 ${found}, declared is ${sha256}`;
  } catch {
    return 'cannot be read';
  }
}

/** Root may write everything: there the mode decides. */
function isWritable(path: string): boolean {
  const { mode, uid } = statSync(path);
  if ((mode & 0o022) !== 0) return true;
  const me = process.geteuid?.() ?? -1;
  if (me === 0) return uid !== 0;
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readSidecar(file: string): z.output<typeof Sidecar> | string {
  let written: unknown;
  try {
    written = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 });
  } catch (error) {
    return `is no YAML: ${error instanceof Error ? error.message.split('\n')[0] : ''}`;
  }
  const parsed = Sidecar.safeParse(written);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(file)'}: ${message}`).join(', ');
}
