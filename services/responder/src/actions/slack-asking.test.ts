import { expect, it } from 'vitest';
import { askingBlocks } from './slack-asking.ts';

const PLAN = 'ab'.repeat(16);
const HASH = 'cd'.repeat(16);
const approval = {
  plan: PLAN,
  plan_hash: HASH,
  quorum: 2,
  until: '2026-11-27T10:00:00.000Z',
  actions: ['cut', '<!channel>'],
};
const textOf = (block: object | undefined) => (block as { text: { text: string } } | undefined)?.text.text;

it('says what waits, for how many persons and until when; text of a rule stays text', () => {
  const [asked, ...more] = askingBlocks(approval, false);
  expect(textOf(asked)).toBe(
    '*Waits for approval* by 2 persons until 2026-11-27T10:00:00Z: cut, &lt;!channel&gt;\n' +
      `\`eyrie approvals approve ${PLAN} --hash ${HASH}\``,
  );
  expect(more).toEqual([]);
});

it('has buttons where the app takes them, which carry the plan and what was seen of it', () => {
  const [, buttons] = askingBlocks(approval, true);
  const value = `${PLAN}:${HASH}`;
  expect(buttons).toMatchObject({
    type: 'actions',
    elements: [
      { action_id: 'eyrie-approve', value },
      { action_id: 'eyrie-deny', value },
    ],
  });
});

it('is nothing where nobody is asked', () => {
  expect(askingBlocks(undefined, true)).toEqual([]);
});
