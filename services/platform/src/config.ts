import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads settings from the environment by a zod object schema whose keys are the variable names.
 * `KEY_FILE` gives the content of a file for any key (secrets). Every bad key is named in one error.
 */
export function parseEnv<S extends z.ZodObject>(schema: S, env: Environment): z.output<S> {
  const problems: string[] = [];
  const input: Record<string, string> = {};
  for (const key of Object.keys(schema.shape)) {
    const file = env[`${key}_FILE`];
    const value = env[key];
    if (file !== undefined && value !== undefined) problems.push(`${key} and ${key}_FILE are both set`);
    if (file !== undefined) {
      try {
        input[key] = readFileSync(file, 'utf8').trim();
      } catch {
        problems.push(`${key}_FILE: cannot read ${file}`);
      }
    } else if (value !== undefined && value !== '') input[key] = value;
  }
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`);
  }
  if (problems.length > 0 || !parsed.success) throw new AppError('EYRIE_CONFIG_INVALID', problems.join('; '));
  return parsed.data;
}

/** A whole number from text, within bounds. */
export function integer(minimum: number, maximum: number, fallback: number) {
  return z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${minimum} to ${maximum}`)
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .default(fallback)
    .meta({ minimum, maximum });
}

/** `true`/`false`, `1`/`0`, `yes`/`no`. */
export function flag(fallback: boolean) {
  return z.stringbool().default(fallback);
}
