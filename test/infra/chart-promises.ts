import type { Rendered } from './chart.ts';

interface Pod {
  readonly owner: string;
  readonly labels: Record<string, string>;
  readonly spec: Rendered;
}

function podsOf(objects: readonly Rendered[]): Pod[] {
  return objects
    .filter(({ kind }) => ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].includes(kind))
    .map(({ kind, metadata, spec }) => ({
      owner: `${kind} ${metadata.name}`,
      labels: spec.template.metadata.labels,
      spec: spec.template.spec,
    }));
}

/** What the chart promises of every object beyond its form, and does not hold. */
export function promiseProblems(objects: readonly Rendered[]): string[] {
  const pods = podsOf(objects);
  return [
    ...pods.flatMap((pod) =>
      [...podProblems(pod), ...tokenProblems(pod, objects)].map((problem) => `${pod.owner}: ${problem}`),
    ),
    ...objects.flatMap((object) =>
      objectProblems(object, pods, objects).map((problem) => `${object.kind} ${object.metadata.name}: ${problem}`),
    ),
  ];
}

function podProblems({ owner, spec }: Pod): string[] {
  const problems: string[] = [];
  const must = (holds: boolean, problem: string) => holds || problems.push(problem);
  must(spec.enableServiceLinks === false, 'Kubernetes sets EYRIE_GATEWAY_PORT in it');
  must(spec.securityContext?.runAsNonRoot === true && spec.securityContext.runAsUser > 0, 'may run as root');
  must(spec.securityContext?.seccompProfile?.type === 'RuntimeDefault', 'has no seccomp profile');
  must(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, 'shares a namespace of the node');
  must(!spec.volumes.some((volume: Rendered) => volume.hostPath !== undefined), 'mounts a path of the node');
  for (const container of spec.containers) {
    const { securityContext: security, resources, volumeMounts } = container;
    must(security?.readOnlyRootFilesystem === true, 'may write its root');
    must(security?.allowPrivilegeEscalation === false, 'may gain privileges');
    must(security?.capabilities?.drop?.includes('ALL') === true, 'keeps capabilities');
    must(resources?.requests?.cpu !== undefined && resources.limits?.memory !== undefined, 'has no bounds');
    must(!/(:latest|^[^:@]+)$/.test(container.image), `${container.image} is not pinned`);
    if (owner.startsWith('Deployment') || owner.startsWith('StatefulSet')) {
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        const port = container[probe]?.httpGet?.port;
        must(
          container.ports.some((each: Rendered) => each.name === port),
          `${probe} asks a port that is not there`,
        );
      }
    }
    for (const { name, value } of container.env ?? []) {
      must(!/(PASSWORD|TOKEN|SIGNING_KEY)$/.test(name), `${name} stands in the object itself`);
      if (/_(FILE|DIR)$/.test(name))
        must(isMounted(value, volumeMounts, spec.volumes), `${name}: ${value} is not mounted`);
    }
  }
  return problems;
}

/** A token of the API is there for the role that acts alone, and only with an account that was given rights. */
function tokenProblems({ labels, spec }: Pod, objects: readonly Rendered[]): string[] {
  if (spec.automountServiceAccountToken === false) return [];
  const role = labels['app.kubernetes.io/component'] ?? '';
  const isBound = objects.some(
    ({ kind, subjects = [] }) =>
      kind === 'ClusterRoleBinding' && subjects.some(({ name }: Rendered) => name === spec.serviceAccountName),
  );
  return ['responder', 'all-in-one'].includes(role) && isBound ? [] : ['has a token of the Kubernetes API'];
}

/** Whether a path lies in a volume that has such a file. */
function isMounted(path: string, mounts: readonly Rendered[], volumes: readonly Rendered[]): boolean {
  const mount = mounts.find(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`));
  const volume = volumes.find(({ name }) => name === mount?.name);
  const items = volume?.secret?.items as { path: string }[] | undefined;
  return (
    volume !== undefined && (items === undefined || items.some((item) => `${mount?.mountPath}/${item.path}` === path))
  );
}

function objectProblems(object: Rendered, pods: readonly Pod[], objects: readonly Rendered[]): string[] {
  const { kind, spec } = object;
  if (kind === 'Secret') return ['secrets come by reference only'];
  if (kind === 'ClusterRole')
    return JSON.stringify(object['rules']).includes('*') ? ['allows everything of a kind'] : [];
  if (kind === 'Role' || kind === 'RoleBinding') return ['no role needs rights in its own namespace'];
  if (kind === 'HorizontalPodAutoscaler') {
    const target = spec.scaleTargetRef;
    const found = objects.find((each) => each.kind === target.kind && each.metadata.name === target.name);
    if (found === undefined) return [`scales ${target.name}, which is not there`];
    return found.spec.replicas === undefined ? [] : ['replicas are set by two'];
  }
  if (kind === 'Service')
    return portProblems(
      selected(spec.selector, pods),
      spec.ports.map((port: Rendered) => port.targetPort),
    );
  if (kind === 'PodDisruptionBudget')
    return selected(spec.selector.matchLabels, pods).length === 0 ? ['selects no pod'] : [];
  if (kind !== 'NetworkPolicy') return [];
  const named = spec.ingress.flatMap((rule: Rendered) => rule.ports.map(({ port }: Rendered) => port));
  return portProblems(selected(spec.podSelector.matchLabels, pods), named);
}

function selected(selector: Record<string, string>, pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(({ labels }) => Object.entries(selector).every(([key, value]) => labels[key] === value));
}

function portProblems(pods: readonly Pod[], names: readonly string[]): string[] {
  if (pods.length === 0) return ['selects no pod'];
  const known = pods.flatMap(({ spec }) => spec.containers.flatMap((each: Rendered) => each.ports ?? []));
  return names
    .filter((name) => !known.some((port: Rendered) => port.name === name))
    .map((name) => `no pod has the port ${name}`);
}

/** Pods that no network policy holds. */
export function openPods(objects: readonly Rendered[]): string[] {
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  return podsOf(objects)
    .filter((pod) => !policies.some(({ spec }) => selected(spec.podSelector.matchLabels, [pod]).length > 0))
    .map(({ owner }) => owner);
}
