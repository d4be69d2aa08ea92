import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { maskField, maskSecrets } from './mask.ts';
import { secretShapes } from './testing/secret-shapes.ts';

const DATA = process.env['EYRIE_TEST_DATA'] ?? '../shared/data';

describe('masking of secrets', () => {
  it('leaves none of 500 generated secrets in the text', () => {
    const leaks = secretShapes(500, 1).filter(({ text, secret }) => maskSecrets(text).includes(secret));
    expect(leaks.map(({ text }) => `${text} → ${maskSecrets(text)}`)).toEqual([]);
  });

  it('leaves none when JSON or a list of arguments surrounds them', () => {
    const leaks = secretShapes(500, 2).filter(({ text, secret }) =>
      maskSecrets(JSON.stringify({ cmd: text })).includes(secret),
    );
    expect(leaks.map(({ text }) => text)).toEqual([]);
  });

  it('finds the secret in the text it did not mask (negative control)', () => {
    for (const { text, secret } of secretShapes(500, 1)) expect(text).toContain(secret);
  });

  it.each([
    'cat /etc/passwd',
    '/usr/bin/passwd root',
    'grep -r password /etc',
    'ssh -i /root/.ssh/id_rsa host',
    'kubectl get secret -n prod',
    'https://example.com/path?x=1#frag',
    'tokenizer.json',
    'user=root user_uid=0 process=cat parent=sudo terminal=34820',
    'sshd: root@pts/0',
    'mysqld --port 3306',
    'git@github.com:org/repo.git',
    'evt_type=openat key=value',
    'curl -u',
    'sha256:0f343b0931126a20f133d67c2b018a3b5b8d7e3f2b1f4a4b2f1b2c3d4e5f6a7b',
  ])('leaves %s as it is', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  it('keeps what helps: user, host, the name of the option', () => {
    expect(maskSecrets('psql postgres://app:hunter22@db:5432/x')).toBe('psql postgres://app:[masked]@db:5432/x');
    expect(maskSecrets('mysql -u root --password=hunter22 db')).toBe('mysql -u root --password=[masked] db');
    expect(maskField('evt.arg.password', 'hunter22')).toBe('[masked]');
    expect(maskField('proc.name', 'bash')).toBe('bash');
  });

  it('is linear: twice the text takes no more than about twice the time', () => {
    const worst = [
      'password=',
      '://a:',
      'Authorization: ',
      'eyJ',
      '-----BEGIN PRIVATE KEY-----',
      '--token ',
      '"',
      'mysql ',
      'a-',
      'x-a',
      'key: "\\',
    ];
    for (const piece of worst) {
      const time = (length: number) => {
        const text = piece.repeat(Math.ceil(length / piece.length));
        let best = Number.POSITIVE_INFINITY;
        for (let i = 0; i < 3; i += 1) {
          const start = process.cpuUsage().user;
          maskSecrets(text);
          best = Math.min(best, (process.cpuUsage().user - start) / 1_000);
        }
        return best;
      };
      time(1_000);
      const small = time(20_000);
      // 16 times the length: quadratic would be 256 times the time.
      expect(time(320_000), piece).toBeLessThan(Math.max(60, small * 70));
    }
  });

  const lines = realLines();
  it.runIf(lines.length > 0)('masks at most 1 % of real lines', () => {
    const changed = lines.filter((line) => maskSecrets(line) !== line);
    expect(changed.length / lines.length).toBeLessThanOrEqual(0.01);
  });
});

function realLines(): string[] {
  try {
    return readdirSync(join(DATA, 'falco')).flatMap((file) =>
      readFileSync(join(DATA, 'falco', file), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    );
  } catch {
    return [];
  }
}
