import type { ClusterTarget } from '@eyrie/platform/connections';
import { AppError } from '@eyrie/platform/errors';
import type { HttpClient } from '@eyrie/platform/http-client';
import { callKubernetes } from '@eyrie/platform/kubernetes';
import { z } from 'zod';
import type { Permission } from '../action.ts';

const Review = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });

/**
 * What the service account may not do, as `verb resource`. The server itself is asked (SelfSubjectAccessReview, which everybody
 * may), so roles, bindings and webhooks of any kind count.
 * @throws HttpError, AppError EYRIE_ACTION_FAILED when it cannot be asked
 */
export async function missingPermissions(
  http: HttpClient,
  target: ClusterTarget,
  permissions: readonly Permission[],
  timeoutMs: number,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const { group, resource, verbs } of permissions) {
    for (const verb of verbs) {
      const [name = '', subresource] = resource.split('/');
      const attributes = { group, resource: name, verb, ...(subresource !== undefined && { subresource }) };
      const answer = await callKubernetes(http, target, {
        method: 'POST',
        path: ['apis', 'authorization.k8s.io', 'v1', 'selfsubjectaccessreviews'],
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: attributes },
        },
        timeoutMs,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const parsed = Review.safeParse(answer.body);
      if (answer.status !== 201 || !parsed.success) {
        throw new AppError('EYRIE_ACTION_FAILED', `the API server answered ${answer.status}: ${answer.message}`);
      }
      if (!parsed.data.status.allowed) missing.push(`${verb} ${resource}${group === '' ? '' : `.${group}`}`);
    }
  }
  return missing;
}
