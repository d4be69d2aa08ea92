import type { Connections } from '@eyrie/platform/connections';
import type { HttpClient } from '@eyrie/platform/http-client';
import { z } from 'zod';
import type { Action } from './action.ts';
import { failedAnswer, failedRequest } from './answers.ts';
import { falcoEvent, tagsOf } from './falco-event.ts';
import { checkNamed } from './named-connection.ts';

const Parameters = z.strictObject({ connection: z.string().min(1).max(64) });

/** On what was forwarded: one that comes back here goes no second round. */
const TAG = 'eyrie_forwarded';

/** Posts to falcosidekick. It makes an id of its own for each post: when the ending is unknown it is sent once more, no third time. */
export function falcosidekickForward({ falcosidekick }: Connections, http: HttpClient): Action {
  return {
    summary: 'Posts the event to falcosidekick, as Falco would, for its outputs.',
    class: 0,
    parameters: Parameters,
    recovery: 'once',
    timeoutMs: { standard: 10_000, maximum: 60_000 },
    check: checkNamed(Parameters, falcosidekick, {
      kind: 'falcosidekick',
      lane: (connection) => ({ name: `falcosidekick/${connection}`, max: 4, intervalMs: 0 }),
    }),
    run: async (call, signal) => {
      const target = falcosidekick.get(Parameters.parse(call.action.parameters).connection);
      if (target === undefined) return { kind: 'failed', reason: 'connection_gone' };
      if (tagsOf(call).includes(TAG)) {
        return {
          kind: 'succeeded',
          reason: 'forwarded_before',
          detail: 'falcosidekick sends here what came from here',
        };
      }
      try {
        const answer = await http.send({
          url: target.url,
          method: 'POST',
          headers: { ...target.headers, 'content-type': 'application/json', 'user-agent': 'eyrie' },
          body: falcoEvent(call, TAG),
          network: target.network,
          timeoutMs: call.action.timeoutMs,
          signal,
        });
        return answer.status === 200 ? { kind: 'succeeded' } : failedAnswer(answer);
      } catch (error) {
        return failedRequest(error);
      }
    },
  };
}
