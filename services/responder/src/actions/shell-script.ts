import { maskSecrets } from '@eyrie/platform/mask';
import { z } from 'zod';
import type { Checked } from '../core/rules/compiled.ts';
import { runScript } from '../run-script.ts';
import { refuseScript, type Script, type Scripts } from '../scripts.ts';
import { type Action, problemsOf } from './action.ts';
import { payload } from './payload.ts';

const Parameters = z.strictObject({
  script: z.string().min(1).max(64),
  arguments: z
    .record(
      z.string(),
      z
        .string()
        .max(1_024)
        .refine((value) => !value.includes('\0')),
    )
    .default({}),
});

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs an executable of `EYRIE_SCRIPTS_DIR`. Never twice for one intent: a crash leaves it `unknown`. */
export function shellScript(scripts: Scripts, scriptsMax: number, scratchDir: string): Action {
  return {
    class: 'declared by the script',
    parameters: Parameters,
    summary: 'Runs a script of the scripts directory; the event comes as JSON on standard input.',
    recovery: 'never',
    timeoutMs: { standard: 30_000, maximum: 600_000 },
    check: (written) => checkParameters(scripts, scriptsMax, written),
    run: async (call, signal) => {
      const { script: name, arguments: args } = Parameters.parse(call.action.parameters);
      const script = scripts.get(name);
      if (script === undefined) return { kind: 'failed', reason: 'script_refused', detail: `${name} is gone` };
      if (script.class > call.action.class) {
        return { kind: 'failed', reason: 'script_refused', detail: `${name} is of a higher class now` };
      }
      const refused = refuseScript(script);
      if (refused !== undefined) return { kind: 'failed', reason: 'script_refused', detail: `${name} ${refused}` };
      const { plan, intent, action } = call;
      const result = await runScript(
        {
          path: script.path,
          scratchDir,
          args: argv(script, args),
          env: {
            PATH,
            EYRIE_ACTION_INTENT_KEY: intent.intent_key,
            EYRIE_ACTION_RULE_ID: plan.rule_id,
            EYRIE_ACTION_NAME: intent.action,
            EYRIE_ACTION_TENANT: plan.tenant,
            EYRIE_ACTION_CLUSTER: plan.cluster,
            EYRIE_ACTION_ALERT_ID: plan.alert_id,
          },
          stdin: `${JSON.stringify({ v: 1, ...payload(call, { mask: false }) })}\n`,
          timeoutMs: action.timeoutMs,
        },
        signal,
      );
      return result.detail === undefined ? result : { ...result, detail: maskSecrets(result.detail) };
    },
  };
}

function checkParameters(scripts: Scripts, scriptsMax: number, written: Readonly<Record<string, unknown>>): Checked {
  const parsed = Parameters.safeParse(written);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error) };
  const { script: name, arguments: args } = parsed.data;
  const script = scripts.get(name);
  if (script === undefined) {
    const known = [...scripts.keys()].join(', ') || 'none';
    return {
      ok: false,
      problems: [{ field: 'script', message: `"${name}" is not in the scripts directory; there: ${known}` }],
    };
  }
  const problems = argumentProblems(script, args);
  if (problems.length > 0) return { ok: false, problems };
  const lane = { name: 'shell:script', max: scriptsMax, intervalMs: 0 };
  return { ok: true, class: script.class, parameters: parsed.data, lane };
}

function argumentProblems(script: Script, args: Readonly<Record<string, string>>) {
  const problems = [];
  for (const [name, value] of Object.entries(args)) {
    const declared = script.arguments.find((one) => one.name === name);
    const field = `arguments.${name}`;
    if (declared === undefined) problems.push({ field, message: `"${script.name}" declares no such argument` });
    else if (declared.values !== undefined && !declared.values.includes(value)) {
      problems.push({ field, message: `must be one of ${declared.values.join(', ')}` });
    }
  }
  for (const { name, required } of script.arguments) {
    if (required && !Object.hasOwn(args, name)) problems.push({ field: `arguments.${name}`, message: 'is required' });
  }
  return problems;
}

/** `--name=value`, in the declared order: a value never becomes an option. */
function argv(script: Script, args: Readonly<Record<string, string>>): string[] {
  return script.arguments.flatMap(({ name }) => (Object.hasOwn(args, name) ? [`--${name}=${args[name]}`] : []));
}
