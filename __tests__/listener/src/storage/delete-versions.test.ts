import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ObjectStore } from '../../../../listener/src/storage/object-store.ts';
import { createS3Store } from '../../../../listener/src/storage/s3-store.ts';
import { type ServedListing, type ServedVersion, startS3Server } from '../../support/s3-server.ts';

const never = new AbortController().signal;
const KEY = 'reports/a b+c.csv.json';
let listing: { versions: ServedListing['versions']; pageSize: number };
let server: Awaited<ReturnType<typeof startS3Server>>;
let store: ObjectStore;

const version = (key: string, versionId?: string): ServedVersion => ({
  key,
  ...(versionId === undefined ? {} : { versionId }),
  eTag: 'e',
  lastModified: new Date(0),
});
const marker = (key: string, versionId: string): ServedVersion => ({
  key,
  versionId,
  lastModified: new Date(0),
});
const left = () => listing.versions.bucket?.map(({ key, versionId }) => `${key} ${versionId}`);

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  listing = { versions: { bucket: [] }, pageSize: 2 };
  server = await startS3Server({}, { listing });
  store = createS3Store({ region: 'us-gov-west-1', endpoint: server.endpoint });
});
afterEach(async () => {
  store.close();
  await server.close();
  vi.unstubAllEnvs();
});

describe('deleting an object in all its versions', () => {
  it('deletes each version and each delete marker, over several pages', async () => {
    listing.versions.bucket = [
      marker(KEY, 'm2'),
      version(KEY, 'v3'),
      version(KEY, 'v2'),
      marker(KEY, 'm1'),
      version(KEY, 'v1'),
    ];
    expect(await store.deleteVersions({ bucket: 'bucket', key: KEY }, never)).toBe(5);
    expect(left()).toStrictEqual([]);
  });

  it('deletes the one version of a bucket that keeps none', async () => {
    listing.versions.bucket = [version(KEY)];
    expect(await store.deleteVersions({ bucket: 'bucket', key: KEY }, never)).toBe(1);
    expect(left()).toStrictEqual([]);
  });

  it('leaves keys that only begin with it', async () => {
    listing.versions.bucket = [
      version(KEY, 'v1'),
      version(`${KEY}.2`, 'v1'),
      version(`${KEY}/x`, 'v1'),
    ];
    expect(await store.deleteVersions({ bucket: 'bucket', key: KEY }, never)).toBe(1);
    expect(left()).toStrictEqual([`${KEY}.2 v1`, `${KEY}/x v1`]);
  });

  it('deletes a key with characters that XML has no form for', async () => {
    const key = 'reports/\u0001é&.json';
    listing.versions.bucket = [version(key, 'v1')];
    expect(await store.deleteVersions({ bucket: 'bucket', key }, never)).toBe(1);
    expect(left()).toStrictEqual([]);
  });

  it('finds nothing of an object that is gone', async () => {
    expect(await store.deleteVersions({ bucket: 'bucket', key: KEY }, never)).toBe(0);
  });

  it('throws where a version may not be deleted, and names the object', async () => {
    listing.versions.bucket = [version(KEY, 'v2'), version(KEY, 'AccessDenied-1')];
    await expect(store.deleteVersions({ bucket: 'bucket', key: KEY }, never)).rejects.toMatchObject(
      {
        name: 'StoreError',
        message: `s3://bucket/${KEY} can't be deleted: AccessDenied`,
      },
    );
    expect(left()).toStrictEqual([`${KEY} AccessDenied-1`]);
  });

  it('throws where versions may not be listed', async () => {
    const denied = store.deleteVersions({ bucket: 'bucket', key: 'AccessDenied.json' }, never);
    await expect(denied).rejects.toMatchObject({ name: 'StoreError' });
  });
});
