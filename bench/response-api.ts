/** The far side of bench/response.ts in a process of its own: an API server with as many pods as it is told, which says when each was asked to end. */
import { writeFileSync } from 'node:fs';
import { fakeKubernetes } from '../services/responder/src/testing/kubernetes-api.ts';
import { aPod } from '../services/responder/src/testing/pods.ts';

const [pods = '0', caFile = ''] = process.argv.slice(2);
const api = await fakeKubernetes();
for (let i = 0; i < Number(pods); i += 1) {
  const pod = aPod({ metadata: { name: `web-${i}`, uid: `uid-${i}` } });
  const status = {
    containerStatuses: [
      { name: 'web', containerID: `containerd://${i.toString(16).padStart(12, '0').padEnd(64, '0')}` },
    ],
  };
  api.objects.set(`/api/v1/namespaces/shop/pods/web-${i}`, { ...pod, status });
}
const remove = api.objects.delete.bind(api.objects);
api.objects.delete = (path) => {
  process.send?.({ pod: path.split('/').at(-1), at: performance.timeOrigin + performance.now() });
  return remove(path);
};
writeFileSync(caFile, api.ca);
process.send?.({ server: api.server });
