import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dockerfileProblems } from './dockerfile.ts';

const context = new URL('../../', import.meta.url).pathname;
const text = readFileSync(`${context}infra/docker/Dockerfile`, 'utf8');
const { devDependencies } = JSON.parse(readFileSync(`${context}package.json`, 'utf8'));
const manifests = ['package.json', 'schemas/package.json', ...globSync('services/*/package.json', { cwd: context })];
const problems = (changed: string) => dockerfileProblems(changed, { context, node: devDependencies.node, manifests });

test('the images hold what they promise', () => {
  expect(manifests.length).toBeGreaterThan(5);
  expect(problems(text)).toEqual([]);
});

test.each([
  ['a root user', /USER 1000:1000/, 'USER root', 'roles: runs as root, not as a numbered user that is not root'],
  ['no user', /USER 1000:1000\n/, '', 'all-in-one: runs as 0, not as a numbered user that is not root'],
  ['another Node', /NODE_VERSION=[\d.]+/, 'NODE_VERSION=23.0.0', 'NODE_VERSION is 23.0.0'],
  ['a floating base', /FROM node:\S+ AS trimmed/, 'FROM node:latest AS trimmed', 'base node:latest is not pinned'],
  ['a secret', /ENV PATH/, 'ENV API_TOKEN=x PATH', 'API_TOKEN would stay in the image'],
  ['development dependencies', / --omit=dev/, '', 'dependencies are not installed by `npm ci --omit=dev`'],
  [
    'a forgotten workspace',
    /COPY services\/gateway\/package.json .*\n/,
    '',
    'services/gateway/package.json is not there',
  ],
  ['a missing source', /COPY schemas schemas/, 'COPY schema schemas', 'COPY of what does not exist: schema'],
  ['no health check', /HEALTHCHECK [^\n]*\\\n[^\n]*\n/, '', 'roles: no health check'],
  ['a shell around the program', /CMD \["up".*/, 'CMD up', 'CMD goes through a shell'],
  ['a missing label', /org.opencontainers.image.revision=/, 'revision=', 'roles: no label revision'],
])('%s is found', (_, what, instead, problem) => {
  const changed = text.replace(what, instead);
  expect(changed).not.toBe(text);
  expect(problems(changed).join('\n')).toContain(problem);
});

test('nothing in the image imports what is left out of it', () => {
  const leftOut = /(^|\/)(testing|test-support)(\/|$)|\.test(-support)?\.ts$/;
  const files = globSync(['schemas/**/*.ts', 'services/*/src/**/*.ts'], {
    cwd: context,
    exclude: ['**/node_modules/**'],
  }).filter((file) => !leftOut.test(file));
  const imports = files.flatMap((file) =>
    [...readFileSync(`${context}${file}`, 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)].map(
      ([, name = '']) => `${file} ${name}`,
    ),
  );
  expect(imports.length).toBeGreaterThan(500);
  expect(imports.filter((line) => leftOut.test(line.split(' ')[1] ?? ''))).toEqual([]);
  expect(readFileSync(`${context}.dockerignore`, 'utf8').split('\n')).toEqual(
    expect.arrayContaining(['**/testing', '**/test-support', '**/*.test.ts', '**/*.test-support.ts']),
  );
});
