import { parseNanos } from '@eyrie/schemas';
import type { Answer, Received } from './fakes.ts';

interface Taken {
  readonly priority: string;
  readonly rule: string;
  readonly time: string;
  readonly output: string;
  readonly output_fields: Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
  readonly uuid?: string;
  readonly source?: string;
  readonly hostname?: string;
}

const PRIORITIES = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'informational', 'debug'];

/** Its main handler: what it refuses with 400, and what it breaks on (the connection ends without an answer). */
export function falcosidekickAnswer({ method, path, body }: Received): Answer {
  const refuse: Answer = { status: 400, body: 'Please send a valid request body\n' };
  if (path !== '/') return { status: 404 };
  if (method !== 'POST') return { status: 405, body: 'Please send with post http method\n' };
  let event: Taken;
  try {
    event = JSON.parse(body) as Taken;
  } catch {
    return refuse;
  }
  const { priority, rule, time, output_fields: fields, tags = [] } = event;
  if (typeof priority !== 'string' || !PRIORITIES.includes(priority.toLowerCase())) return refuse;
  if (typeof rule !== 'string' || rule === '' || typeof event.output !== 'string' || event.output === '') return refuse;
  if (parseNanos(time) === undefined || !Array.isArray(tags) || tags.some((tag) => typeof tag !== 'string'))
    return refuse;
  if (fields === null || typeof fields !== 'object' || Object.keys(fields).length === 0) return refuse;
  for (const name of ['k8s.ns.name', 'k8s.pod.name']) {
    if (name in fields && typeof fields[name] !== 'string') return { status: 500, body: 'panic: interface conversion' };
  }
  return { status: 200 };
}
