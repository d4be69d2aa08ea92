import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AppError } from '@eyrie/platform/errors';
import { SCOPES, type Scope } from '@eyrie/schemas';
import { printJson, printLine, printTable } from '../print.ts';
import { refuseUnwritable, writePrivateFile } from '../ready.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

interface CreateOptions extends SpeakingOptions {
  readonly scopes: string;
  readonly cluster: string;
  readonly person?: string;
  readonly tenant?: string;
  readonly expires?: number;
  readonly out?: string;
  readonly certificate?: string;
}

export async function create(name: string, options: CreateOptions): Promise<void> {
  const scopes = options.scopes.split(',').map((scope) => scope.trim());
  const unknown = scopes.filter((scope) => !SCOPES.includes(scope as Scope));
  if (unknown.length > 0) {
    throw new AppError('EYRIE_USAGE', `unknown scope ${unknown.join(', ')}: use ${SCOPES.join(', ')}`);
  }
  if (options.out !== undefined) refuseUnwritable(options.out);
  const made = await openSession(options).createToken({
    name,
    cluster: options.cluster,
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    scopes: scopes as Scope[],
    ...(options.person === undefined ? {} : { person: options.person }),
    ...(options.expires === undefined ? {} : { expires_at: new Date(Date.now() + options.expires).toISOString() }),
    ...(options.certificate === undefined ? {} : { certificate_sha256: fingerprintOf(options.certificate) }),
  });
  if (options.json === true) {
    const { token, ...rest } = made;
    if (token === undefined || options.out === undefined) return printJson(made);
    writePrivateFile(options.out, `${token}\n`);
    return printJson({ ...rest, file: options.out });
  }
  if (made.token === undefined)
    return printLine(`the certificate in ${options.certificate} stands for the token ${name}`);
  tellToken(made.token, options.out ?? (process.stdout.isTTY === true ? undefined : `${name}.token`));
}

/** SHA-256 (hex) of the first certificate of a PEM file. */
function fingerprintOf(file: string): string {
  try {
    return new X509Certificate(readFileSync(file)).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch (cause) {
    throw new AppError('EYRIE_INPUT_UNREADABLE', `${file}: cannot be read as a certificate in PEM`, { cause });
  }
}

/** On a terminal a token is shown once; elsewhere it goes to a private file and only the path is printed. */
function tellToken(token: string, file: string | undefined): void {
  if (file === undefined) {
    printLine(token);
    return;
  }
  writePrivateFile(file, `${token}\n`);
  printLine(`token written to ${file} (mode 0600)`);
}

export async function list(options: SpeakingOptions): Promise<void> {
  const page = await openSession(options).tokens();
  if (options.json === true) return printJson(page);
  printTable(
    ['name', 'cluster', 'scopes', 'expires', 'made by'],
    page.items.map((row) => [row.name, row.cluster, row.scopes.join(','), row.expires_at ?? 'never', row.created_by]),
  );
}

export async function revoke(name: string, options: SpeakingOptions): Promise<void> {
  const gone = await openSession(options).revokeToken(name);
  if (options.json === true) return printJson(gone);
  printLine(`token ${name} is revoked`);
}
