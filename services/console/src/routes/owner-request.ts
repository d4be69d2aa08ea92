import type { Principal } from '@eyrie/platform/tokens';
import type { ActionClass, OwnerRequest } from '@eyrie/schemas';
import { requestKey } from '@eyrie/schemas/request-partition';
import type { Context } from '../context.ts';
import type { ActionRow } from '../queries/actions.ts';

type Unsigned<T> = T extends OwnerRequest ? Omit<T, 'mac'> : never;

/** To the owner of the partition whose ledger holds the row: requests and ledger have the same numbers. */
export async function askOwner(
  { bus, signer }: Context,
  row: ActionRow,
  request: Unsigned<OwnerRequest>,
): Promise<void> {
  const key = requestKey(Number(row['class']) as ActionClass, request.tenant, String(row['alert_id']));
  const partition = Number(row['partition']);
  await bus.append([{ topic: 'action-requests', partition, key, value: signer.seal(request) }]);
}

/** The person, or the service. */
export function whoAsks({ person, name }: Principal): string {
  return person ?? name;
}
