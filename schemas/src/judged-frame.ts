import { FrameReader } from './frame.ts';
import type { Judged } from './judged.ts';

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
      entry = {
        judgement: JSON.parse(frame.nextText()) as Judged['judgement'],
        event: JSON.parse(frame.nextText()) as Judged['event'],
      };
    }
    visit(entry, frame.next());
  }
}
