import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Config } from '../../../../listener/src/config.ts';
import {
  type ListedPage,
  type Listing,
  openListing,
} from '../../../../listener/src/storage/list-objects.ts';
import { type ServedVersion, startS3Server } from '../../support/s3-server.ts';

const time = new Date('2026-11-27T10:00:00Z');
const versions: Record<string, ServedVersion[]> = {};
let server: Awaited<ReturnType<typeof startS3Server>>;
let listing: Listing;

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  server = await startS3Server({}, { listing: { versions, pageSize: 3 } });
  listing = openListing({
    aws: { region: 'us-gov-west-1', endpoint: server.endpoint },
    s3: { buckets: [{ name: 'owned', prefixes: [], account: '210987654321' }] },
  } as unknown as Config);
});
afterEach(async () => {
  listing.close();
  await server.close();
  vi.unstubAllEnvs();
});

async function pagesOf(bucket: string, prefix = ''): Promise<ListedPage[]> {
  const pages: ListedPage[] = [];
  for await (const page of listing.pages(bucket, prefix)) pages.push(page);
  return pages;
}

test('a version is listed with what identifies it', async () => {
  versions.bucket = [{ key: 'in/a.csv', versionId: 'v1', eTag: 'e1', size: 8, lastModified: time }];
  expect(await pagesOf('bucket')).toEqual([
    {
      versions: [
        {
          ...{ key: 'in/a.csv', versionId: 'v1', eTag: 'e1', sizeBytes: 8, lastModified: time },
          isArchived: false,
        },
      ],
      deleteMarkers: 0,
    },
  ]);
});

test('an object of a bucket that keeps no versions has none', async () => {
  versions.bucket = [{ key: 'a.csv', eTag: 'e1', lastModified: time }];
  expect((await pagesOf('bucket'))[0]?.versions[0]).not.toHaveProperty('versionId');
});

test('an object that was put before the bucket kept versions is named as its old version is read', async () => {
  versions.bucket = [
    { key: 'a.csv', versionId: 'v1', eTag: 'e2', lastModified: time },
    { key: 'a.csv', eTag: 'e1', lastModified: time },
    { key: 'b.csv', eTag: 'e1', lastModified: time },
  ];
  const [page] = await pagesOf('bucket');
  expect(page?.versions.map(({ versionId }) => versionId)).toEqual(['v1', 'null', undefined]);
});

test.each([
  ['GLACIER', true],
  ['DEEP_ARCHIVE', true],
  ['GLACIER_IR', false],
])('an object of storage class %s is archived: %s', async (storageClass, expected) => {
  versions.bucket = [{ key: 'a.csv', eTag: 'e1', lastModified: time, storageClass }];
  expect((await pagesOf('bucket'))[0]?.versions[0]?.isArchived).toBe(expected);
});

test('delete markers are counted, not listed', async () => {
  versions.bucket = [
    { key: 'a.csv', versionId: 'v2', lastModified: time },
    { key: 'a.csv', versionId: 'v1', eTag: 'e1', lastModified: time },
  ];
  const [page] = await pagesOf('bucket');
  expect(page?.versions.map(({ versionId }) => versionId)).toEqual(['v1']);
  expect(page?.deleteMarkers).toBe(1);
});

test('all pages are listed, also where one ends between the versions of a key', async () => {
  versions.bucket = [1, 2, 3, 4, 5, 6, 7].map((number) => ({
    ...{ key: 'a.csv', versionId: `v${number}`, eTag: 'e', lastModified: time },
  }));
  const pages = await pagesOf('bucket');
  expect(pages.map((page) => page.versions.map(({ versionId }) => versionId))).toEqual([
    ['v1', 'v2', 'v3'],
    ['v4', 'v5', 'v6'],
    ['v7'],
  ]);
});

test('keys come as they are, whatever they hold, also where a page ends with them', async () => {
  const keys = ['a b+c.csv', 'b%20=&.csv', 'c\u0001\u001f.csv', 'd/ä€😀.csv'];
  versions.bucket = keys.map((key) => ({ key, eTag: 'e', lastModified: time }));
  const pages = await pagesOf('bucket');
  expect(pages.flatMap((page) => page.versions.map(({ key }) => key))).toEqual(keys);
});

test('only what begins with the prefix is asked for', async () => {
  versions.bucket = [
    { key: 'in/a.csv', eTag: 'e', lastModified: time },
    { key: 'out/a.csv', eTag: 'e', lastModified: time },
  ];
  const [page] = await pagesOf('bucket', 'in/');
  expect(page?.versions.map(({ key }) => key)).toEqual(['in/a.csv']);
});

test('an empty bucket is one page of nothing', async () => {
  versions.bucket = [];
  expect(await pagesOf('bucket')).toEqual([{ versions: [], deleteMarkers: 0 }]);
});

test('a bucket of another account is listed only while that account owns it', async () => {
  versions.owned = [];
  versions.bucket = [];
  await pagesOf('owned');
  await pagesOf('bucket');
  expect(server.owners).toEqual(['210987654321', undefined]);
});

test('a store that refuses is an error that names the place', async () => {
  await expect(pagesOf('bucket', 'AccessDenied/')).rejects.toMatchObject({
    name: 'StoreError',
    message: expect.stringMatching(/^s3:\/\/bucket\/AccessDenied\/ can't be listed: AccessDenied/),
  });
});
