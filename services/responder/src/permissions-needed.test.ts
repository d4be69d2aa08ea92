import { systemClock } from '@eyrie/platform/clock';
import { createHttpClient } from '@eyrie/platform/http-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { permissionsNeeded } from './permissions-needed.ts';
import { requireSound } from './rule-files.ts';
import { readSetup } from './setup.ts';
import { type TestPlace, testPlace } from './testing/place.ts';

const http = createHttpClient();
let place: TestPlace;

beforeEach(() => {
  place = testPlace();
  place.connections(
    'slack: {soc: {token_file: token, channel: C1}}\n' +
      'clusters: [{cluster: lab, server: "https://127.0.0.1:1", token_file: token}]\n',
    { token: 'secret' },
  );
});
afterEach(async () => {
  await http.close();
  place.remove();
});

function neededBy(...actions: readonly string[]): readonly string[] {
  place.rule(
    'r.yaml',
    `version: 1\nrules: [{rule: R, id: r, match: {rules: [R]}, actions: [${actions.join(', ')}]}]\n`,
  );
  const paths = { rulesDir: place.rulesDir, connectionsFile: place.connectionsFile, scriptsMax: 1 };
  const setup = readSetup(paths, { http, clock: systemClock });
  requireSound(setup.report);
  return permissionsNeeded(setup).map(({ resource, verbs }) => `${verbs.join(',')} ${resource}`);
}

const slack = (channel: string) =>
  `{action: tell, actionner: "slack:message", parameters: {connection: soc, channel: ${channel}}}`;
const cordon = '{action: cordon, actionner: "kubernetes:cordon"}';

it('is what the actions ask for, and namespaces where a place is that of their owner', () => {
  expect(neededBy(slack('C2'))).toEqual([]);
  expect(neededBy(cordon)).toEqual(['get,patch nodes']);
  expect(neededBy(cordon, slack('owner'))).toEqual(['get namespaces', 'get,patch nodes']);
});
