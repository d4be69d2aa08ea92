import type { Event, RawMeta } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { createMemos } from '../core/prepare/memo.ts';
import { prepareLine } from '../core/prepare/prepare-line.ts';
import type { Source } from '../core/prepare/source.ts';
import { rewriteAsSidekick } from './sidekick.ts';

export interface SourceContract {
  /** Every source, in the order they are asked. */
  readonly sources: readonly Source[];
  /** Lines of this source by name, and what must be read from each. */
  readonly fixtures: Readonly<Record<string, { readonly line: string; readonly event: Partial<Event> }>>;
  /** A field (JSON text) that is content: another value is another observation. */
  readonly content: { readonly field: string; readonly value: string };
}

const meta = { tenant: 't1', cluster: 'c1', received_at: 1_800_000_000_000, origin: 'http', lines: 1 } as RawMeta;

/** What every source must keep, whatever it reads. A source without it is not admitted. */
export function describeSource(source: Source, { sources, fixtures, content }: SourceContract): void {
  const prepare = (line: string): Event => {
    const position = { log: 'l', partition: 0, offset: 0, index: 0 };
    const placed = { line: Buffer.from(line), meta, index: 0, position };
    const prepared = prepareLine(placed, { sources, memos: createMemos() });
    if (prepared.kind !== 'event') throw new Error(`no event: ${JSON.stringify(prepared.outcome)}`);
    return prepared.event;
  };

  describe(`source ${source.name ?? 'plugin'}`, () => {
    describe.each(Object.entries(fixtures))('%s', (_name, { line, event }) => {
      it('is taken by this source alone', () => {
        const { source: word, output_fields: fields = {} } = JSON.parse(line) as {
          source?: string;
          output_fields?: Record<string, unknown>;
        };
        expect(sources.find((candidate) => candidate.claims(word, fields))).toBe(source);
      });

      it('is read into the words of Event', () => {
        expect(prepare(line)).toMatchObject(event);
      });

      it('keeps its id and routing key over another delivery, another route, and fields a route adds', () => {
        const { event_id, routing_key } = prepare(line);
        expect(prepare(line)).toMatchObject({ event_id, routing_key });
        const rewritten = rewriteAsSidekick(line, {
          uuid: '1',
          bracketReplacer: '_',
          customFields: { environment: 'prod', 'my.label': 'x' },
        });
        if (rewritten !== undefined) expect(prepare(rewritten)).toMatchObject({ event_id, routing_key });
      });

      it('has another id with other content, and the same behaviour at another time the same routing key', () => {
        const base = prepare(line);
        const other = withField(line, content.field, content.value);
        expect(prepare(other).event_id).not.toBe(base.event_id);
        const later = line.replace(/"time":"(\d{4})/, (_, year: string) => `"time":"${Number(year) - 1}`);
        expect(prepare(later).event_id).not.toBe(base.event_id);
        expect(prepare(later).routing_key).toBe(base.routing_key);
      });

      it('never routes by pod, container or what a look-up adds', () => {
        const { event_id, routing_key } = prepare(line);
        let changed = line;
        for (const field of ['k8s.pod.name', 'k8smeta.pod.name', 'container.name', 'container.image.repository']) {
          changed = withField(changed, field, '"late"');
        }
        expect(prepare(changed)).toMatchObject({ event_id, routing_key });
        expect(prepare(withField(line, 'container.id', '"ffffffffffff"')).routing_key).toBe(routing_key);
      });
    });
  });
}

function withField(line: string, field: string, value: string): string {
  const event = JSON.parse(line) as { output_fields?: Record<string, unknown> };
  return JSON.stringify({ ...event, output_fields: { ...event.output_fields, [field]: '@@' } }).replace('"@@"', value);
}
