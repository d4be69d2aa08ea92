import type { ForeignSpec } from '../foreign.ts';
import type { AssignmentHost } from './assignment.ts';
import { asAppError } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import { readOffsets } from './positions.ts';
import { Transactor } from './transactor.ts';

const FENCE_TIMEOUT_MS = 10_000;

/**
 * Gives every partition that has none a position: where the group has read the topic before, its first record; otherwise
 * what the group asks for. One step for all of them, behind a fence of its own, because the answer for one partition hangs
 * on the others: a member that came later must not take the positions of the first one for those of a long life.
 * @throws AppError EYRIE_FENCED while another process does the same; EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID
 */
export async function settleStart(
  host: AssignmentHost,
  fetcher: Fetcher,
  { group, topic, start }: ForeignSpec,
  partitions: number,
): Promise<void> {
  const { client, names, clock } = host;
  const transactionalId = `${names.group(group)}-start`;
  const transactor = await Transactor.fence({ client, names, clock, transactionalId, timeoutMs: FENCE_TIMEOUT_MS });
  try {
    const all = Array.from({ length: partitions }, (_, i) => i);
    const asked = [{ topic, partitions: all }];
    const known = new Map(
      (await readOffsets(fetcher.cluster, names.group(group), asked)).map(({ partition, next }) => [partition, next]),
    );
    const missing = all.filter((partition) => !known.has(partition));
    if (missing.length === 0) return;
    const isFirst = known.size === 0;
    const positions = await Promise.all(
      missing.map(async (partition) => {
        const bounds = await fetcher.bounds(topic, partition);
        return { topic, partition, next: isFirst && start === 'latest' ? bounds.end : bounds.start };
      }),
    );
    await transactor.commit(group, { positions, state: [], outputs: [], check: () => undefined });
  } catch (error) {
    throw asAppError(error, { principal: client.principal, group: ['Read', names.group(group)] });
  } finally {
    await transactor.close();
  }
}
