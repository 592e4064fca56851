import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readConfig } from '../../../../listener/src/config.ts';
import { openStore } from '../../../../listener/src/storage/open-store.ts';
import { startS3Server } from '../../support/s3-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('LOCAL_S3_ROOT stands in for S3', async () => {
  const root = await temporaryFolder();
  await writeFile(join(root, 'a.csv'), 'abc');
  const config = readConfig({ LOCAL_S3_ROOT: root }, { database: false, httpIntake: false });
  const object = { bucket: 'bucket', key: 'a.csv' };
  const opened = await openStore(config).open(object, new AbortController().signal);
  expect(opened.sizeBytes).toBe(3);
  for await (const chunk of opened.bytes) expect(Buffer.from(chunk).toString()).toBe('abc');
});

test('what is in a bucket of another account is read and written only while that account owns it', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  const server = await startS3Server({ 'theirs/a.csv': { body: 'abc', eTag: 'e1' } });
  const store = openStore(
    readConfig(
      {
        AWS_REGION: 'us-gov-west-1',
        AWS_ENDPOINT_URL: server.endpoint,
        S3_BUCKETS: '[{"name":"ours"},{"name":"theirs","account":"210987654321"}]',
      },
      { database: false, httpIntake: false },
    ),
  );
  onTestFinished(async () => {
    store.close();
    await server.close();
    vi.unstubAllEnvs();
  });
  const { signal } = new AbortController();
  const { bytes } = await store.open({ bucket: 'theirs', key: 'a.csv' }, signal);
  for await (const chunk of bytes) expect(Buffer.from(chunk).toString()).toBe('abc');
  await store.write({ bucket: 'theirs', key: 'reports/a.json' }, '{}', signal);
  await store.write({ bucket: 'ours', key: 'reports/a.json' }, '{}', signal);
  expect(server.owners).toEqual(['210987654321', '210987654321', undefined]);
});
