import { z } from 'zod';
import { isName } from './ids.ts';

const NAME = 'must be 1 to 63 of a-z, 0-9, ".", "_", "-"';
const name = z.string(NAME).refine(isName, NAME);
const FIELD = 'must be the name of a field: 1 to 128 of letters, digits, ".", "_", "-", "[", "]"';

export const INPUT_FORMATS = ['auto', 'falco', 'falcosidekick', 'fluentbit', 'vector'] as const;

/** A topic that is not ours, and whose events lie in it. */
const InputEntry = z
  .strictObject({
    topic: z
      .string('must be the name of a topic')
      .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be the name of a topic: 1 to 249 of letters, digits, ".", "_", "-"'),
    tenant: name,
    /** `*`: each event, or its record, must name its own. */
    cluster: z.string().refine((text) => text === '*' || isName(text), `${NAME}; or "*": each event names its own`),
    cluster_field: z
      .string(FIELD)
      .regex(/^[\w.[\]-]{1,128}$/, FIELD)
      .optional(),
    cluster_header: z.string().min(1, 'must be the name of a header').max(128).optional(),
    format: z.enum(INPUT_FORMATS, `must be one of ${INPUT_FORMATS.join(', ')}`).default('auto'),
    start: z.enum(['earliest', 'latest'], 'must be earliest or latest').default('earliest'),
  })
  .refine(({ cluster, cluster_field }) => cluster === '*' || cluster_field === undefined, {
    path: ['cluster_field'],
    message: 'needs cluster: "*"; with a fixed cluster nothing in an event changes it',
  })
  .refine(({ cluster, cluster_header }) => cluster === '*' || cluster_header === undefined, {
    path: ['cluster_header'],
    message: 'needs cluster: "*"; with a fixed cluster nothing in a record changes it',
  });

/** The file `EYRIE_INPUTS_FILE`. */
export const InputsFile = z.array(InputEntry, 'must be a list of {topic, tenant, cluster, …}');
export type InputEntry = z.infer<typeof InputEntry>;
