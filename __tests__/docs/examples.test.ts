import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRuleFolder } from '../../listener/src/rules/rule-set.ts';
import { cli, eventOf } from '../listener/support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../listener/support/postgres.ts';
import { temporaryFolder } from '../listener/support/temporary-folder.ts';
import { ROOT } from '../support/run-main.ts';
import { codeBlocksIn, filesWrittenIn } from './support/markdown.ts';

const page = (path: string) => readFile(join(ROOT, path), 'utf8');

/** Writes the files that a page tells its reader to write. */
async function writeFilesOf(path: string, folder: string): Promise<void> {
  for (const file of filesWrittenIn(await page(path))) {
    await mkdir(dirname(join(folder, file.path)), { recursive: true });
    await writeFile(join(folder, file.path), file.content);
  }
}

describe('the first own rules', () => {
  const bucket = 'etl-ba-research-client-etl';
  const key = 'from_client/members.csv';
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('are tried by validate, with the output that getting-started shows', async () => {
    const folder = await temporaryFolder();
    await writeFilesOf('README.md', folder);
    const mapping = join(folder, 'my-rules/mappings/members.v1.json');
    const { code, out } = await cli(['validate', join(folder, 'members.csv'), '--schema', mapping]);
    expect(code).toBe(1);
    const [shown] = codeBlocksIn(await page('docs/getting-started.md')).filter(
      ({ language }) => language === 'text',
    );
    const lines = shown?.text.split('\n').filter((line) => /^ {2}[^.]/.test(line)) ?? [];
    expect(lines.length).toBe(5);
    for (const line of lines) expect(out).toContain(`\n${line}\n`);
  });

  it('are loaded by seed, and decide on the next delivery', async () => {
    const folder = await temporaryFolder();
    await writeFilesOf('README.md', folder);
    await mkdir(dirname(join(folder, bucket, key)), { recursive: true });
    await copyFile(join(folder, 'members.csv'), join(folder, bucket, key));
    const environment = { DATABASE_URL: database.url, LOCAL_S3_ROOT: folder };
    const job = ['run', 's3_data_quality_job', '--event-json', eventOf(bucket, key)];
    const seed = ['seed', join(folder, 'my-rules')];

    expect((await cli(job, environment)).out).toMatch(/^WARNED/);
    expect(await cli(seed, environment)).toMatchObject({ code: 0 });
    expect((await cli(job, environment)).out).toMatch(/^FAILED .*\n {2}4 faults in 2 of 3 rows/);

    await writeFilesOf('docs/getting-started.md', folder);
    expect(await cli(seed, environment)).toMatchObject({ code: 0 });
    expect((await cli(job, environment)).out).toMatch(/^WARNED .*\n {2}3 faults in rows, within/);
  });
});

it('the README shows what npm start finds in its sample', async () => {
  const { out } = await cli([
    'validate',
    join(ROOT, 'listener/local/samples/Officer_Detail.csv'),
    '--schema',
    join(ROOT, 'listener/seed/mappings/officer_detail.v1.json'),
  ]);
  const [shown] = codeBlocksIn(await page('README.md')).filter(
    ({ language }) => language === 'text',
  );
  const lines = shown?.text.split('\n').filter((line) => line.startsWith('  record ')) ?? [];
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(out).toContain(`\n${line.replace(/ \.\.\.$/, '')}`);
});

it('the example of the page about rules can be loaded', async () => {
  const folder = await temporaryFolder();
  const [mapping, monitored, rules, ...others] = codeBlocksIn(await page('docs/rules.md')).filter(
    ({ language }) => language === 'json',
  );
  expect(others).toEqual([]);
  expect(expectationProblems(JSON.parse(rules?.text ?? ''))).toEqual([]);
  for (const [path, block] of [
    ['mappings', mapping],
    ['monitoring_files', monitored],
  ] as const) {
    await mkdir(join(folder, path));
    await writeFile(join(folder, path, 'example.json'), block?.text ?? '');
  }
  const { mappings, monitoringFiles } = await readRuleFolder(folder, expectationProblems);
  expect(mappings).toHaveLength(1);
  expect(monitoringFiles[0]?.value.mappingName).toBe(mappings[0]?.value.name);
});
