/**
 * The folding rules against the naive model: few histories by default, over 100,000 with EYRIE_TEST_RUNS=350
 * (`make chaos`). The properties stand beside the judge; importing them runs them here too.
 */
import '../../services/processor/src/core/judge/folding.property.test.ts';
