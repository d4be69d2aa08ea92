import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { firstEvent } from '../first-event.ts';
import { printLine } from '../print.ts';
import { readReadyFile, refuseUnwritable, writePrivateFile } from '../ready.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

interface ConnectOptions extends SpeakingOptions {
  readonly cluster: string;
  readonly wait: number;
  readonly gateway?: string;
}

type Kind = 'falco' | 'falcosidekick';

/** Makes an intake token, prints the exact settings, and waits for the first event of the cluster or the last refusal. */
export async function connect(kind: Kind, options: ConnectOptions): Promise<void> {
  const session = openSession(options);
  const gateway = gatewayOf(options);
  if (options.json !== true) warnOfReach(gateway);
  const name = `${kind}-${options.cluster}-${Date.now().toString(36)}`;
  // On a terminal a token is shown once; elsewhere it goes to a private file and only the path is printed.
  const place = existsSync(options.dataDir) ? options.dataDir : '.';
  const file = process.stdout.isTTY === true ? undefined : join(place, `${name}.yaml`);
  if (file !== undefined) refuseUnwritable(file);
  const { token } = await session.createToken({ name, cluster: options.cluster, scopes: ['intake'] });
  if (token === undefined) throw new AppError('EYRIE_INTERNAL', 'the API made no token');
  const settings = kind === 'falco' ? falcoSettings(gateway, token) : sidekickSettings(gateway, token);
  if (file !== undefined) writePrivateFile(file, `${settings}\n`);
  const shown = file === undefined ? settings : settings.replaceAll(token, '<token>');
  if (options.json !== true) {
    printLine(shown);
    if (file !== undefined) printLine(`# with the token: ${file} (mode 0600)`);
    printLine();
    printLine(
      `Token ${name}; \`eyrie tokens revoke ${name}\` withdraws it. Waiting for the first event of ${options.cluster} …`,
    );
  } else if (file !== undefined) {
    // The one JSON value comes with the first event, which needs the settings.
    process.stderr.write(`settings with the token: ${file} (mode 0600)\n`);
  }
  const told = { token_name: name, settings: shown, settings_file: file };
  await firstEvent(session, { ...options, hint: 'check that the sensor reaches the gateway' }, told);
}

/** Checked before a token is made. @throws AppError EYRIE_USAGE */
function gatewayOf(options: ConnectOptions): string {
  const gateway = options.gateway ?? readReadyFile(join(options.dataDir, 'ready.json'))?.gateway;
  if (gateway === undefined)
    throw new AppError('EYRIE_USAGE', '--gateway is missing, and the data directory names no running process');
  const url = URL.parse(gateway);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new AppError('EYRIE_USAGE', `--gateway: "${gateway}" is no address such as https://eyrie.example:2801`);
  }
  if (/^(0\.0\.0\.0|\[::\])$/.test(url.hostname)) {
    throw new AppError('EYRIE_USAGE', `the gateway listens on every address: say with --gateway how sensors reach it`);
  }
  return url.origin;
}

function warnOfReach(gateway: string): void {
  if (!/^https?:\/\/(127\.|localhost|\[::1\])/.test(gateway)) return;
  printLine(`# ${gateway} is this machine alone: for other machines set EYRIE_GATEWAY_HOST and pass --gateway`);
}

function falcoSettings(gateway: string, token: string): string {
  const url = new URL(gateway);
  return [
    '# falco.yaml',
    'json_output: true',
    'json_include_output_property: true',
    'json_include_tags_property: true',
    'http_output:',
    '  enabled: true',
    `  url: ${url.protocol}//eyrie:${token}@${url.host}/`,
    ...(url.protocol === 'https:'
      ? ['  ca_cert: /etc/falco/eyrie-ca.pem # if the certificate is of your own authority']
      : []),
    '# and a heartbeat, so that a silent node is told from a quiet one: /etc/falco/rules.d/eyrie.yaml',
    '# - rule: Eyrie canary',
    '#   desc: Harmless marker that proves the whole path',
    '#   condition: evt.type in (open, openat, openat2) and fd.name=/tmp/eyrie-canary',
    '#   output: Eyrie canary',
    '#   priority: NOTICE',
    '#   tags: [eyrie_canary]',
    '# tripped on each node once a minute: `* * * * * root touch /tmp/eyrie-canary`',
  ].join('\n');
}

function sidekickSettings(gateway: string, token: string): string {
  return [
    '# falcosidekick config.yaml',
    'webhook:',
    `  address: ${gateway}/`,
    '  customHeaders:',
    `    X-Eyrie-Token: ${token}`,
    '  minimumpriority: ""',
  ].join('\n');
}
