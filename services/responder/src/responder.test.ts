import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bus } from '@eyrie/platform/bus/bus';
import { createSigner } from '@eyrie/platform/sign';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import type { ActionRecord } from '@eyrie/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Responder } from './main.ts';
import { judgedOutput } from './testing/judged.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { testResponder } from './testing/responder.ts';

const signer = createSigner(Buffer.alloc(32, 7));

let place: TestPlace;
let temporary: TemporaryLog;
let responder: Responder;

beforeEach(() => {
  place = testPlace();
  temporary = temporaryLog();
});
afterEach(async () => {
  await responder.stop();
  await temporary.remove();
  place.remove();
});

async function start(bus: Bus = temporary.bus): Promise<void> {
  responder = testResponder(
    { bus, metrics: temporary.metrics },
    { rulesDir: place.rulesDir, scriptsDir: place.scriptsDir, reloadMs: 50, drainMs: 500 },
  );
  await responder.start();
}

async function ledger(): Promise<ActionRecord[]> {
  const records = await temporary.bus.read('actions', 0, 0);
  return records.map(({ value }) => JSON.parse(value.toString()) as ActionRecord);
}

const traceRule = (mode: string, more = '') => `
version: 1
rules:
  - rule: Trace a shell
    id: trace
    mode: ${mode}
    match: {rules: [Terminal shell in container], output_fields: ["proc.name=bash"]}
    ${more}
    actions:
      - {action: trace, actionner: shell:script, parameters: {script: trace.sh, arguments: {dir: ${'DIR'}}}}
`;

function traceScript(mode = 'enforce', more = ''): string {
  const traces = join(place.path, 'traces');
  place.script(
    'trace.sh',
    `#!/bin/sh\nmkdir -p ${traces}\nin=$(cat)\nf=$(mktemp ${traces}/$EYRIE_ACTION_INTENT_KEY.XXXXXX)\nprintf '%s\\n' "$in" "$(env | sort)" "$(ls -l /proc/self/fd | tr '\\n' ';')" "$0 $*" "$PWD" > $f\n`,
    'class: 1\narguments: [{name: dir}]',
  );
  place.rule('trace.yaml', traceRule(mode, more).replace('DIR', 'x'));
  return traces;
}

/** A zombie that nobody has reaped yet is dead. */
function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
  return !/\) [ZX]/.test(stat);
}

const traceCount = (directory: string) => (existsSync(directory) ? readdirSync(directory).length : 0);

