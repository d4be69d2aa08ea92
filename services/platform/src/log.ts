import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { pinoPretty } from './log-pretty.ts';

export type Logger = PinoLogger;

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const SECRET_PATHS = [
  'token',
  'authorization',
  'password',
  'secret',
  'headers.authorization',
  'headers["x-eyrie-token"]',
];

/** One structured line a message on stderr (stdout belongs to results); readable where a person looks on. */
export function createLogger(options: {
  name: string;
  level?: LogLevel;
  pretty?: boolean;
  destination?: DestinationStream;
}): Logger {
  const pretty = options.pretty ?? process.stderr.isTTY === true;
  return pino(
    {
      level: options.level ?? 'info',
      base: { name: options.name, pid: process.pid },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    },
    options.destination ?? (pretty ? pinoPretty() : pino.destination({ dest: 2, sync: true })),
  );
}
