import { join } from 'node:path';
import { type ApiClient, createApiClient, locateApi } from './api-client.ts';
import { readReadyFile } from './ready.ts';

/** Options of the verbs that speak to a running Eyrie. */
export interface SpeakingOptions {
  readonly dataDir: string;
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** The API that was named, or that of the process on the data directory. */
export function openSession(options: SpeakingOptions): ApiClient {
  return createApiClient(locateApi(options, readReadyFile(join(options.dataDir, 'ready.json'))));
}
