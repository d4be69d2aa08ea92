/**
 * The judge: folds events into alerts. `decide` is pure, `evolve` makes its decision so in the partition's state.
 *
 *     state = createState(partition) | restoreState(partition, entries)
 *     decision = decide(state, input, documents, now, options);  evolve(state, decision, options)
 *     takeChanges(state) → entries of topic `alert-state` for the step: [key, value | null]
 */
export type * from './types.ts';
