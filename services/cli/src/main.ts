#!/usr/bin/env node
import './heap.ts';
import { describeError } from '@eyrie/platform/errors';
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { ROLE_NAMES } from './role-names.ts';

// `| head` closes the pipe: a verb has then said enough. What serves others goes on.
const isService = ['up', ...ROLE_NAMES].includes(process.argv[2] ?? '');
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isService) process.exit();
  });
}

/** Exit codes: 0 ok, 1 failed, 2 usage. */
try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Help that was asked for is a success, help because the verb was missing is not; commander has printed both.
    if (error.code === 'commander.help') process.exitCode = 2;
    else if (error.exitCode === 0) process.exitCode = 0;
    else fail(`EYRIE_USAGE: ${error.message.replace(/^error: /, '')} (eyrie --help lists the verbs)`);
  } else fail(describeError(error));
}

function fail(text: string): void {
  if (process.argv.includes('--json')) {
    const [code, ...message] = text.split(': ');
    process.stdout.write(`${JSON.stringify({ error: { code, message: message.join(': ') } })}\n`);
  }
  process.stderr.write(`${text}\n`);
  process.exitCode = text.startsWith('EYRIE_USAGE') ? 2 : 1;
  // All is stopped; whoever starts it again waits for the end, which nothing left open may hold up.
  if (isService) process.exit();
}
