import { type Connections, readConnections } from '@eyrie/platform/connections';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import { ResponsePolicy } from '@eyrie/schemas/policy';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Action } from '../actions/action.ts';
import type { KubernetesDeps } from '../actions/kubernetes/common.ts';
import type { EffectResult } from '../core/owner/decision.ts';
import { compilePolicy, type Policy } from '../core/policy/policy.ts';
import { FAKE_TOKEN, type FakeKubernetes, fakeKubernetes } from './kubernetes-api.ts';
import { type TestPlace, testPlace } from './place.ts';
import { aCall, aPod, POD_PATH } from './pods.ts';

/** The API server of the cluster `lab` with one pod in it, and a connection to it; another one, `other`, does not trust it. */
export interface TestCluster {
  readonly api: FakeKubernetes;
  readonly connections: Connections;
  readonly http: HttpClient;
  /** Checks the parameters as a rule's, then runs. */
  run(
    make: (deps: KubernetesDeps) => Action,
    options?: Parameters<typeof aCall>[1],
    policy?: Policy,
  ): Promise<EffectResult>;
  /** Takes back what `run` did with the same options. */
  undo(make: (deps: KubernetesDeps) => Action, options?: Parameters<typeof aCall>[1]): Promise<EffectResult>;
}

export function policyOf(written: object = {}): Policy {
  return compilePolicy(ResponsePolicy.parse(written));
}

function checkedCall(action: Action, options: NonNullable<Parameters<typeof aCall>[1]>) {
  const checked = action.check(options.parameters ?? {});
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return aCall('test', { ...options, parameters: checked.parameters });
}

/** Made once for a file of tests, put in order before each. */
export function useCluster(): TestCluster {
  let api: FakeKubernetes;
  let place: TestPlace;
  let http: HttpClient;
  let connections: Connections;
  beforeAll(async () => {
    api = await fakeKubernetes();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    place = testPlace();
    place.connections(
      `clusters:\n  - {cluster: lab, server: "${api.server}", ca_file: ca.pem, token_file: token}\n` +
        `  - {cluster: other, server: "${api.server}", token_file: token}\n`,
      { 'ca.pem': api.ca, token: FAKE_TOKEN },
    );
    connections = readConnections(place.connectionsFile);
    http = createHttpClient();
    api.reset();
    api.objects.set(POD_PATH, aPod());
  });
  afterEach(async () => {
    await http.close();
    place.remove();
  });
  return {
    get api() {
      return api;
    },
    get connections() {
      return connections;
    },
    get http() {
      return http;
    },
    run: (make, options = {}, policy = policyOf()) => {
      const action = make({ connections, http, policy });
      return action.run(checkedCall(action, options), new AbortController().signal);
    },
    undo: async (make, options = {}) => {
      const action = make({ connections, http, policy: policyOf() });
      const undone = await action.undo?.(checkedCall(action, options), new AbortController().signal);
      if (undone === undefined) throw new Error('it has no undo');
      return undone;
    },
  };
}
