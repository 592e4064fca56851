import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { storeMapping } from '../../../../listener/src/database/mappings.ts';
import { upsertMonitoringFile } from '../../../../listener/src/database/monitoring-files.ts';
import { cli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { OFFICER_RULES, OFFICERS, OFFICERS_FILE, ruleFolder } from '../../support/rule-sets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function sample(path: string, content: string): Promise<string> {
  const file = join(await temporaryFolder(), path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

/** A rule set that has files copied. */
const ROUTED_RULES = {
  ...OFFICER_RULES,
  'monitoring_files/nm/officers.yaml': {
    ...OFFICERS_FILE,
    onVerdict: { copy: { bucket: 'checked-files', prefix: 'nm/' } },
  },
};

describe('rules check', () => {
  test('a rule set without fault is summed up', async () => {
    const { code, out } = await cli(['rules', 'check', await ruleFolder(OFFICER_RULES)]);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/: 1 mapping, 1 monitored file, digest [0-9a-f]{12}\n$/),
    ]);
  });

  test('all faults are told, each with file, line and column, and the code is 2', async () => {
    const folder = await ruleFolder({
      'mappings/a.yaml': 'name: a\ntableSchema:\n  fields:\n    - name: n\n      type: strin\n',
      'mappings/b.yaml': 'name: B\ntableSchema: {}\n',
      'monitoring_files/c.yaml': { ...OFFICERS_FILE, bucket: 'B' },
    });
    const { code, err } = await cli(['rules', 'check', folder]);
    expect(code).toBe(2);
    expect(err).toContain('- mappings/a.yaml:5:7: tableSchema.fields[0].type: is "strin"');
    expect(err).toContain('- mappings/b.yaml:1:1: name: is "B"');
    expect(err).toContain('- monitoring_files/c.yaml:1:');
  });

  test('with --json the faults are data', async () => {
    const folder = await ruleFolder({ 'mappings/b.yaml': 'name: B\ntableSchema: {}\n' });
    const { code, out, err } = await cli(['rules', 'check', folder, '--json']);
    expect([code, err]).toEqual([2, '']);
    expect(JSON.parse(out).faults).toMatchObject([
      { file: 'mappings/b.yaml', path: 'name', place: { line: 1, column: 1 } },
      { path: 'tableSchema.fields' },
    ]);
  });

  test('what the settings do not allow is refused where they are known, and only there', async () => {
    const folder = await ruleFolder(ROUTED_RULES);
    expect((await cli(['rules', 'check', folder])).code).toBe(0);
    const { code, err } = await cli(['rules', 'check', folder], { ROUTING_TAGS: 'false' });
    expect(code).toBe(2);
    expect(err).toMatch(/onVerdict\.copy: is checked-files\/nm\/; allowed .*: no place/);
    const ROUTING_TARGETS = '[{"bucket":"checked-files","prefix":"nm/"}]';
    expect((await cli(['rules', 'check', folder], { ROUTING_TARGETS })).code).toBe(0);
  });

  test('a folder that is not there is a fault of the call', async () => {
    expect(await cli(['rules', 'check', '/nowhere'])).toMatchObject({
      code: 2,
      err: 'there is no folder /nowhere\n',
    });
  });

  test('foreign keys of another file are compared with the sample of that file', async () => {
    const foreignKeys = [{ fields: 'officer', reference: { resource: 'officers', fields: 'n' } }];
    const folder = await ruleFolder({
      ...OFFICER_RULES,
      'mappings/stops.yaml': {
        name: 'stops',
        tableSchema: { fields: [{ name: 'officer', type: 'integer' }], foreignKeys },
      },
      'monitoring_files/stops.yaml': {
        ...OFFICERS_FILE,
        keyPattern: 'stops.csv',
        mapping: 'stops',
      },
    });
    const stops = await sample('stops.csv', 'officer\n1\n3\n');
    const officers = await sample('from_client/nm/officers.csv', 'n\n1\n2\n');
    const alone = await cli(['rules', 'check', folder, stops]);
    expect([alone.code, alone.out]).toEqual([0, expect.stringContaining('rule not judged')]);
    const both = await cli(['rules', 'check', folder, stops, officers]);
    expect([both.code, both.out]).toEqual([
      1,
      expect.stringContaining(
        'record 3, line 3, column 1 (officer): foreign-key: No row of officers',
      ),
    ]);
    const bad = await sample('from_client/nm/officers.csv', 'n\nx\n');
    expect((await cli(['rules', 'check', folder, stops, bad])).out).toContain(
      'was not judged, since it is failed.',
    );
  });

  test('a monitored file whose mapping the set lacks is a fault', async () => {
    const folder = await ruleFolder({ 'monitoring_files/a.yaml': OFFICERS_FILE });
    const { code, err } = await cli(['rules', 'check', folder]);
    expect([code, err]).toEqual([2, expect.stringContaining("there is no mapping 'officers'")]);
  });

  test.each([
    ['passes', 0, 'PASSED', 'n\n1\n'],
    ['fails', 1, 'FAILED', 'n\nx\n'],
  ])(
    'a sample %s by the mapping that the end of its path fits',
    async (_name, code, word, text) => {
      const file = await sample('from_client/nm/2026/officers.csv', text);
      const result = await cli(['rules', 'check', await ruleFolder(OFFICER_RULES), file]);
      expect(result.code).toBe(code);
      expect(result.out).toContain(`${word}  ${file}`);
      expect(result.out).toContain('  chosen by monitoring_files/nm/officers.yaml\n');
    },
  );

  test('a sample that no pattern fits has no rule, and the code is 1', async () => {
    const file = await sample('officers.csv', 'n\n1\n');
    const { code, out } = await cli(['rules', 'check', await ruleFolder(OFFICER_RULES), file]);
    expect(code).toBe(1);
    expect(out).toContain(`NO RULE  ${file}: no pattern`);
  });

  test('where several buckets fit, the folder of the bucket says which', async () => {
    const rules = await ruleFolder({
      ...OFFICER_RULES,
      'mappings/others.yaml': { ...OFFICERS, name: 'others' },
      'monitoring_files/others.yaml': { ...OFFICERS_FILE, bucket: 'second', mapping: 'others' },
    });
    const somewhere = await sample('from_client/nm/officers.csv', 'n\n1\n');
    expect((await cli(['rules', 'check', rules, somewhere])).out).toContain('several buckets fit');
    const inBucket = await sample('second/from_client/nm/officers.csv', 'n\n1\n');
    expect((await cli(['rules', 'check', rules, inBucket])).out).toContain('rules: others');
  });
});

