import { readInputs } from '@eyrie/gateway';
import type { Config } from './config.ts';

/** Topics of other programs that the gateway reads. @throws AppError EYRIE_CONFIG_INVALID */
export function inputsOf(config: Config): ReturnType<typeof readInputs> {
  const file = config.EYRIE_INPUTS_FILE;
  return file === undefined ? [] : readInputs(file, config.EYRIE_TOPIC_PREFIX);
}
