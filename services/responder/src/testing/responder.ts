import type { Bus } from '@eyrie/platform/bus/bus';
import { type Clock, systemClock } from '@eyrie/platform/clock';
import { createLogger, type Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import { createSigner } from '@eyrie/platform/sign';
import { createResponder, type Responder, type ResponderOptions } from '../main.ts';

/** A responder as tests want it: what it cannot mend ends the test. */
export function testResponder(
  under: { readonly bus: Bus; readonly metrics: Metrics; readonly clock?: Clock; readonly log?: Logger },
  options: ResponderOptions,
): Responder {
  return createResponder(
    {
      signer: createSigner(Buffer.alloc(32, 7)),
      log: createLogger({ name: 'test', level: 'silent' }),
      clock: systemClock,
      random: Math.random,
      onFailure: (error) => {
        throw error;
      },
      ...under,
    },
    options,
  );
}
