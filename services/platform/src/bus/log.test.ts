import { describeBus } from '../testing/contracts/bus.ts';
import { temporaryLog } from '../testing/temporary-log.ts';

describeBus('embedded log', async () => temporaryLog({ partitions: { alerts: 3 } }));
