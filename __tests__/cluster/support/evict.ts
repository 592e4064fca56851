import { type ApiAnswer, type ApiServer, callApi } from './api-client.ts';
import type { Pod } from './kubernetes-resource.ts';

/**
 * Asks for a pod's eviction, as a drain of its node does (Kubernetes, "API-initiated Eviction").
 *
 * @returns 201 when it goes, 429 when a disruption budget forbids it
 */
export function evict(server: ApiServer, pod: Pod | undefined): Promise<ApiAnswer> {
  if (pod === undefined) throw new Error('there is no pod to evict');
  const { name, namespace } = pod.metadata;
  return callApi(server, `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
  });
}
