import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataDirectory } from './data-directory.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'eyrie-dir-')), 'data');
});
afterEach(() => rmSync(join(path, '..'), { recursive: true, force: true }));

test('a new directory is private and keeps its identity and key', () => {
  const first = openDataDirectory(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(path, 'key')).mode & 0o777).toBe(0o600);
  expect(first.signingKey).toHaveLength(32);
  first.close();
  const second = openDataDirectory(path);
  expect(second.logIdentity).toBe(first.logIdentity);
  expect(second.signingKey.equals(first.signingKey)).toBe(true);
  second.close();
  expect(existsSync(join(path, 'lock'))).toBe(false);
});

test('a directory in use is refused, naming its owner', () => {
  const first = openDataDirectory(path);
  expect(() => openDataDirectory(path)).toThrow(
    expect.objectContaining({
      code: 'EYRIE_DATA_DIR_LOCKED',
      message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
    }),
  );
  first.close();
  openDataDirectory(path).close();
});

test('another live process is named, and its lock passes on once it is gone', async () => {
  const module = join(import.meta.dirname, 'data-directory.ts');
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { openDataDirectory } from ${JSON.stringify(module)};
     openDataDirectory(${JSON.stringify(path)}); process.stdout.write('owned'); setInterval(() => {}, 1000);`,
  ]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  expect(() => openDataDirectory(path)).toThrow(new RegExp(`process ${child.pid} `));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  openDataDirectory(path).close();
});

test('the lock of an earlier process with the same pid is taken over', () => {
  openDataDirectory(path).close();
  writeOwner({ started: 'another boot/1' });
  openDataDirectory(path).close();
});

test.each([{ host: 'elsewhere.example' }, { pids: 'pid:[1]' }])(
  'an owner that cannot be asked (%o) counts as alive while it touches its lock',
  (owner) => {
    openDataDirectory(path).close();
    writeOwner(owner);
    expect(() => openDataDirectory(path)).toThrow(expect.objectContaining({ code: 'EYRIE_DATA_DIR_LOCKED' }));
    const before = new Date(Date.now() - 60_000);
    utimesSync(join(path, 'lock'), before, before);
    openDataDirectory(path).close();
  },
);

test('a half-written lock is taken over', () => {
  openDataDirectory(path).close();
  writeFileSync(join(path, 'lock'), '{"pid":');
  openDataDirectory(path).close();
});

test.each([
  ['a newer format', { 'format.json': '{"format":99,"log_identity":"x"}' }, 'EYRIE_DATA_DIR_NEWER'],
  ['a garbage format file', { 'format.json': '\u0000\u0001' }, 'EYRIE_DATA_DIR_DAMAGED'],
  ['a format file without identity', { 'format.json': '{"format":1}' }, 'EYRIE_DATA_DIR_DAMAGED'],
  ['a format of the wrong type', { 'format.json': '{"format":"1","log_identity":"x"}' }, 'EYRIE_DATA_DIR_DAMAGED'],
  ['a garbage key', { key: 'short' }, 'EYRIE_DATA_DIR_DAMAGED'],
])('%s is refused with the way out', (_, files, code) => {
  openDataDirectory(path).close();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  expect(() => openDataDirectory(path)).toThrow(expect.objectContaining({ code }));
  // The refusal gives the lock back.
  expect(existsSync(join(path, 'lock'))).toBe(false);
});

test('a directory of something else is refused and left as it is', () => {
  openDataDirectory(path).close();
  rmSync(join(path, 'format.json'));
  writeFileSync(join(path, 'thesis.txt'), 'mine');
  expect(() => openDataDirectory(path)).toThrow(/thesis\.txt/);
  expect(readFileSync(join(path, 'thesis.txt'), 'utf8')).toBe('mine');
});

function writeOwner(part: Readonly<Record<string, unknown>>): void {
  const owner = { pid: process.pid, host: hostname(), pids: readlinkSync('/proc/self/ns/pid'), since: 'then' };
  writeFileSync(join(path, 'lock'), JSON.stringify({ started: '', ...owner, ...part }));
}

test('a path that is no directory is refused with what to do', () => {
  const file = join(path, '..', 'file');
  writeFileSync(file, '');
  for (const wrong of [file, join(file, 'below')]) {
    expect(() => openDataDirectory(wrong)).toThrow(
      expect.objectContaining({ code: 'EYRIE_CONFIG_INVALID', message: expect.stringContaining(wrong) }),
    );
  }
});

test('a place where nothing can be made is refused at once', () => {
  expect(() => openDataDirectory('/proc/eyrie/data')).toThrow(
    expect.objectContaining({ code: 'EYRIE_CONFIG_INVALID', message: expect.stringContaining('/proc/eyrie') }),
  );
});

test('missing parents are made, as private as the directory', () => {
  const deep = join(path, 'a', 'b');
  openDataDirectory(deep).close();
  expect(statSync(join(path, 'a')).mode & 0o777).toBe(0o700);
  expect(existsSync(join(deep, 'format.json'))).toBe(true);
});
