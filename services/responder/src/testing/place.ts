import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Rules, scripts and connections in a directory of their own, for tests. */
export interface TestPlace {
  readonly path: string;
  readonly rulesDir: string;
  readonly scriptsDir: string;
  readonly connectionsFile: string;
  rule(file: string, yaml: string): void;
  script(name: string, text: string, sidecar?: string): void;
  connections(yaml: string, secrets?: Readonly<Record<string, string>>): void;
  remove(): void;
}

export function testPlace(): TestPlace {
  const path = mkdtempSync(join(tmpdir(), 'eyrie-responder-'));
  const rulesDir = join(path, 'rules');
  const scriptsDir = join(path, 'scripts');
  mkdirSync(rulesDir);
  mkdirSync(scriptsDir);
  return {
    path,
    rulesDir,
    scriptsDir,
    connectionsFile: join(path, 'connections.yaml'),
    rule: (file, yaml) => writeFileSync(join(rulesDir, file), yaml),
    script: (name, text, sidecar = 'class: 1') => {
      const file = join(scriptsDir, name);
      writeFileSync(file, text);
      chmodSync(file, 0o555);
      const sha256 = createHash('sha256').update(text).digest('hex');
      writeFileSync(`${file}.yaml`, `version: 1\n${sidecar}\nsha256: ${sha256}\n`);
    },
    connections: (yaml, secrets = {}) => {
      writeFileSync(join(path, 'connections.yaml'), `version: 1\n${yaml}`);
      for (const [name, text] of Object.entries(secrets)) writeFileSync(join(path, name), text, { mode: 0o600 });
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
