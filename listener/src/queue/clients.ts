import type { DeliveryBucket } from '@file-processing/contract/s3-event.ts';
import type { Database } from '../database/connection.ts';
import { compareSpecificity, matchesKey } from '../database/key-pattern.ts';
import { listMonitoringFiles, type MonitoringFile } from '../database/monitoring-files.ts';
import type { ClientsOf } from './queue.ts';

/** A changed client counts after this; which place a file has in the queue is no more exact than that. */
const KNOWN_FOR_MS = 5_000;

/** A pattern, and what a key that fits it begins with: most keys need no more of a look. */
interface Entry extends Pick<MonitoringFile, 'client' | 'keyPattern'> {
  readonly literal: string;
}

/**
 * Names the clients between whom the queue is shared out. A client is that of the monitored file; of a file that nobody
 * monitors it is the first folder below the prefix of S3_PREFIXES that the key begins with, and no name where there
 * is none.
 *
 * @param now in milliseconds
 */
export function clientsOfObjects(
  database: Database,
  buckets: readonly DeliveryBucket[],
  now: () => number = () => performance.now(),
): ClientsOf {
  let known: { readonly at: number; readonly entries: Promise<Map<string, Entry[]>> } | undefined;
  const entriesOf = () => {
    if (known === undefined || now() - known.at > KNOWN_FOR_MS) {
      const entries = readEntries(database);
      known = { at: now(), entries };
      entries.catch(() => {
        known = undefined;
      });
    }
    return known.entries;
  };
  return async (objects) => {
    if (objects.length === 0) return [];
    const entries = await entriesOf();
    return objects.map(({ bucket, key }) => {
      const entry = entries
        .get(bucket)
        ?.find(({ literal, keyPattern }) => key.startsWith(literal) && matchesKey(keyPattern, key));
      return entry?.client ?? folderOf(buckets, bucket, key);
    });
  };
}

/** Of each bucket, the most specific first. */
async function readEntries(database: Database): Promise<Map<string, Entry[]>> {
  const files = (await listMonitoringFiles(database)).filter(({ active }) => active);
  files.sort((a, b) => compareSpecificity(a.keyPattern, b.keyPattern));
  const entries = new Map<string, Entry[]>();
  for (const { bucket, client, keyPattern } of files) {
    const literal = keyPattern.replace(/[*?].*$/s, '');
    // What ends in `**` fits its own folder too, without the slash.
    const entry = { client, keyPattern, literal: literal.replace(/\/$/, '') };
    entries.set(bucket, [...(entries.get(bucket) ?? []), entry]);
  }
  return entries;
}

function folderOf(buckets: readonly DeliveryBucket[], bucket: string, key: string): string {
  const own = buckets.find(({ name }) => name === bucket) ?? buckets.find(({ name }) => !name);
  const prefix = (own?.prefixes ?? [])
    .filter((one) => key.startsWith(one))
    .reduce((longest, one) => (one.length > longest.length ? one : longest), '');
  const rest = key.slice(prefix.length).replace(/^\/+/, '');
  return rest.slice(0, Math.max(rest.indexOf('/'), 0));
}
