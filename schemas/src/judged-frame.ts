import { isEvent } from './event-shape.ts';
import { FrameError, FrameReader } from './frame.ts';
import type { Judged } from './judged.ts';
import { isJudgement } from './judgement-shape.ts';

/**
 * Visits the entries of a judged frame with their raw lines (views of the frame). `made`: the entries as their writer
 * held them, where they are at hand; the lines are not parsed then.
 * @throws FrameError, SyntaxError
 */
export function visitJudged(
  { value, made }: { readonly value: Buffer; readonly made?: unknown },
  visit: (entry: Judged, raw: Buffer) => void,
): void {
  const entries = made as readonly Judged[] | undefined;
  const frame = new FrameReader(value, 'judged');
  for (let index = 0; index < frame.entries; index += 1) {
    let entry = entries?.[index];
    if (entry !== undefined) frame.skip(2);
    else {
      const judgement: unknown = JSON.parse(frame.nextText());
      const event: unknown = JSON.parse(frame.nextText());
      if (!isJudgement(judgement) || !isEvent(event)) throw new FrameError('unreadable', 'an entry of no judge');
      entry = { judgement, event };
    }
    visit(entry, frame.next());
  }
}
