import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ask, type Verdict } from './judge.ts';
import { writeSchemas } from './kubernetes-schemas.ts';
import { findKubernetesApi } from './tools.ts';

export const CHART = new URL('../../infra/helm/eyrie/', import.meta.url).pathname;
/** Values files that between them reach every branch of the templates. */
export const VALUES = readdirSync(join(CHART, 'ci')).map((file) => join(CHART, 'ci', file));

/** An object as a template made it; its shape is kubeconform's business. */
// biome-ignore lint/suspicious/noExplicitAny: Kubernetes' types are large, and tests pick a few fields of them.
export type Rendered = any;

export function renderText(chart: string, ...args: readonly string[]): Verdict {
  const verdict = ask('helm', ['template', 'eyrie', chart, '--namespace', 'security', ...args]);
  return verdict.code === 0 ? { ...verdict, output: verdict.output.replace(/^level=INFO.*\n/gm, '') } : verdict;
}

/** @throws with what helm said */
export function render(...args: readonly string[]): Rendered[] {
  const { code, output } = renderText(CHART, ...args);
  if (code !== 0) throw new Error(output);
  return objectsOf(output);
}

export function objectsOf(yaml: string): Rendered[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJS())
    .filter((object) => object !== null);
}

/** Every object held strictly against Kubernetes' own description of its API. */
export function validate(yaml: string): Verdict {
  const api = findKubernetesApi();
  if (api === undefined) throw new Error('the Kubernetes API is not described here: make infra fetches it');
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-schemas-'));
  try {
    const location = writeSchemas(directory, api, objectsOf(yaml));
    return ask('kubeconform', ['-strict', '-summary', '-schema-location', location], { input: yaml });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
