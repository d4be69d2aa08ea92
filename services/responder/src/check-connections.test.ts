import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readConnections } from '@eyrie/platform/connections';
import { createHttpClient } from '@eyrie/platform/http-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkConnections } from './check-connections.ts';
import { permissionsOf } from './describe-actions.ts';
import { FAKE_TOKEN, type FakeKubernetes, fakeKubernetes } from './testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from './testing/place.ts';

/** Of GitLab and Slack, what is asked of them here. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => answer(request, response));
const http = createHttpClient();
let api: FakeKubernetes;
let place: TestPlace;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = await fakeKubernetes();
  place = testPlace();
});
afterAll(async () => {
  server.close();
  await http.close();
  await api.close();
  place.remove();
});
beforeEach(() => {
  api.reset();
  answer = (_, response) => response.writeHead(404).end();
});

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const NEEDED = permissionsOf([
  {
    rbac: [
      { group: '', resource: 'pods', verbs: ['get', 'delete'] },
      { group: '', resource: 'pods/eviction', verbs: ['create'] },
      { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: ['create'] },
    ],
  },
]);

async function check(yaml: string) {
  place.connections(yaml, { token: FAKE_TOKEN, 'ca.pem': api.ca, key: 'a'.repeat(32) });
  return checkConnections(readConnections(place.connectionsFile), http, NEEDED);
}

describe('a cluster', () => {
  const cluster = () =>
    check(`clusters: [{cluster: lab, server: "${api.server}", ca_file: ca.pem, token_file: token}]`);

  it('lets us do everything, or what it does not is named with verb and resource', async () => {
    expect(await cluster()).toEqual([{ connection: 'clusters.default/lab', ok: true, message: expect.any(String) }]);
    for (const one of ['delete pods', 'create pods/eviction', 'create networkpolicies']) api.forbidden.add(one);
    const [found] = await cluster();
    expect(found).toMatchObject({ ok: false, message: expect.stringContaining('delete pods; create pods/eviction') });
    expect(found?.message).toContain('create networkpolicies.networking.k8s.io');
  });

  it('that does not answer, or not so, is told', async () => {
    api.fault = 500;
    expect(await cluster()).toMatchObject([{ ok: false, message: expect.stringContaining('500') }]);
    api.fault = 0;
    expect(await cluster()).toMatchObject([{ ok: false }]);
  });
});

describe('GitLab', () => {
  const gitlab = (self: object, status = 200, projects = 200) => {
    answer = ({ url = '' }, response) =>
      response
        .writeHead(url.includes('/projects/') ? projects : status, { 'content-type': 'application/json' })
        .end(JSON.stringify(url.includes('/projects/') ? {} : self));
    return check(`gitlab: {main: {url: "${address()}", token_file: token, project: sec/triage, network: private}}`);
  };
  it.each<[string, Parameters<typeof gitlab>, boolean, string]>([
    ['a good token', [{ scopes: ['api'], expires_at: '2027-01-01' }], true, '2027-01-01'],
    ['too little scope', [{ scopes: ['read_api'] }], false, 'need api'],
    ['a revoked token', [{}, 401], false, 'revoked'],
    ['a project it does not see', [{ scopes: ['api'] }, 200, 404], false, 'sec/triage'],
    ['a server in trouble', [{}, 503], false, '503'],
  ])('%s', async (_, given, ok, message) => {
    expect(await gitlab(...given)).toEqual([
      { connection: 'gitlab.main', ok, message: expect.stringContaining(message) },
    ]);
  });
});

describe('Slack', () => {
  const slack = (body: object, headers: Record<string, string> = {}) => {
    answer = (_, response) => response.writeHead(200, headers).end(JSON.stringify(body));
    return check(`slack: {soc: {token_file: token, api_url: "${address()}/api/", network: private}}`);
  };
  it.each<[string, Parameters<typeof slack>, boolean, string]>([
    ['a good token', [{ ok: true, team: 'Sec' }, { 'x-oauth-scopes': 'chat:write,users:read' }], true, 'Sec'],
    ['a refused token, with HTTP 200', [{ ok: false, error: 'invalid_auth' }], false, 'invalid_auth'],
    ['too little scope', [{ ok: true }, { 'x-oauth-scopes': 'users:read' }], false, 'chat:write'],
  ])('%s', async (_, given, ok, message) => {
    expect(await slack(...given)).toEqual([{ connection: 'slack.soc', ok, message: expect.stringContaining(message) }]);
  });
});

it('PagerDuty answers, or nothing listens there; nothing is sent', async () => {
  const asked: string[] = [];
  answer = ({ method = '' }, response) => {
    asked.push(method);
    response.writeHead(405).end();
  };
  const pagerduty = (url: string) =>
    check(`pagerduty: {soc: {routing_key_file: key, url: "${url}", network: private}}`);
  expect(await pagerduty(address())).toMatchObject([{ ok: true }]);
  expect(asked).toEqual(['GET']);
  expect(await pagerduty('http://127.0.0.1:9')).toMatchObject([{ ok: false }]);
});
