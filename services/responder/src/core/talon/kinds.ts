import addresses from 'ipaddr.js';
import type { TalonNode } from './node.ts';

interface KindOf {
  readonly what: string;
  /** Undefined when it is not of that kind. */
  read(node: TalonNode): unknown;
}

const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** What a parameter of Talon may hold, by the name its table gives it. */
export const KINDS = {
  'whole number': {
    what: 'a whole number from 0',
    read: (node) =>
      node.kind === 'scalar' && typeof node.value === 'number' && Number.isSafeInteger(node.value) && node.value >= 0
        ? node.value
        : undefined,
  },
  boolean: {
    what: 'true or false',
    read: (node) => (node.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : undefined),
  },
  replicas: {
    what: 'a number of pods such as "2", or a share such as "33%"',
    read: (node) => (node.kind === 'scalar' && /^(?:\d{1,4}|\d{1,2}%|100%)$/.test(node.text) ? node.text : undefined),
  },
  text: { what: 'a text', read: (node) => textOf(node) || undefined },
  texts: { what: 'a list of texts', read: textsOf },
  networks: {
    what: 'a list of networks such as 10.0.0.0/8',
    read: (node) => {
      const texts = textsOf(node);
      return texts?.every((text) => addresses.isValidCIDR(text)) === true ? texts : undefined;
    },
  },
  labels: {
    what: 'a map of names and values that Kubernetes takes for labels ("" takes one away)',
    read: (node) => namedTexts(node, (text) => LABEL.test(text)),
  },
  annotations: {
    what: 'a map of names that Kubernetes takes and texts ("" takes one away)',
    read: (node) => namedTexts(node, (text) => text.length <= 4_096),
  },
  level: {
    what: 'pod or node',
    read: (node) => (node.kind === 'scalar' && /^(?:pod|node)$/.test(node.text) ? node.text : undefined),
  },
} as const satisfies Readonly<Record<string, KindOf>>;

function namedTexts(node: TalonNode, isValue: (text: string) => boolean): Readonly<Record<string, string>> | undefined {
  if (node.kind !== 'map' || node.entries.length === 0) return undefined;
  const pairs: (readonly [string, string])[] = [];
  for (const { key, value } of node.entries) {
    const text = textOf(value);
    if (text === undefined || !KEY.test(key) || !isValue(text)) return undefined;
    pairs.push([key, text]);
  }
  return Object.fromEntries(pairs);
}

function textOf(node: TalonNode): string | undefined {
  return node.kind === 'scalar' && node.value !== null ? node.text : undefined;
}

function textsOf(node: TalonNode): readonly string[] | undefined {
  if (node.kind !== 'list' || node.items.length === 0) return undefined;
  const texts = node.items.map((item) => textOf(item) ?? '');
  return texts.includes('') ? undefined : texts;
}
