/**
 * Makes the secrets of the Compose file where they are missing; what exists stays. One directory for each audience, so
 * that a container mounts only its own. Usage: node make-secrets.mjs DIRECTORY
 */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const token = () => `eyrie_${randomBytes(32).toString('base64url')}`;
const password = () => randomBytes(24).toString('base64url');

const SECRETS = [
  { file: 'eyrie/signing-key', make: () => randomBytes(32).toString('hex'), mode: 0o400 },
  { file: 'eyrie/intake-token', make: token, mode: 0o400 },
  { file: 'eyrie/api-token', make: token, mode: 0o400 },
  { file: 'clickhouse/password', make: password, mode: 0o400 },
  // Read by a user of another image; nothing else mounts its directory.
  { file: 'grafana/admin-password', make: password, mode: 0o444 },
];

const [root] = process.argv.slice(2);
if (root === undefined) {
  process.stderr.write('usage: node make-secrets.mjs DIRECTORY\n');
  process.exit(2);
}
for (const { file, make, mode } of SECRETS) {
  const path = join(root, file);
  if (existsSync(path)) continue;
  mkdirSync(dirname(path), { recursive: true });
  // Whole or not at all, and never over one that another start has just made.
  const half = `${path}.${process.pid}`;
  writeFileSync(half, make(), { mode });
  try {
    linkSync(half, path);
    process.stdout.write(`made ${path}\n`);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(half);
  }
}
