import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@eyrie/platform/clock';
import { createDocuments } from '@eyrie/platform/documents';
import { createLogger } from '@eyrie/platform/log';
import { createSigner } from '@eyrie/platform/sign';
import { temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { authenticate, hashToken } from '@eyrie/platform/tokens';
import type { TenantId } from '@eyrie/schemas';
import { expect, it } from 'vitest';
import { readConfig } from './config.ts';
import { ensureFirstTokens } from './first-tokens.ts';

it('a given token that was revoked stays so over a start on an empty directory, and another one is taken', async () => {
  const temporary = temporaryLog();
  const log = createLogger({ name: 'test', level: 'silent' });
  const signer = createSigner(Buffer.alloc(32, 1));
  const documents = createDocuments({ bus: temporary.bus, signer, log, clock: systemClock });
  const directories: string[] = [];
  const start = (intake: string) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'eyrie-first-tokens-'));
    directories.push(dataDir);
    return ensureFirstTokens(documents, dataDir, readConfig({ EYRIE_INTAKE_TOKEN: intake }));
  };
  const [old, next] = ['o', 'n'].map((letter) => `eyrie_${letter.repeat(43)}`) as [string, string];
  const isValid = (token: string) => authenticate(documents, token, Date.now()) !== undefined;
  try {
    await start(old);
    await start(old);
    expect(isValid(old)).toBe(true);
    const tenant = 'default' as TenantId;
    // As the console revokes it.
    await documents.put({
      tenant,
      kind: 'token',
      id: 'first-intake',
      body: null,
      author: 'ann',
      revoked_sha256: hashToken(old),
    });
    await expect(start(old)).rejects.toThrow(/EYRIE_INTAKE_TOKEN: this token was revoked/);
    expect(isValid(old)).toBe(false);
    await start(next);
    expect([isValid(old), isValid(next)]).toEqual([false, true]);
  } finally {
    await documents.stop();
    await temporary.remove();
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  }
});
