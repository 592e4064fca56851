const GROUPS = {
  configmaps: '/api/v1',
  pods: '/api/v1',
  secrets: '/api/v1',
  services: '/api/v1',
  deployments: '/apis/apps/v1',
  horizontalpodautoscalers: '/apis/autoscaling/v2',
  jobs: '/apis/batch/v1',
  endpointslices: '/apis/discovery.k8s.io/v1',
  networkpolicies: '/apis/networking.k8s.io/v1',
  poddisruptionbudgets: '/apis/policy/v1',
} as const;

/** Types of namespaced objects that the tests read, as the API calls them. */
export type ResourceType = keyof typeof GROUPS;

/** Path of all objects of a type in a namespace (Kubernetes API concepts, "Resource URIs"). */
export function collectionPath(type: ResourceType, namespace: string): string {
  return `${GROUPS[type]}/namespaces/${namespace}/${type}`;
}
