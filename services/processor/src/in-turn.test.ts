import { expect, it } from 'vitest';
import { InTurn } from './in-turn.ts';

it('one after the other in the order they came, whatever becomes of those before', async () => {
  const turns = new InTurn();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.run(async () => {
    seen.push('first');
    await gate.promise;
    throw new Error('broke');
  });
  const second = turns.run(async () => {
    seen.push('second');
    return 2;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(['first']);
  gate.resolve();
  await expect(first).rejects.toThrow('broke');
  expect(await second).toBe(2);
  expect(seen).toEqual(['first', 'second']);
});
