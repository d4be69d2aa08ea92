import { AppError } from '@eyrie/platform/errors';
import { readYamlFile } from '@eyrie/platform/yaml-file';
import { TOPIC_NAMES } from '@eyrie/schemas';
import { type InputEntry, InputsFile } from '@eyrie/schemas/inputs';

/**
 * Reads `EYRIE_INPUTS_FILE`.
 * @param prefix what our own topics begin with: reading one of them as an input would feed on itself
 * @throws AppError EYRIE_CONFIG_INVALID with all problems, each with its entry and key
 */
export function readInputs(file: string, prefix: string): readonly InputEntry[] {
  const content = readYamlFile(file, (problem) => invalid(file, [problem]));
  const parsed = InputsFile.safeParse(content);
  if (!parsed.success) {
    throw invalid(
      file,
      parsed.error.issues.map(({ path: [index, ...keys], message }) => {
        const key = keys.length > 0 ? `${keys.join('.')}: ` : '';
        return index === undefined ? message : `${placeOf(content, Number(index))}: ${key}${message}`;
      }),
    );
  }
  const entries = parsed.data;
  const problems = entries.flatMap(({ topic }, index) => {
    const place = placeOf(content, index);
    if (entries.findIndex((other) => other.topic === topic) < index) return [`${place}: topic: is named twice`];
    return isOurs(topic, prefix) ? [`${place}: topic: is one of Eyrie's own: it would feed on itself`] : [];
  });
  if (problems.length > 0) throw invalid(file, problems);
  return entries;
}

/** @throws AppError EYRIE_CONFIG_INVALID */
export function refuseMissing(inputs: readonly InputEntry[], missing: readonly string[]): void {
  if (missing.length === 0) return;
  const places = inputs.flatMap(({ topic }, index) =>
    missing.includes(topic) ? [`entry ${index + 1} (topic ${topic}): Kafka has no such topic`] : [],
  );
  throw new AppError(
    'EYRIE_CONFIG_INVALID',
    `EYRIE_INPUTS_FILE: ${places.join('; ')}. Make it or correct the name; if it is there, the ACL Describe on it is missing`,
  );
}

function isOurs(topic: string, prefix: string): boolean {
  if (topic.startsWith('__')) return true;
  return prefix === '' ? (TOPIC_NAMES as readonly string[]).includes(topic) : topic.startsWith(prefix);
}

function placeOf(content: unknown, index: number): string {
  const entry = Array.isArray(content) ? (content[index] as unknown) : undefined;
  const topic = typeof entry === 'object' && entry !== null && 'topic' in entry ? entry.topic : undefined;
  return `entry ${index + 1}${typeof topic === 'string' ? ` (topic ${topic.slice(0, 80)})` : ''}`;
}

function invalid(file: string, problems: readonly string[]): AppError {
  return new AppError('EYRIE_CONFIG_INVALID', `EYRIE_INPUTS_FILE ${file}: ${problems.join('; ')}`);
}
