import {
  type ObjectStore,
  ObjectUnavailableError,
} from '../../../listener/src/storage/object-store.ts';
import { storeOf } from './stores.ts';

/** A store that keeps what routing does in it. */
export interface RoutingStore extends ObjectStore {
  /** By bucket and key: what was copied there, or the text that was written. */
  readonly objects: Map<string, string>;
  /** By bucket and key. */
  readonly tags: Map<string, Record<string, string>>;
  /** Each act as it was begun. */
  readonly begun: string[];
  /** Called with each act that was done; what it throws comes after the act, as when the process is killed. */
  after: (act: string) => Promise<void>;
}

/** A {@link storeOf} in which objects can be copied and tagged. */
export function routingStoreOf(content: string): RoutingStore {
  const objects = new Map<string, string>();
  const tags = new Map<string, Record<string, string>>();
  const begun: string[] = [];
  const store: RoutingStore = {
    ...storeOf(content),
    ...{ objects, tags, begun },
    after: async () => undefined,
    async write({ bucket, key }, body) {
      begun.push(`write ${bucket}/${key}`);
      objects.set(`${bucket}/${key}`, body);
      await store.after('write');
    },
    async copy(source, { bucket, key }) {
      begun.push(`copy ${bucket}/${key}`);
      objects.set(`${bucket}/${key}`, `${source.key}@${source.versionId}`);
      tags.delete(`${bucket}/${key}`);
      await store.after('copy');
      return { status: 'compared', algorithm: 'SHA256', reason: null };
    },
    async tag({ bucket, key, versionId }, added) {
      const name = `${bucket}/${key}`;
      begun.push(`tag ${name}`);
      // What was delivered has a version, and is always there.
      if (versionId === undefined && !objects.has(name)) {
        throw new ObjectUnavailableError('object-gone', `${name} is gone`);
      }
      const merged = { ...tags.get(name), ...added };
      if (Object.keys(merged).length > 10) return 'full';
      tags.set(name, merged);
      await store.after('tag');
      return 'tagged';
    },
  };
  return store;
}
