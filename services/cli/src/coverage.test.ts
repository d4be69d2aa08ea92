import { expect, it } from 'vitest';
import { coverageText } from './coverage.ts';

it('tells refusals and losses beside the share, where there were any', () => {
  const whole = { share: 0.995, refused_requests: 0, lost_records: 0 };
  expect(coverageText(whole, 'none')).toBe('99.5 % of node-minutes watched');
  expect(coverageText({ ...whole, refused_requests: 3, lost_records: 7 }, 'none')).toBe(
    '99.5 % of node-minutes watched, 3 requests refused, 7 records lost',
  );
  expect(coverageText({ ...whole, share: null, refused_requests: 3 }, 'none')).toBe('none, 3 requests refused');
});