describe('the responder', () => {
  it('acts on what stands before a damaged entry, and sets the frame aside', async () => {
    const traces = traceScript();
    await start();
    const output = judgedOutput([{ alert: 'a1' }, { alert: 'a2' }, { alert: 'a3' }]);
    const lines = output.value.toString().split('\n');
    lines[5] = '{"event_id":';
    await temporary.bus.append([{ ...output, value: Buffer.from(lines.join('\n')) }]);
    await responder.caughtUp();
    expect(readdirSync(traces)).toHaveLength(1);
    const letters = await temporary.bus.read('dead-letter', 0, 0);
    expect(letters.map(({ value }) => JSON.parse(value.toString()))).toMatchObject([
      { stage: 'responder', reason: 'unreadable' },
    ]);
  });

  it('sets aside what only looks judged, and goes on with the next frame', async () => {
    const traces = traceScript();
    await start();
    const good = judgedOutput([{ alert: 'a1' }]);
    const [head = '', judgement = '', event = '', raw = ''] = good.value.toString().split('\n');
    const bad = ['null', '"x"', '[[]]', '{}'].flatMap((shape) => [
      [shape, event],
      [judgement, shape],
      [judgement, JSON.stringify({ ...JSON.parse(event), tags: JSON.parse(shape) })],
      [JSON.stringify({ ...JSON.parse(judgement), fp_score: JSON.parse(shape) }), event],
    ]);
    for (const [first, second] of bad) {
      await temporary.bus.append([{ ...good, value: Buffer.from([head, first, second, raw, ''].join('\n')) }]);
    }
    await temporary.bus.append([judgedOutput([{ alert: 'a9' }])]);
    await responder.caughtUp();
    const letters = await temporary.bus.read('dead-letter', 0, 0);
    expect(letters).toHaveLength(bad.length);
    expect(readdirSync(traces)).toHaveLength(1);
  });

  it('runs the script once for each alert and target, whatever repeats', async () => {
    const traces = traceScript();
    await start();
    await temporary.bus.append([judgedOutput([{ alert: 'a1' }, { alert: 'a1', outcome: 'folded' }, { alert: 'a2' }])]);
    await temporary.bus.append([judgedOutput([{ alert: 'a1', outcome: 'folded', host: 'node-2' }, { alert: 'a2' }])]);
    await responder.caughtUp();
    expect(traceCount(traces)).toBe(3);
    const lines = await ledger();
    expect(lines.map(({ state }) => state).sort()).toEqual([
      ...new Array<string>(3).fill('executing'),
      ...new Array<string>(3).fill('planned'),
      ...new Array<string>(3).fill('succeeded'),
    ]);
    for (const { value } of await temporary.bus.read('actions', 0, 0)) expect(signer.isSealed(value)).toBe(true);

    // The same after a restart: what was done is known.
    await responder.stop();
    await temporary.reopen();
    await start();
    await temporary.bus.append([judgedOutput([{ alert: 'a1', outcome: 'folded' }, { alert: 'a2' }])]);
    await responder.caughtUp();
    expect(traceCount(traces)).toBe(3);
  });

  it('gives the script nothing but what is allowed', async () => {
    const traces = traceScript();
    await start();
    const evil = '$(touch /tmp/pwned); `id`\n"';
    await temporary.bus.append([judgedOutput([{ alert: 'a1', fields: { 'proc.name': 'bash', 'fd.name': evil } }])]);
    await responder.caughtUp();
    const [file = ''] = readdirSync(traces);
    const lines = readFileSync(join(traces, file), 'utf8').trim().split('\n');
    const input = JSON.parse(lines[0] ?? '') as { fields: Record<string, unknown>; target: string };
    expect(input.fields['fd.name']).toBe(evil);
    expect(input.target).toBe('host:node-1');
    const names = lines.slice(1).flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? []);
    // The shell adds its own PWD, OLDPWD, SHLVL and _.
    const allowed = names.filter((name) => !/^(EYRIE_ACTION_\w+|PATH|TMPDIR|PWD|OLDPWD|SHLVL|_)$/.test(name));
    expect(allowed).toEqual([]);
    const descriptors =
      lines
        .find((line) => /^[0-9 ]+$/.test(line))
        ?.trim()
        .split(' ') ?? [];
    expect(descriptors.length).toBeLessThanOrEqual(5);
    expect(lines.join('\n')).toContain('trace.sh --dir=x');
    expect(lines.at(-1)).toContain('eyrie-action-');
    expect(existsSync(lines.at(-1) ?? '')).toBe(false);
  });

  it('simulates by default, and touches nothing', async () => {
    const traces = traceScript('dry_run', 'cooldown: 10m');
    await start();
    await temporary.bus.append([judgedOutput([{ alert: 'a1' }, { alert: 'a2' }])]);
    await responder.caughtUp();
    expect(traceCount(traces)).toBe(0);
    const lines = await ledger();
    expect(lines.map(({ state, reason }) => `${state} ${reason}`)).toEqual([
      'simulated dry_run',
      'suppressed cooldown',
    ]);
  });

  it('leaves suppressed alerts alone', async () => {
    const traces = traceScript();
    await start();
    await temporary.bus.append([
      judgedOutput([
        { alert: 'a1', outcome: 'suppressed' },
        { alert: 'a1', outcome: 'folded' },
      ]),
    ]);
    await responder.caughtUp();
    expect(traceCount(traces)).toBe(0);
  });

  it('sets aside a request without a good mac', async () => {
    const traces = traceScript();
    await start();
    const request = { v: 1, id: 'x', kind: 'match', tenant: 'default', rule_id: 'trace', mac: 'A'.repeat(43) };
    await temporary.bus.append([
      { topic: 'action-requests', partition: 0, key: 'k', value: Buffer.from(JSON.stringify(request)) },
    ]);
    await responder.caughtUp();
    expect(traceCount(traces)).toBe(0);
    expect(await temporary.bus.read('dead-letter', 0, 0)).toHaveLength(1);
  });

  it('takes up changed rules, and keeps the old ones when the new do not parse', async () => {
    const traces = traceScript('observe');
    await start();
    place.rule('trace.yaml', traceRule('enforce').replace('DIR', 'x').replace('match:', 'macth:'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await temporary.bus.append([judgedOutput([{ alert: 'a1' }])]);
    await responder.caughtUp();
    expect((await ledger()).map(({ state }) => state)).toEqual(['planned']);
    place.rule('trace.yaml', traceRule('enforce').replace('DIR', 'x'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await temporary.bus.append([judgedOutput([{ alert: 'a2' }])]);
    await responder.caughtUp();
    expect(traceCount(traces)).toBe(1);
  });

  it('kills a script over its time with all its children, and never runs it again', async () => {
    place.script('slow.sh', '#!/bin/sh\nsleep 30 & echo $!; sleep 30\n');
    place.rule(
      'slow.yaml',
      `
version: 1
rules:
  - rule: Slow
    id: slow
    mode: enforce
    match: {tags: ["container, shell"]}
    actions: [{action: slow, actionner: shell:script, parameters: {script: slow.sh}, timeout: 300ms}]
`,
    );
    await start();
    await temporary.bus.append([judgedOutput([{ alert: 'a1' }])]);
    await responder.caughtUp();
    const last = (await ledger()).at(-1);
    expect(last).toMatchObject({ state: 'unknown', reason: 'timeout' });
    expect(isAlive(Number(last?.detail))).toBe(false);
  });
});