describe('with a database', () => {
  let given: TestDatabase;
  beforeAll(async () => {
    given = await createTestDatabase();
  });
  afterAll(() => given.drop());
  beforeEach(() => given.database.raw('TRUNCATE rule_sets, monitoring_files, mappings CASCADE'));

  const rules = (...parameters: string[]) =>
    cli(['rules', ...parameters], { DATABASE_URL: given.url });

  test('diff and apply --dry-run say what apply does, and change nothing', async () => {
    const folder = await ruleFolder(OFFICER_RULES);
    const { out } = await rules('diff', folder);
    expect(out).toMatch(/^\+ mapping officers 1 \(mappings\/officers.yaml\): created: the content/);
    expect(out).toContain('2 changes to apply; 1 mapping, 1 monitored file');
    expect((await rules('apply', folder, '--dry-run')).out).toBe(out);
    expect((await rules('apply', folder)).out).toBe(out.replace('to apply', 'applied'));
    expect((await rules('apply', folder)).out).toMatch(/^nothing to change; /);
  });

  test('a row made by hand is named, shown, retired, and then given to the rule set', async () => {
    const mapping = { ...OFFICERS, version: 1, dialect: {}, thresholds: {} };
    await storeMapping(given.database, mapping);
    await upsertMonitoringFile(given.database, {
      ...{ client: 'me', bucket: 'bucket', keyPattern: OFFICERS_FILE.keyPattern },
      ...{ mappingName: 'officers', mappingVersion: 1, active: true, description: '' },
    });
    const folder = await ruleFolder(OFFICER_RULES);
    expect((await rules('apply', folder)).out).toContain(
      '= monitored file bucket/from_client/nm/**/officers.csv: made by hand, left alone; it counts',
    );
    const listed = JSON.parse((await rules('list', '--json')).out);
    const id = `${listed.monitoringFiles[0].id}`;
    expect((await rules('list')).out).toMatch(/me +active +officers 1 +by hand/);
    expect((await rules('show', id)).out).toMatch(/^# made by hand\nclient: me\n/);
    expect((await rules('retire', id)).out).toContain('retired: bucket/from_client');
    expect(await rules('retire', id)).toMatchObject({ code: 2 });
    expect((await rules('list')).out).toContain('0 monitored files; rule set');
    expect((await rules('list', '--all')).out).toMatch(/me +retired/);
    await rules('apply', folder);
    expect(await rules('retire', id)).toMatchObject({
      code: 2,
      err: expect.stringContaining('delete the file there'),
    });
  });

  test('delivery rules of a mapping are applied, compared and shown', async () => {
    const ruled = (min: number) => ({
      ...OFFICER_RULES,
      'mappings/officers.yaml': {
        ...OFFICERS,
        rules: [{ rule: 'RowCount', fail: { min } }],
      },
    });
    const folder = await ruleFolder(ruled(2));
    const file = await sample('from_client/nm/2026/officers.csv', 'n\n1\n');
    expect((await rules('check', folder, file)).out).toContain('FAILED');
    await rules('apply', folder);
    expect((await rules('show', 'officers@1')).out).toContain('rule: RowCount');
    expect((await rules('apply', folder)).out).toMatch(/^nothing to change; /);
    expect((await rules('diff', await ruleFolder(ruled(3)))).out).toContain('officers 2');
  });

  test('a mapping is shown as a file of a rule set has it', async () => {
    await rules('apply', await ruleFolder(OFFICER_RULES));
    const { out } = await rules('show', 'officers@1');
    expect(out).toMatch(
      /^# from mappings\/officers.yaml\nname: officers\nversion: 1\ntableSchema:/,
    );
    expect(out).not.toMatch(/dialect|thresholds|rules|null/);
    expect((await rules('show', 'officers')).out).toBe(out);
    expect(await rules('show', 'officers@2')).toMatchObject({
      code: 2,
      err: 'there is no mapping officers@2; versions: 1\n',
    });
  });

  test('seed takes what the rule set says as well, and refuses what it says otherwise', async () => {
    await rules('apply', await ruleFolder(OFFICER_RULES));
    const seed = async (client: string) =>
      cli(
        [
          'seed',
          await ruleFolder({
            'mappings/officers.json': { ...OFFICERS, version: 1 },
            'monitoring_files/a.json': {
              ...{ ...OFFICERS_FILE, client },
              mapping: { name: 'officers', version: 1 },
            },
          }),
        ],
        { DATABASE_URL: given.url },
      );
    expect(await seed('nm')).toMatchObject({ code: 0 });
    expect(await seed('another')).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'otherwise of this pattern in monitoring_files/nm/officers.yaml',
      ),
    });
  });
});
