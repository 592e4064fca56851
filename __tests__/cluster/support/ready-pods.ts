import { type ApiServer, callApi, watchApi } from './api-client.ts';
import { isReady, type Pod } from './kubernetes-resource.ts';

/** How many pods took traffic while they were watched. */
export interface ReadyPods {
  /** The fewest at any moment. */
  readonly fewest: number;
  /** Images of all pods that were there. */
  readonly seen: ReadonlySet<string>;
  /** Ends the watch once it has told everything that happened until now. */
  stop(): Promise<void>;
}

/** Watches the pods of an app from now on: counts after every change of one of them. */
export async function watchReadyPods(
  server: ApiServer,
  namespace: string,
  app: string,
): Promise<ReadyPods> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`;
  const { metadata, items } = JSON.parse((await callApi(server, path)).body) as PodList;
  const pods = new Map(items.map((pod) => [pod.metadata.name, pod]));
  const seen = new Set<string>();
  const ready = () => [...pods.values()].filter(isReady).length;
  let fewest = ready();

  const end = new AbortController();
  const from = `${path}&resourceVersion=${metadata.resourceVersion}`;
  const watching = (async () => {
    for await (const { type, object } of watchApi<Pod>(server, from, end.signal)) {
      if (type === 'DELETED') pods.delete(object.metadata.name);
      else pods.set(object.metadata.name, object);
      for (const { image } of object.spec.containers) seen.add(image);
      fewest = Math.min(fewest, ready());
    }
  })();
  return {
    get fewest() {
      return fewest;
    },
    seen,
    async stop() {
      end.abort();
      await watching;
    },
  };
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Pod[];
}
