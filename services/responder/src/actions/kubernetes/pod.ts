import { z } from 'zod';

const ContainerStatuses = z.array(z.looseObject({ name: z.string(), containerID: z.string().optional() })).default([]);

/** What guards look at in a pod. Anything else is left alone. */
export const Pod = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    uid: z.string().min(1),
    resourceVersion: z.string().min(1),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().optional(),
    ownerReferences: z
      .array(z.looseObject({ kind: z.string(), name: z.string(), controller: z.boolean().optional() }))
      .default([]),
  }),
  spec: z.looseObject({
    nodeName: z.string().optional(),
    hostNetwork: z.boolean().default(false),
    priorityClassName: z.string().default(''),
  }),
  status: z
    .looseObject({
      containerStatuses: ContainerStatuses,
      initContainerStatuses: ContainerStatuses,
      ephemeralContainerStatuses: ContainerStatuses,
    })
    .prefault({}),
});
export type Pod = z.output<typeof Pod>;

/** Sensors cut ids at 12 digits; less proves nothing. */
const ID_LEAST = 12;

/** Whether a container with that id, whole or cut, runs or ran in the pod. */
export function hasContainer({ status }: Pod, id: string): boolean {
  if (id.length < ID_LEAST || !/^[0-9a-f]+$/.test(id)) return false;
  return [...status.containerStatuses, ...status.initContainerStatuses, ...status.ephemeralContainerStatuses].some(
    ({ containerID = '' }) => containerID.slice(containerID.indexOf('://') + 3).startsWith(id),
  );
}

export function controllerOf({ metadata }: Pod): { readonly kind: string; readonly name: string } | undefined {
  return metadata.ownerReferences.find(({ controller }) => controller === true);
}
