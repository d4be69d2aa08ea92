import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryLog } from '../testing/temporary-log.ts';
import { type Kv, openKv } from './kv.ts';

const OLD = JSON.stringify({ format: 1, counts: { raw: 1, alerts: 3, actions: 1, shared: 1 } });

test('a log of layout 1 is taken over: its state moves into blocks, once', async () => {
  const temporary = temporaryLog();
  await change(temporary, (kv) => {
    kv.put(Buffer.from('mlayout'), Buffer.from(OLD));
    for (let i = 0; i < 25_000; i += 1) kv.put(oldKey(2, `k/${i}`), Buffer.from(String(i)));
    kv.put(oldKey(0, 'other'), Buffer.from('1'));
  });
  for (let round = 0; round < 2; round += 1) {
    const bus = await temporary.reopen();
    expect(await bus.readState('alert-state', 2, 'k/')).toHaveLength(25_000);
    expect(String((await bus.readState('alert-state', 2, 'k/24999'))[0]?.[1])).toBe('24999');
    expect(await bus.readState('alert-state', 0, '')).toEqual([['other', Buffer.from('1')]]);
    expect(await bus.readState('alert-state', 1, '')).toEqual([]);
  }
  let left = 0;
  await change(temporary, (kv) =>
    kv.scan(Buffer.from('s'), Buffer.from('t'), () => {
      left += 1;
      return true;
    }),
  );
  expect(left).toBe(0);
  await temporary.remove();
});

test('a log of a newer layout is refused with the way out, and left as it is', async () => {
  const temporary = temporaryLog();
  let stored = '';
  const newer = JSON.stringify({ format: 3, counts: {} });
  await temporary.bus.close();
  const kv = openKv(join(temporary.dataDir.path, 'log'), { sync: true, mapBytes: 1024 ** 3 });
  kv.transact(() => kv.put(Buffer.from('mlayout'), Buffer.from(newer)));
  await kv.close();
  await expect(temporary.reopen()).rejects.toThrow(
    expect.objectContaining({ code: 'EYRIE_DATA_DIR_NEWER', message: expect.stringContaining('another directory') }),
  );
  await change(temporary, (again) => {
    stored = String(again.get(Buffer.from('mlayout')));
  });
  expect(stored).toBe(newer);
  await temporary.remove();
});

/** Changes the closed log's file. */
async function change(temporary: ReturnType<typeof temporaryLog>, action: (kv: Kv) => void): Promise<void> {
  await temporary.bus.close();
  const kv = openKv(join(temporary.dataDir.path, 'log'), { sync: true, mapBytes: 1024 ** 3 });
  kv.transact(() => action(kv));
  await kv.close();
}

function oldKey(partition: number, key: string): Buffer {
  return Buffer.concat([Buffer.from(`salert-state\0\0${String.fromCharCode(partition)}`), Buffer.from(key)]);
}
