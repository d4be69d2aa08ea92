import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
})();

export interface Authority {
  /** Goes with whoever asked for it. */
  readonly directory: string;
  path(name: string): string;
  read(name: string): string;
  /** Makes `<name>.pem` and `<name>.key`. */
  issue(name: string, commonName?: string, options?: readonly string[]): void;
}

/** A certificate authority of its own with a certificate for 127.0.0.1 in `server.pem`, made by openssl. */
export function createAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-tls-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'basicConstraints=critical,CA:FALSE'];
  const request = (name: string, commonName: string, options: readonly string[]) =>
    openssl(
      ...['req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`],
      ...['-subj', `/CN=${commonName}`, ...options],
    );
  const issue = (name: string, commonName = name, options: readonly string[] = []) =>
    void request(name, commonName, [...signed, ...options]);
  request('ca', 'test authority', []);
  issue('server', 'localhost', ['-addext', 'subjectAltName=IP:127.0.0.1']);
  const path = (name: string) => join(directory, name);
  return { directory, path, issue, read: (name) => readFileSync(path(name), 'utf8') };
}
