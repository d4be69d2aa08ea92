import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Authority, createAuthority } from '@eyrie/platform/testing/authority';
import { freePort } from '@eyrie/platform/testing/free-port';
import { settings } from './broker.ts';
import { startJava } from './java.ts';

/** A broker that asks who is there, with an authorizer, and what is needed to speak to it. */
export interface SecuredBroker {
  readonly authority: Authority;
  /** Without TLS; whoever comes here may do everything. */
  readonly open: string;
  /** TLS, and SASL: plain for all `USERS`, scram for `admin`, each with `PASSWORD`. */
  readonly sasl: string;
  /** TLS with client certificates. */
  readonly mutual: string;
  /** TLS with a certificate that has expired. */
  readonly expired: string;
  stop(): Promise<void>;
}

/** Of every user that a test makes. */
export const PASSWORD = 'pass-4711-word';
const USERS = ['gateway', 'processor', 'archiver', 'responder', 'console', 'admin', 'nobody'] as const;

export async function startSecured(): Promise<SecuredBroker> {
  const authority = createAuthority();
  const { path, read } = authority;
  authority.issue('client');
  expire(authority, 'old');
  for (const name of ['server', 'old']) {
    writeFileSync(path(`${name}.store`), `${read(`${name}.key`)}${read(`${name}.pem`)}`);
  }
  const [open, sasl, mutual, expired, controller] = await Promise.all([0, 1, 2, 3, 4].map(() => freePort()));
  const base = settings('127.0.0.1', Number(open), Number(controller));
  const more = { SASL_SSL: sasl, SSL: mutual, EXPIRED: expired };
  const listeners = Object.entries(more).map(([name, port]) => `,${name}://127.0.0.1:${port}`);
  const plain = USERS.map((name) => `user_${name}="${PASSWORD}"`).join(' ');
  const login = (name: string, rest: string) => `org.apache.kafka.common.security.${name}LoginModule required${rest};`;
  const { properties } = base;
  const broker = await startJava({
    port: Number(open),
    properties: {
      ...properties,
      listeners: properties['listeners'] + listeners.join(''),
      'advertised.listeners': properties['advertised.listeners'] + listeners.join(''),
      'listener.security.protocol.map':
        'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,EXPIRED:SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': path('server.store'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': path('ca.pem'),
      'listener.name.ssl.ssl.client.auth': 'required',
      'listener.name.expired.ssl.keystore.location': path('old.store'),
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'listener.name.sasl_ssl.plain.sasl.jaas.config': login('plain.Plain', ` ${plain}`),
      'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': login('scram.Scram', ''),
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': login('scram.Scram', ''),
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:admin',
    },
    users: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => `${mechanism}=[name=admin,password=${PASSWORD}]`),
  });
  const at = (port: number | undefined) => `127.0.0.1:${port}`;
  return {
    authority,
    open: at(open),
    sasl: at(sasl),
    mutual: at(mutual),
    expired: at(expired),
    stop: async () => {
      await broker.stop();
      rmSync(authority.directory, { recursive: true, force: true });
    },
  };
}

/** Makes `<name>.pem` and `<name>.key`, over since yesterday. */
export function expire({ directory }: Pick<Authority, 'directory'>, name: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
  openssl('req', '-new', ...key, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '-1'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.pem`);
}

/** As `install` does when a certificate is renewed. */
export function replace({ path }: Authority, name: string, by: { readonly pem: string; readonly key: string }): void {
  writeFileSync(path(`${name}.pem`), readFileSync(by.pem));
  writeFileSync(path(`${name}.key`), readFileSync(by.key));
}
