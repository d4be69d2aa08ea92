import { z } from 'zod';
import { parseNanos } from '../nanos.ts';
import { parsePriority } from '../priority.ts';

/**
 * A Falco event as documentation and as the other side of the tests. Intake checks by hand (`readLine`), for speed; a
 * property test holds the two together. Unknown keys are allowed and kept.
 */
export const falcoEventSchema = z.looseObject({
  rule: z.string().min(1).max(512),
  time: z.string().refine((text) => parseNanos(text) !== undefined, 'RFC 3339 between 1970 and 2262'),
  priority: z.string().refine((word) => parsePriority(word) !== undefined, "one of Falco's eight words"),
  hostname: z.string().max(512).nullish(),
  source: z.string().max(512).nullish(),
  tags: z.array(z.string()).nullish(),
  output: z.unknown().optional(),
  output_fields: z.record(z.string(), z.unknown()).nullish(),
});
