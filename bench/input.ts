import { SHAPES, type Shape } from './shapes.ts';

/**
 * Falco lines and the workloads behind them, the same for the same seed: 1,000 workloads of 3 pods on 50 nodes, 12 kinds
 * of events, so 12,000 fingerprints; every line is another observation. What varies from run to run in real events
 * (pids, ports, temporary names) varies here.
 */
export interface InputOptions {
  readonly seed: number;
  readonly workloads?: number;
  /** Event time of the first line, milliseconds. Default 5 January 2026. */
  readonly start?: number;
  /** Mean time between two events, nanoseconds. Default 2 ms. */
  readonly spacing?: number;
  /** How often each fingerprint comes. Default `even`. */
  readonly mix?: Mix;
}

/**
 * `even`: each fingerprint as often as any other, which no real stream does. `skewed`: after Zipf's law (the n-th most
 * frequent one 1/n as often as the first), so that few make most of the noise and most are seen once or twice.
 */
export type Mix = 'even' | 'skewed';

/** As `POST /v1/workloads` takes it: without tenant; the cluster is the token's. */
export interface InputWorkload {
  readonly v: 1;
  readonly cluster: string;
  readonly uid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly node: string;
  readonly owner: { readonly kind: string; readonly name: string };
  readonly containers: readonly {
    readonly name: string;
    readonly id: string;
    readonly image: string;
    readonly tag: string;
  }[];
  readonly started_at: number;
  readonly observed_at: number;
}

export interface Input {
  workloads(cluster?: string): InputWorkload[];
  /** The next `count` lines. */
  lines(count: number): string[];
}

const PODS = 3;
const NODES = 50;

export function createInput({
  seed,
  workloads = 1_000,
  start = Date.UTC(2026, 0, 5),
  spacing = 2_000_000,
  mix = 'even',
}: InputOptions): Input {
  const random = xorshift(seed);
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  const pods = Array.from({ length: workloads * PODS }, (_, i) => {
    const name = `svc-${letters(Math.floor(i / PODS))}`;
    return {
      name,
      pod: `${name}-${hex(9)}-x${i % PODS}k2z`,
      namespace: `team-${letters(Math.floor(i / PODS) % 40)}`,
      node: `node-${i % NODES}`,
      id: hex(64),
      uid: uuid(hex(32)),
    };
  });
  const drawPrint = mix === 'skewed' ? zipf(workloads * SHAPES.length, random) : undefined;
  // Nanoseconds exceed a double: whole milliseconds and the rest apart.
  let ms = start;
  let rest = 0;

  function next(): string {
    rest += Math.floor(random() * 2 * spacing);
    ms += Math.floor(rest / 1e6);
    rest %= 1e6;
    const [pod, shape] = drawPrint === undefined ? evenly() : split(drawPrint());
    const nanos = `${ms}${String(rest).padStart(6, '0')}`;
    const words: Readonly<Record<string, string>> = {
      pid: String(Math.floor(random() * 60_000) + 1_000),
      port: String(Math.floor(random() * 28_000) + 32_768),
      octet: String(Math.floor(random() * 250) + 1),
      hex: hex(10),
      uuid: uuid(hex(32)),
      workload: pod.name,
      nanos,
      start: `${start - 3_600_000}000000`,
    };
    return render(shape, pod, `${new Date(ms).toISOString().slice(0, 20)}${nanos.slice(10)}Z`, nanos, (text) =>
      text.replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? raise()),
    );
  }

  function evenly(): readonly [Pod, Shape] {
    return [
      pods[Math.floor(random() * pods.length)] ?? raise(),
      SHAPES[Math.floor(random() * SHAPES.length)] ?? raise(),
    ];
  }

  /** Any pod of the workload the fingerprint belongs to. */
  function split(print: number): readonly [Pod, Shape] {
    const workload = Math.floor(print / SHAPES.length);
    return [pods[workload * PODS + Math.floor(random() * PODS)] ?? raise(), SHAPES[print % SHAPES.length] ?? raise()];
  }

  return {
    workloads: (cluster = 'default') =>
      pods.map(({ name, pod, namespace, node, id, uid }) => ({
        v: 1,
        cluster,
        uid,
        namespace,
        pod,
        node,
        owner: { kind: 'Deployment', name },
        containers: [{ name, id, image: `registry.example/shop/${name}`, tag: '2.4.1' }],
        started_at: start - 3_600_000,
        observed_at: start - 3_500_000,
      })),
    lines: (count) => Array.from({ length: count }, next),
  };
}

interface Pod {
  readonly name: string;
  readonly pod: string;
  readonly namespace: string;
  readonly node: string;
  readonly id: string;
}

function render(shape: Shape, pod: Pod, time: string, nanos: string, fill: (text: string) => string): string {
  const image = `registry.example/shop/${pod.name}`;
  const fields: Record<string, unknown> = {
    'container.id': pod.id.slice(0, 12),
    'container.image.repository': image,
    'container.image.tag': '2.4.1',
    'container.name': pod.name,
    'evt.time.iso8601': '@nanos',
    'evt.type': shape.type,
    'k8s.ns.name': pod.namespace,
    'k8s.pod.name': pod.pod,
    'proc.cmdline': fill(shape.command),
    'proc.exepath': fill(shape.executable),
    'proc.name': fill(shape.process),
    'proc.pname': fill(shape.parent),
    'proc.tty': shape.tty,
    'user.loginuid': -1,
    'user.name': shape.user,
    'user.uid': shape.uid,
  };
  for (const [key, value] of Object.entries(shape.extra))
    fields[key] = typeof value === 'string' ? number(fill(value)) : value;
  const sorted = Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = Object.entries(sorted)
    .filter(([key]) => key !== 'evt.time.iso8601')
    .map(([key, value]) => `${key.replaceAll('.', '_')}=${value ?? '<NA>'}`)
    .join(' ');
  return JSON.stringify({
    hostname: pod.node,
    output: `${time.replace('Z', '+0000')}: ${shape.priority} ${shape.text} | ${text}`,
    output_fields: sorted,
    priority: shape.priority,
    rule: shape.rule,
    source: 'syscall',
    tags: shape.tags,
    time,
  })
    .replace('"@nanos"', nanos)
    .replace(/"@(\d+)"/g, '$1');
}

/** Draws one of `count` numbers by Zipf's law; which of them is frequent is up to chance. */
function zipf(count: number, random: () => number): () => number {
  const numbers = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i -= 1) {
    const other = Math.floor(random() * (i + 1));
    [numbers[i], numbers[other]] = [numbers[other] ?? 0, numbers[i] ?? 0];
  }
  const ends = new Float64Array(count);
  for (let i = 0; i < count; i += 1) ends[i] = (ends[i - 1] ?? 0) + 1 / (i + 1);
  return () => {
    const at = random() * (ends[count - 1] ?? 0);
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return numbers[low] ?? 0;
  };
}

/** Ports and times are numbers in JSON, the latter beyond a double. */
function number(text: string): string | number {
  if (/^\d{16,}$/.test(text)) return `@${text}`;
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** Names without digits: masking must not make two workloads one. */
function letters(number: number): string {
  return [...String(number).padStart(4, '0')].map((digit) => 'bcdfghjklm'.charAt(Number(digit))).join('');
}

function uuid(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function xorshift(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function raise(): never {
  throw new RangeError('a shape asks for a word nobody gives');
}
