import type { DestinationStream } from 'pino';
import pretty from 'pino-pretty';

/** Lines for people on stderr. */
export function pinoPretty(): DestinationStream {
  return pretty({ destination: 2, sync: true, ignore: 'pid,hostname,name', translateTime: 'SYS:HH:MM:ss' });
}
