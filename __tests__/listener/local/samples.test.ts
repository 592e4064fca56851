import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn } from '../../../listener/local/drop-folder.ts';
import { prepareDropFolder, sampleKey } from '../../../listener/local/samples.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const settings = { bucket: 'bucket', filters: [{ prefix: 'from_client/', suffix: '' }] };

test('the first start has a sample in the bucket', async () => {
  const root = join(await temporaryFolder(), 'data');
  expect(await prepareDropFolder(root, settings)).toBe(true);
  const [path = ''] = await filesIn(root);
  expect(path).toBe(join(root, 'bucket/from_client/nm_albuquerque/Officer_Detail.csv'));
  expect(await readFile(path, 'utf8')).toContain('officer_id');
});

test('a sample that was removed does not come back', async () => {
  const root = join(await temporaryFolder(), 'data');
  await prepareDropFolder(root, settings);
  for (const path of await filesIn(root)) await rm(path);
  expect(await prepareDropFolder(root, settings)).toBe(false);
  expect(await filesIn(root)).toEqual([]);
});

test.each([
  [{ prefix: 'in/', suffix: '' }, 'in/nm_albuquerque/Officer_Detail.csv'],
  [{ prefix: '', suffix: '.csv' }, 'nm_albuquerque/Officer_Detail.csv'],
  [{ prefix: '', suffix: '.CSV' }, 'nm_albuquerque/Officer_Detail.CSV'],
])('the key of the sample passes the filter %j', (filter, key) => {
  expect(sampleKey([filter])).toBe(key);
});
