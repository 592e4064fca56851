import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDefinitions } from '../../listener/src/database/definitions.ts';
import { cli, eventOf } from '../listener/support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { temporaryFolder } from '../listener/support/temporary-folder.ts';
import { ROOT } from '../support/run-main.ts';
import { codeBlocksIn } from './support/markdown.ts';

const page = (name: string) => readFile(join(ROOT, 'docs', name), 'utf8');

describe('the first own rule of getting-started', () => {
  const bucket = 'etl-ba-research-client-etl';
  const key = 'from_client/members.csv';
  let text: string;
  let database: TestDatabase;
  beforeAll(async () => {
    text = await page('getting-started.md');
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** The files that the page tells its reader to save. */
  async function savedFiles(): Promise<string> {
    const folder = await temporaryFolder();
    const files = text.matchAll(/<!-- file (\S+) -->\n\n```[a-z]+\n([\s\S]*?)^```$/gm);
    for (const [, path = '', block = ''] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), block);
    }
    return folder;
  }

  it('is tried by validate, with the output that the page shows', async () => {
    const folder = await savedFiles();
    const mapping = join(folder, 'my-rules/mappings/members.v1.json');
    const { code, out } = await cli(['validate', join(folder, 'members.csv'), '--schema', mapping]);
    expect(code).toBe(1);
    const shown = codeBlocksIn(text).find(({ language }) => language === 'text')?.text ?? '';
    const lines = shown.split('\n').filter((line) => !/^\s*(\.\.\.)?$|members\.csv$/.test(line));
    expect(lines.length).toBe(5);
    for (const line of lines) expect(out).toContain(`\n${line}\n`);
  });

  it('is loaded by seed, and then the delivery fails', async () => {
    const folder = await savedFiles();
    await mkdir(dirname(join(folder, bucket, key)), { recursive: true });
    await copyFile(join(folder, 'members.csv'), join(folder, bucket, key));
    const environment = { DATABASE_URL: database.url, LOCAL_S3_ROOT: folder };
    const job = ['run', 's3_data_quality_job', '--event-json', eventOf(bucket, key)];
    expect((await cli(job, environment)).out).toContain('PASSED');
    expect(await cli(['seed', join(folder, 'my-rules')], environment)).toMatchObject({
      code: 0,
      out: 'mappings: 1 found, 1 changed\nmonitored files: 1 found, 1 changed\n',
    });
    expect((await cli(job, environment)).out).toContain('4 faults in 2 of 3 rows');
  });
});

it('the example of the page about rules can be loaded', async () => {
  const folder = await temporaryFolder();
  const [mapping, monitored, ...others] = codeBlocksIn(await page('rules.md')).filter(
    ({ language }) => language === 'json',
  );
  expect(others).toEqual([]);
  for (const [path, block] of [
    ['mappings', mapping],
    ['monitoring_files', monitored],
  ] as const) {
    await mkdir(join(folder, path));
    await writeFile(join(folder, path, 'example.json'), block?.text ?? '');
  }
  const { mappings, monitoringFiles } = await readDefinitions(folder, expectationProblems);
  expect(mappings).toHaveLength(1);
  expect(monitoringFiles[0]?.value.mappingName).toBe(mappings[0]?.value.name);
});
