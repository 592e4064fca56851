import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../../../listener/src/config.ts';
import { openStore } from '../../../../listener/src/storage/open-store.ts';
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
