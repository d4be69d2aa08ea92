import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { readConfig } from '../config.ts';
import { ensureFirstTokens } from '../first-tokens.ts';
import { type Pipeline, startPipeline } from '../pipeline.ts';
import { printJson, printLine } from '../print.ts';
import { type ReadyFile, writePrivateFile } from '../ready.ts';
import { ROLE_NAMES } from '../role-names.ts';
import { signalled } from '../signalled.ts';

export interface UpOptions {
  readonly dataDir: string;
  readonly gatewayPort?: number;
  readonly consolePort?: number;
  readonly readyFile?: string;
  readonly rules?: string;
  readonly json?: boolean;
}

/** Everything in this process until SIGTERM or SIGINT. */
export async function up(options: UpOptions): Promise<void> {
  const signal = signalled();
  const { pipeline, ready } = await startUp(options);
  if (options.json === true) printJson({ gateway: ready.gateway, console: ready.console });
  else {
    printLine(`gateway  ${ready.gateway}`);
    printLine(`API      ${ready.console}`);
    printLine(`tokens   ${options.readyFile ?? join(options.dataDir, 'ready.json')}`);
    printLine('Next: `eyrie connect falco --cluster NAME`, or `eyrie send FILE`. Ctrl-C drains and ends.');
  }
  await untilStopped(pipeline, options, signal);
}

/** Starts the pipeline with its tokens and ready files. */
export async function startUp(options: UpOptions): Promise<{ pipeline: Pipeline; ready: ReadyFile }> {
  const config = readConfig({
    ...process.env,
    ...(options.gatewayPort === undefined ? {} : { EYRIE_GATEWAY_PORT: String(options.gatewayPort) }),
    ...(options.consolePort === undefined ? {} : { EYRIE_CONSOLE_PORT: String(options.consolePort) }),
    ...(options.rules === undefined ? {} : { EYRIE_RULES_DIR: options.rules }),
  });
  const pipeline = await startPipeline({ dataDir: options.dataDir, config, roles: new Set(ROLE_NAMES) });
  try {
    const tokens = await ensureFirstTokens(pipeline.documents, options.dataDir, config);
    const ready = { gateway: pipeline.gatewayAddress, console: pipeline.consoleAddress, ...tokens };
    for (const file of readyFiles(options)) writeReady(file, ready);
    return { pipeline, ready };
  } catch (error) {
    for (const file of readyFiles(options)) rmSync(file, { force: true });
    await pipeline.stop();
    throw error;
  }
}

function writeReady(file: string, ready: ReadyFile): void {
  try {
    writePrivateFile(file, `${JSON.stringify(ready)}\n`);
  } catch (cause) {
    throw new AppError(
      'EYRIE_CONFIG_INVALID',
      `--ready-file: ${file} cannot be written (${cause instanceof Error ? cause.message : cause})`,
      {
        cause,
      },
    );
  }
}

function readyFiles(options: UpOptions): string[] {
  const own = join(options.dataDir, 'ready.json');
  return options.readyFile === undefined || options.readyFile === own ? [own] : [own, options.readyFile];
}

/** Waits for the end or a failure, drains, and removes the ready files. @throws what failed */
export async function untilStopped(pipeline: Pipeline, options: UpOptions, ended: Promise<void>): Promise<void> {
  try {
    await Promise.race([ended, pipeline.failed]);
  } finally {
    for (const file of readyFiles(options)) rmSync(file, { force: true });
    await pipeline.stop();
  }
}
