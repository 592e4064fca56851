import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  missingMappings,
  missingReferences,
  RuleSetError,
  readRuleFolder,
  refusedRouting,
  ruleFilesIn,
} from '../../../../listener/src/rules/rule-set.ts';
import { OFFICER_RULES, OFFICERS, OFFICERS_FILE, ruleSet } from '../../support/rule-sets.ts';

test('the message has one line a fault, without empty parts', () => {
  const error = new RuleSetError('seed', [
    { file: 'mappings/a.json', path: 'name', message: 'is missing' },
    { file: '', path: '', message: 'nothing to load' },
  ]);
  expect(error.message.split('\n')).toEqual([
    "the rule set in seed can't be used:",
    '- mappings/a.json: name: is missing',
    '- nothing to load',
  ]);
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'definitions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const MAPPING = { name: 'officers', version: 1, tableSchema: {} };
const FILE = {
  client: 'nm',
  bucket: 'bucket',
  keyPattern: 'a/**/b.csv',
  mapping: { name: 'officers', version: 1 },
};

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(
    join(folder, path),
    typeof content === 'string' ? content : JSON.stringify(content),
  );
}

async function faults(check: Parameters<typeof readRuleFolder>[1] = () => []) {
  const error = await readRuleFolder(folder, check).then(
    () => undefined,
    (error: unknown) => error,
  );
  return error instanceof RuleSetError ? error.faults : error;
}

test('what is left out gets its default', async () => {
  write('mappings/m.json', MAPPING);
  write('monitoring_files/f.json', FILE);
  const { mappings, monitoringFiles } = await readRuleFolder(folder, () => []);
  expect(mappings[0]?.value).toStrictEqual({ ...MAPPING, dialect: {}, thresholds: {} });
  expect(monitoringFiles[0]?.value).toMatchObject({ active: true, description: '' });
});

test('a file that begins with a byte order mark is read', async () => {
  write('mappings/m.json', `\uFEFF${JSON.stringify(MAPPING)}`);
  const { mappings } = await readRuleFolder(folder, () => []);
  expect(mappings[0]?.value.name).toBe('officers');
});

test('the faults of all files are reported together, with file and path', async () => {
  write('mappings/a.json', '{');
  write('mappings/b.json', { ...MAPPING, name: 'Not An Identifier', version: 0, colour: 1 });
  write('monitoring_files/c.json', { ...FILE, bucket: 'B', keyPattern: 'a**b', active: 'yes' });
  write('monitoring_files/d.json', { ...FILE, mapping: { name: 'officers', version: '1' } });
  expect(await faults()).toMatchObject([
    { file: 'mappings/a.json', path: '', message: expect.stringContaining('is not JSON') },
    { file: 'mappings/b.json', path: 'colour', message: expect.stringContaining('known: name') },
    { file: 'mappings/b.json', path: 'name', message: expect.stringContaining('identifier') },
    { file: 'mappings/b.json', path: 'version', message: expect.stringContaining('is 0') },
    { file: 'monitoring_files/c.json', path: 'bucket' },
    { file: 'monitoring_files/c.json', path: 'keyPattern' },
    { file: 'monitoring_files/c.json', path: 'active' },
    {
      file: 'monitoring_files/d.json',
      path: 'mapping.version',
      message: 'is "1"; allowed: a whole number from 1 to 1000000000',
    },
  ]);
});

test('what the quality checks say of a schema is reported under its own name', async () => {
  write('mappings/a.json', MAPPING);
  const check = () => [{ path: 'schema.fields[0].type', message: 'is not a type' }];
  expect(await faults(check)).toMatchObject([
    { file: 'mappings/a.json', path: 'tableSchema.fields[0].type', message: 'is not a type' },
  ]);
});

test('two files that define the same are a fault that names both', async () => {
  write('mappings/a.json', MAPPING);
  write('mappings/b.json', MAPPING);
  expect(await faults()).toMatchObject([
    {
      file: 'mappings/b.json',
      path: '',
      message: "mapping 'officers' version 1 is defined by mappings/a.json already",
    },
  ]);
});

test('a folder with nothing to load is a fault', async () => {
  expect(await faults()).toEqual([
    expect.objectContaining({ message: expect.stringContaining('nothing to load') }),
  ]);
});

const YAML_FILE = `client: nm
bucket: bucket
keyPattern: a/**/b.csv
mapping: officers
contact:
  email: data@agency.example
schedule: { cron: '0 6 * * 1', timeZone: America/Denver, grace: PT6H }
severity: high
classification: internal
`;

test('definitions may be YAML, in any folder below, and say whom to ask and when it is due', async () => {
  write('mappings/officers.yaml', 'name: officers\ntableSchema: {}\n');
  write('monitoring_files/nm/officers.yml', YAML_FILE);
  const { mappings, monitoringFiles } = await readRuleFolder(folder, () => []);
  expect(mappings[0]?.value.version).toBeUndefined();
  expect(monitoringFiles).toMatchObject([
    {
      file: 'monitoring_files/nm/officers.yml',
      value: {
        ...{ mappingName: 'officers', mappingVersion: undefined, severity: 'high' },
        contact: { email: 'data@agency.example' },
        schedule: { cron: '0 6 * * 1', timeZone: 'America/Denver', grace: 'PT6H' },
      },
    },
  ]);
});

test('a fault says the line and column of what is wrong, or of what it is missing from', async () => {
  write('mappings/m.yaml', 'name: officers\ntableSchema:\n  fields:\n    - type: strin\n');
  const check = () => [
    { path: 'schema.fields[0].type', message: 'is not a type' },
    { path: 'schema.fields[0].name', message: 'is missing' },
  ];
  expect(await faults(check)).toMatchObject([
    { place: { line: 4, column: 7 } },
    { place: { line: 4, column: 7 } },
  ]);
  await expect(readRuleFolder(folder, check)).rejects.toThrow(
    '- mappings/m.yaml:4:7: tableSchema.fields[0].type: is not a type',
  );
});

test.each([
  ['an alias', 'name: &a officers\ntableSchema: { title: *a }\n', 'aliases are not allowed'],
  ['a key that is not text', '1: officers\n', 'a key must be a text'],
  ['a key twice', 'name: a\nname: b\n', 'unique'],
  ['the key __proto__', '__proto__: {}\n', '__proto__ is not allowed'],
  ['a number without end', 'version: .inf\n', 'must be finite'],
  ['a tag', 'name: !secret x\n', 'tag'],
  ['a list', '- a\n', 'is not a YAML mapping'],
])('%s is refused, with its place', async (_name, text, message) => {
  write('mappings/m.yaml', text);
  expect(await faults()).toMatchObject([{ message: expect.stringContaining(message) }]);
});

test.each([
  ['contact', {}, "'name' or 'email'"],
  ['contact', { email: 'not an address' }, 'an e-mail address such as'],
  ['contact', { email: 'ana@intranet' }, 'an e-mail address such as'],
  ['contact', { email: 'Ana <ana@example.org>' }, 'an e-mail address such as'],
  ['contact', { email: 5 }, 'an e-mail address such as'],
  ['contact', { phone: '5' }, 'is not known'],
  ['contact', { emai: 'a@b.org' }, 'is not known; did you mean email?'],
  ['schedule', { cron: '0 6 * * *', gracee: 'P1D' }, 'is not known; did you mean grace?'],
  ['schedule', { cron: '0 6 * *' }, 'five fields'],
  ['schedule', { cron: '0 25 * * *' }, 'five fields'],
  ['schedule', { cron: '*/10 * * * *' }, 'at least 15 minutes apart'],
  ['schedule', { cron: '5,55 0,23 * * *' }, 'at least 15 minutes apart'],
  ['schedule', { cron: '0 0,12 31 2 *' }, 'five fields'],
  ['schedule', { cron: 'H 6 * * *' }, 'five fields'],
  ['schedule', {}, "one of 'cron' (due times) and 'every'"],
  ['schedule', { cron: '0 6 * * *', every: 'P1D' }, "one of 'cron' (due times) and 'every'"],
  ['schedule', { every: 'P2W' }, 'P1D, P1W, P1M, P3M, P6M, P1Y'],
  ['schedule', { every: 'P1M', due: '5 days' }, 'ISO 8601'],
  ['schedule', { cron: '0 6 * * *', due: 'P5D' }, "beside 'every' alone"],
  ['schedule', { cron: '0 6 * * *', early: 'soon' }, 'ISO 8601'],
  ['schedule', { cron: '0 6 * * *', dated: 'yes' }, 'true, false'],
  ['schedule', { cron: '0 6 * * *', set: 'Monthly Set' }, 'lower-case letters'],
  ['schedule', { cron: '0 6 * * *', holidays: 'us' }, "'calendar' or 'days'"],
  ['schedule', { cron: '0 6 * * *', holidays: { on: 'skip', days: [] } }, 'next'],
  ['schedule', { cron: '0 6 * * *', holidays: { on: 'drop', days: ['2026-02-30'] } }, 'a day such'],
  ['schedule', { cron: '0 6 * * *', holidays: { on: 'drop', calendar: 'us' } }, 'rule set: none'],
  [
    'schedule',
    { cron: '0 6 * * *', holidays: { on: 'drop', days: [], weekend: ['sat'] } },
    'a list of sunday, monday',
  ],
  ['schedule', { cron: '0 6 * * *', timeZone: 'Denver' }, 'a zone such as'],
  ['schedule', { cron: '0 6 * * *', grace: '6h' }, 'ISO 8601'],
  ['severity', 'urgent', 'low, medium, high, critical'],
  ['classification', 'secret', 'public, internal, sensitive'],
])('a %s of %j is refused', async (name, value, message) => {
  write('mappings/m.json', MAPPING);
  write('monitoring_files/f.json', { ...FILE, [name]: value });
  expect(await faults()).toMatchObject([
    { path: expect.stringMatching(`^${name}`), message: expect.stringContaining(message) },
  ]);
});

test('no message shows an e-mail address', async () => {
  write('monitoring_files/f.json', { ...FILE, contact: { email: 'jane doe@agency.example' } });
  expect(JSON.stringify(await faults())).not.toContain('jane');
});

test('the files of a mapping all have a version or none has', async () => {
  write('mappings/a.json', { name: 'officers', tableSchema: {} });
  write('mappings/b.json', MAPPING);
  expect(await faults()).toMatchObject([
    { file: 'mappings/a.json', message: expect.stringContaining('mappings/b.json') },
  ]);
});

test.each([
  ['another name', { name: 'officer', version: 1 }, 'there are: officers'],
  ['another version', { name: 'officers', version: 2 }, 'versions: 1'],
])('a monitored file that names %s of a mapping lacks it', async (_name, mapping, message) => {
  write('mappings/a.json', MAPPING);
  write('monitoring_files/f.json', { ...FILE, mapping });
  expect(missingMappings(await readRuleFolder(folder, () => []))).toMatchObject([
    { path: 'mapping', message: expect.stringContaining(message) },
  ]);
});

const REFERENCES = {
  'mappings/stops.json': {
    name: 'stops',
    tableSchema: {
      fields: [{ name: 'officer', type: 'integer' }],
      foreignKeys: [{ fields: 'officer', reference: { resource: 'officers', fields: 'n' } }],
    },
  },
  'monitoring_files/stops.json': { ...OFFICERS_FILE, keyPattern: 'stops.csv', mapping: 'stops' },
};

test('foreign keys of a file that the client has in the rule set are sound', () => {
  expect(missingReferences(ruleSet({ ...OFFICER_RULES, ...REFERENCES }))).toEqual([]);
});

test.each([
  ['mappings/stops.json', 'no mapping of that name; there are: stops', {}],
  [
    'mappings/stops.json',
    "names 'n', which is not a field of the mapping 'officers'; fields: badge",
    {
      ...OFFICER_RULES,
      'mappings/officers.yaml': { ...OFFICERS, tableSchema: { fields: [{ name: 'badge' }] } },
    },
  ],
  [
    'mappings/stops.json',
    "names 'n' of type any, and 'officer' is of type integer; one type is needed",
    {
      ...OFFICER_RULES,
      'mappings/officers.yaml': { ...OFFICERS, tableSchema: { fields: [{ name: 'n' }] } },
    },
  ],
  [
    'monitoring_files/stops.json',
    "has foreign keys of 'officers' (n), and no active file of the same client has that mapping",
    {
      ...OFFICER_RULES,
      'monitoring_files/nm/officers.yaml': { ...OFFICERS_FILE, client: 'other' },
    },
  ],
  [
    'monitoring_files/stops.json',
    '2 active files of the same client have that mapping; one is needed',
    { ...OFFICER_RULES, 'monitoring_files/b.yaml': { ...OFFICERS_FILE, keyPattern: 'b.csv' } },
  ],
])('a foreign key of another file is refused in %s that %s', (file, message, others) => {
  expect(missingReferences(ruleSet({ ...others, ...REFERENCES }))).toMatchObject([
    { file, message: expect.stringContaining(message) },
  ]);
});

test('the digest is that of what sha256sum prints of the files, and of nothing else', async () => {
  write('mappings/a.json', MAPPING);
  const before = await readRuleFolder(folder, () => []);
  write('README.md', 'for people');
  write('mappings/.a.json.swp', 'of an editor');
  expect((await readRuleFolder(folder, () => [])).digest).toBe(before.digest);
  const [sha256] = execFileSync('sh', ['-c', 'sha256sum mappings/* | sha256sum'], { cwd: folder })
    .toString()
    .split(' ');
  expect(before.digest).toBe(sha256);
  write('mappings/a.json', { ...MAPPING, dialect: {} });
  expect((await readRuleFolder(folder, () => [])).digest).not.toBe(before.digest);
});

test('a ConfigMap is read as Kubernetes mounts it, by links', async () => {
  write('..2026_11_28/mappings/a.json', MAPPING);
  symlinkSync('..2026_11_28', join(folder, '..data'));
  symlinkSync('..data/mappings', join(folder, 'mappings'));
  expect((await readRuleFolder(folder, () => [])).mappings).toHaveLength(1);
});

test('the keys of a mounted ConfigMap are read as the paths that they stand for', async () => {
  write('..2026_11_28/mappings..nm..a.json', MAPPING);
  write('..2026_11_28/rules-of-others.json', MAPPING);
  symlinkSync('..2026_11_28', join(folder, '..data'));
  symlinkSync('..data/mappings..nm..a.json', join(folder, 'mappings..nm..a.json'));
  expect([...(await ruleFilesIn(folder)).keys()]).toEqual(['mappings/nm/a.json']);
});

test('such names stand for nothing in a folder that is not a mount', async () => {
  write('mappings..nm..a.json', MAPPING);
  expect([...(await ruleFilesIn(folder)).keys()]).toEqual([]);
});

test('a content of a ConfigMap that is replaced while it is read is not mixed with the next one', async () => {
  for (const content of ['..1', '..2']) {
    for (const name of ['a', 'b']) write(`${content}/mappings..${name}.json`, content);
  }
  symlinkSync('..1', join(folder, '..data'));
  const replace = () => {
    symlinkSync('..2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, '..1'), { recursive: true });
  };
  const reading = ruleFilesIn(folder);
  replace();
  expect([...(await reading).values()]).toEqual(['..2', '..2']);
});

test('a file of more than a mebibyte is refused unread', async () => {
  write('mappings/a.json', `"${'x'.repeat(1024 * 1024)}"`);
  expect(await faults()).toMatchObject([{ message: expect.stringContaining('at most 1048576') }]);
});

const WEEK = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const scheduled = (schedule: object, file = FILE) => ({ ...file, schedule });

test('a schedule has the days of the calendar that it names', async () => {
  write('mappings/m.json', MAPPING);
  write('holidays/us.yaml', 'name: us_federal\ndays:\n  - 2026-11-26\nweekend: [sunday]\n');
  const holidays = { calendar: 'us_federal', on: 'next' };
  write('monitoring_files/f.json', scheduled({ cron: '0 6 * * 1', holidays }));
  const { monitoringFiles } = await readRuleFolder(folder, () => []);
  expect(monitoringFiles[0]?.value.schedule?.holidays).toEqual({
    ...holidays,
    days: ['2026-11-26'],
    weekend: ['sunday'],
  });
});

test('another calendar makes another rule set', async () => {
  write('mappings/m.json', MAPPING);
  write('holidays/us.json', { name: 'us_federal', days: [] });
  const { digest } = await readRuleFolder(folder, () => []);
  write('holidays/us.json', { name: 'us_federal', days: ['2026-11-26'] });
  expect((await readRuleFolder(folder, () => [])).digest).not.toBe(digest);
});

test.each([
  ['no name', { days: [] }, 'name'],
  ['no days', { name: 'us' }, 'days'],
  ['a day that is none', { name: 'us', days: ['2026-11-26', '26.11.2026'] }, 'days[1]'],
  ['a week without a working day', { name: 'us', days: [], weekend: WEEK }, 'weekend'],
  ['what is not known', { name: 'us', days: [], country: 'US' }, 'country'],
])('a calendar with %s is refused', async (_name, calendar, path) => {
  write('mappings/m.json', MAPPING);
  write('holidays/us.json', calendar);
  expect(await faults()).toMatchObject([{ file: 'holidays/us.json', path }]);
});

test('a calendar that is defined twice is a fault', async () => {
  write('mappings/m.json', MAPPING);
  write('holidays/a.json', { name: 'us', days: [] });
  write('holidays/b.json', { name: 'us', days: [] });
  expect(await faults()).toMatchObject([
    { file: 'holidays/b.json', message: "calendar 'us' is defined by holidays/a.json already" },
  ]);
});

test.each([
  ['another grace', { cron: '0 6 * * 1', set: 'weekly', grace: 'PT1H' }, 1],
  ['the same schedule', { cron: '0 6 * * 1', set: 'weekly' }, 0],
  ['another set', { cron: '0 7 * * 1', set: 'monthly' }, 0],
])('a file of a set with %s', async (_name, schedule, count) => {
  write('mappings/m.json', MAPPING);
  write('monitoring_files/a.json', scheduled({ cron: '0 6 * * 1', set: 'weekly' }));
  write('monitoring_files/b.json', scheduled(schedule, { ...FILE, keyPattern: 'b/*.csv' }));
  const found = count === 0 ? readRuleFolder(folder, () => []).then(() => []) : faults();
  expect(await found).toHaveLength(count);
});

test('one schedule for the files of a set is a fault that names the other file', async () => {
  write('mappings/m.json', MAPPING);
  write('monitoring_files/a.json', scheduled({ cron: '0 6 * * 1', set: 'weekly' }));
  write(
    'monitoring_files/b.json',
    scheduled({ cron: '0 7 * * 1', set: 'weekly' }, { ...FILE, keyPattern: 'b/*.csv' }),
  );
  expect(await faults()).toMatchObject([
    {
      file: 'monitoring_files/b.json',
      path: 'schedule',
      message: expect.stringContaining('a.json'),
    },
  ]);
});

const ROUTED = { tag: true, copy: { bucket: 'checked-files', prefix: 'nm/' } };

test('what is done with a file by its verdict is read, and is nothing where it is not said', async () => {
  write('mappings/m.json', MAPPING);
  write('monitoring_files/f.json', { ...FILE, onVerdict: ROUTED });
  write('monitoring_files/g.json', { ...FILE, keyPattern: 'c.csv' });
  write('monitoring_files/h.json', { ...FILE, keyPattern: 'd.csv', onVerdict: { tag: false } });
  const { monitoringFiles } = await readRuleFolder(folder, () => []);
  expect(monitoringFiles.map(({ value }) => value.onVerdict)).toEqual([ROUTED, null, null]);
});

test.each([
  ['', 'copy', "is not an object with 'tag' or 'copy'"],
  ['.move', { move: true }, 'is not known; known: tag, copy'],
  ['.tag', { tag: 'yes' }, 'is neither true nor false'],
  ['.copy', { copy: 'checked/' }, "is not an object with 'prefix'"],
  ['.copy.prefix', { copy: {} }, 'is missing; allowed: a key prefix'],
  ['.copy.prefix', { copy: { prefix: 'checked' } }, 'a key prefix'],
  ['.copy.bucket', { copy: { bucket: 'B', prefix: 'checked/' } }, 'a bucket name'],
  ['.copy.prefix', { copy: { prefix: 'a/checked/' } }, "outside of the files' own, a/"],
])('an onVerdict%s of %j is refused', async (path, onVerdict, message) => {
  write('mappings/m.json', MAPPING);
  write('monitoring_files/f.json', { ...FILE, onVerdict });
  expect(await faults()).toMatchObject([
    { path: `onVerdict${path}`, message: expect.stringContaining(message) },
  ]);
});

test('a place of copies may have the name of the files in another bucket', async () => {
  write('mappings/m.json', MAPPING);
  const copy = { bucket: 'checked-files', prefix: 'a/' };
  write('monitoring_files/f.json', { ...FILE, onVerdict: { copy } });
  expect((await readRuleFolder(folder, () => [])).monitoringFiles).toHaveLength(1);
});

test('what the settings do not allow is refused, each with what they allow', () => {
  const rules = ruleSet({
    ...OFFICER_RULES,
    'monitoring_files/nm/officers.yaml': { ...OFFICERS_FILE, onVerdict: ROUTED },
  });
  const targets = [{ bucket: 'checked-files', prefix: 'az/' }];
  expect(refusedRouting(rules, { tags: false, targets })).toMatchObject([
    { path: 'onVerdict.tag', message: expect.stringContaining('ROUTING_TAGS') },
    { path: 'onVerdict.copy', message: expect.stringContaining('is checked-files/nm/; allowed') },
  ]);
  const allowed = [...targets, { bucket: 'checked-files', prefix: 'nm/' }];
  expect(refusedRouting(rules, { tags: true, targets: allowed })).toEqual([]);
});
