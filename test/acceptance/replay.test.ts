import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../bench/process.ts';
import { writeTraceResponse } from '../../services/cli/src/demo/response.ts';
import { eyrie, hasRealData, linesOf, MAIN, realFalcoFiles, replay, sumOfOutcomes } from './eyrie.ts';

const directory = temporaryDirectory('replay');
afterAll(() => directory.remove());

function event(n: number, fields: Record<string, unknown> = {}): string {
  return JSON.stringify({
    hostname: 'node-1',
    output: `event ${n}`,
    output_fields: {
      'container.id': '0123456789ab',
      'evt.type': 'openat',
      'fd.name': '/etc/shadow',
      'proc.cmdline': `cat /etc/shadow`,
      'proc.name': 'cat',
      'proc.pname': 'sh',
      'user.name': 'root',
      ...fields,
    },
    priority: 'Warning',
    rule: 'Read sensitive file untrusted',
    source: 'syscall',
    tags: ['T1555', 'container', 'mitre_credential_access'],
    time: `2026-11-20T10:00:${String(n % 60).padStart(2, '0')}.${String(n).padStart(9, '0')}Z`,
  });
}

describe('replay', () => {
  it('gives every line of a mixed log one outcome', async () => {
    const file = join(directory.path, 'mixed.log');
    const lines = [
      '2026-11-20T10:00:00+0000: Falco version: 0.43.0 (x86_64)',
      event(1),
      event(2),
      event(2),
      '{"rule":',
      '',
      '[]',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const result = await replay([file]);
    expect(result.events_in).toBe(lines.length);
    expect(sumOfOutcomes(result)).toBe(lines.length);
    expect(result.outcomes['prepare']).toMatchObject({ filtered: { log_text: 1, blank: 1 } });
    expect(result.outcomes['judge']).toMatchObject({
      opened: { new_fingerprint: 1 },
      folded: { repeat: 1 },
      duplicate: { event_id: 1 },
    });
    expect(result.ids_distinct).toBe(2);
    expect(result.alerts).toMatchObject({ opened: 1, suppressed: 0 });
    expect(result.reconciliation).toBe(0);
  });

  it('reads gzip and standard input like files, and gives the same alerts for the same events', async () => {
    const text = `${Array.from({ length: 50 }, (_, n) => event(n)).join('\n')}\n`;
    const packed = join(directory.path, 'events.jsonl.gz');
    writeFileSync(packed, gzipSync(text));
    const [fromFile, fromInput] = [await replay([packed]), await replay(['-'], text)];
    expect(fromFile.ids_distinct).toBe(50);
    expect({ ...fromInput, seconds: 0, events_per_second: 0 }).toEqual({
      ...fromFile,
      seconds: 0,
      events_per_second: 0,
    });
  });

  it('counts nothing new when the same file comes again', async () => {
    const file = join(directory.path, 'again.jsonl');
    const dataDir = join(directory.path, 'again');
    mkdirSync(dataDir, { mode: 0o700 });
    writeFileSync(file, `${Array.from({ length: 50 }, (_, n) => event(n)).join('\n')}\n`);
    const first = await replay([file, '--data-dir', dataDir]);
    const second = await replay([file, '--data-dir', dataDir]);
    expect(first.alerts.opened).toBe(1);
    expect(second.alerts.opened).toBe(0);
    expect(second.outcomes['judge']).toEqual({ duplicate: { event_id: 50 } });
    expect(second.ids_distinct).toBe(first.ids_distinct);
    expect(second.monthly).toEqual(first.monthly);
    expect(second.reconciliation).toBe(0);
  });

  it('previews a response rule without running it', async () => {
    const place = join(directory.path, 'trial');
    mkdirSync(place);
    const trace = join(place, 'trace');
    const { scripts } = writeTraceResponse(place, { trace, match: {} });
    const rule = {
      rule: 'Trace sensitive reads',
      id: 'trace-reads',
      mode: 'enforce',
      match: { rules: ['Read sensitive file untrusted'] },
      cooldown: '30m',
      actions: [{ action: 'trace', actionner: 'shell:script', parameters: { script: 'leave-trace' } }],
    };
    const file = join(place, 'rule.yaml');
    const input = join(place, 'input.jsonl');
    writeFileSync(file, JSON.stringify([{ rule }]));
    // Two alerts of one container: the second falls into the cooldown.
    writeFileSync(input, `${event(1)}\n${event(2, { 'fd.name': '/root/.ssh/id_rsa' })}\n`);
    const env = { EYRIE_SCRIPTS_DIR: scripts };
    const { code, stdout, stderr } = await eyrie(['replay', input, '--with', file, '--diff', '--json'], { env });
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      with: { alerts: { opened: 2 } },
      rules: { 'trace-reads': { 'simulated dry_run': 1, 'suppressed cooldown': 1 } },
    });
    expect(existsSync(trace)).toBe(false);

    writeFileSync(file, JSON.stringify([{ rule: { ...rule, match: { ruels: ['x'] } } }]));
    const wrong = await eyrie(['replay', input, '--with', file], { env });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/EYRIE_RULE_INVALID.*ruels/s)]);
  });

  it('previews what comes on standard input', async () => {
    const documents = join(directory.path, 'input.yaml');
    writeFileSync(
      documents,
      '- silence:\n    matchers: [{field: rule, op: "=", value: Read sensitive file untrusted}]\n    ends_at: 2100-01-01T00:00:00Z\n    comment: try it\n',
    );
    const { code, stdout } = await eyrie(['replay', '-', '--with', documents, '--diff', '--json'], {
      input: `${event(1)}\n`,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ without: { events_in: 1 }, with: { events_in: 1 } });
  });

  it('previews a silence on the same input', async () => {
    const file = join(directory.path, 'preview.jsonl');
    const documents = join(directory.path, 'preview.yaml');
    writeFileSync(file, `${event(1)}\n${event(2, { 'fd.name': '/root/.ssh/id_rsa' })}\n`);
    writeFileSync(
      documents,
      '- silence:\n    matchers: [{field: file_name, op: startswith, value: /root}]\n    ends_at: 2100-01-01T00:00:00Z\n    comment: try it\n',
    );
    const { code, stdout, stderr } = await eyrie(['replay', file, '--with', documents, '--diff', '--json']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const diff = JSON.parse(stdout) as { without: { alerts: object }; with: { alerts: object }; changed: object[] };
    expect(diff.without.alerts).toMatchObject({ opened: 2, suppressed: 0 });
    expect(diff.with.alerts).toMatchObject({ opened: 2, suppressed: 1 });
    expect(diff.changed).toHaveLength(1);
    expect(diff.changed[0]).toMatchObject({ after: 'suppressed', reason: 'silenced' });
  });

  it.each([
    { args: ['replay', '/nowhere/at/all', '--json'], code: 1, error: 'EYRIE_INPUT_UNREADABLE' },
    { args: ['replay'], code: 2, error: 'missing required argument' },
    { args: ['replay', 'x', '--diff'], code: 2, error: 'EYRIE_USAGE' },
    { args: ['replay', 'x', '--with', 'y', '--diff', '--data-dir', 'z'], code: 2, error: '--with takes no --data-dir' },
    { args: ['nonsense'], code: 2, error: 'unknown command' },
  ])('answers bad use with a code: $args', async ({ args, code, error }) => {
    const result = await eyrie(args);
    expect(result.stderr).toContain(error);
    expect(result.code).toBe(code);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const place = join(directory.path, 'interrupted');
    mkdirSync(place, { mode: 0o700 });
    const child = spawn(process.execPath, [MAIN, 'replay', '-', '--json'], { env: { ...process.env, TMPDIR: place } });
    const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));
    child.stdin.write(`${event(1)}\n`);
    await expect.poll(() => readdirSync(place), { timeout: 20_000 }).not.toEqual([]);
    child.kill('SIGINT');
    expect(await ended).toBe('SIGINT');
    expect(readdirSync(place)).toEqual([]);
  });

  it('checks rules with one JSON value, also where some are wrong', async () => {
    const { code, stdout } = await eyrie(['rules', 'check', join(directory.path, 'no-rules'), '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ files: 0, problems: [expect.stringContaining('no-rules')] });
  });
});

describe.skipIf(!hasRealData)('replay of real data', () => {
  it('gives each line one outcome, and nothing new the second time', async () => {
    const dataDir = join(directory.path, 'real');
    mkdirSync(dataDir, { mode: 0o700 });
    const files = realFalcoFiles();
    const lines = files.reduce((sum, file) => sum + linesOf(file).length, 0);
    const first = await replay([...files, '--data-dir', dataDir]);
    expect(sumOfOutcomes(first)).toBe(first.events_in);
    expect(first.events_in).toBeGreaterThanOrEqual(lines);
    expect(first.dead_letters).toBe(0);
    expect(first.reconciliation).toBe(0);
    const second = await replay([...files, '--data-dir', dataDir]);
    expect(sumOfOutcomes(second)).toBe(second.events_in);
    expect(second.alerts.opened).toBe(0);
    expect(second.ids_distinct).toBe(first.ids_distinct);
    rmSync(dataDir, { recursive: true });
  });
});
