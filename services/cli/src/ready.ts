import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@eyrie/platform/errors';

/** Writes a file that only its owner may read, whole or not at all. */
export function writePrivateFile(path: string, text: string): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`;
  writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
}

/** Asked before something is done that will be written there: a token that was made and lost stays valid. @throws AppError EYRIE_USAGE */
export function refuseUnwritable(path: string): void {
  try {
    // The slash refuses a file in place of the directory.
    accessSync(`${dirname(path)}/`, constants.W_OK);
  } catch (cause) {
    throw new AppError('EYRIE_USAGE', `${path} cannot be written: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** What `up` tells other programs: where it listens, and the tokens of the first start. */
export interface ReadyFile {
  readonly gateway: string;
  readonly console: string;
  readonly intake_token: string;
  readonly api_token: string;
}

export function readReadyFile(path: string): ReadyFile | undefined {
  if (!existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, 'utf8')) as ReadyFile;
}
