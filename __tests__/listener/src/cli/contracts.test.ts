import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../../support/run-main.ts';
import { cli } from '../../support/cli.ts';
import { OFFICER_RULES, ruleFolder } from '../../support/rule-sets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CONTRACT = `
apiVersion: v3.1.0
kind: DataContract
id: clinic-visits
name: visits
version: 1.2.0
status: active
tenant: clinic
domain: health
servers:
  - server: landing
    type: s3
    location: s3://example-landing/from_client/clinic/
    format: csv
schema:
  - name: Visits
    physicalType: file
    properties:
      - name: visit_id
        logicalType: string
        physicalType: varchar(5)
        primaryKey: true
        primaryKeyPosition: 1
        logicalTypeOptions: { pattern: 'V[0-9]{4}' }
      - name: visited_on
        logicalType: date
        required: true
        logicalTypeOptions: { format: dd/MM/yyyy, minimum: 01/01/2020 }
      - name: mail
        logicalType: string
        logicalTypeOptions: { format: email }
        classification: restricted
      - name: age
        logicalType: integer
        classification: internal
        logicalTypeOptions: { minimum: 0, exclusiveMaximum: 130, multipleOf: 1 }
      - name: ward
        logicalType: string
        classification: public
        quality:
          - { type: library, metric: invalidValues, mustBe: 0, arguments: { validValues: [north, south] } }
          - { type: library, metric: nullValues, mustBeLessOrEqualTo: 5, unit: percent, severity: warning }
          - { type: sql, query: select 1, mustBe: 1 }
    quality:
      - { metric: rowCount, mustBeBetween: [1, 1000], type: library }
      - { metric: duplicateValues, mustBe: 0, arguments: { properties: [visited_on, mail] } }
team:
  name: Clinic data
support:
  - { channel: help, tool: email, url: 'mailto:data@clinic.example' }
slaProperties:
  - { property: frequency, value: 1, unit: d }
  - { property: timeOfAvailability, value: '09:00-08:00' }
`;

async function contractFile(text: string, name = 'contract.odcs.yaml'): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, text);
  return path;
}

async function imported(text: string, ...options: readonly string[]) {
  const into = join(await temporaryFolder(), 'rules');
  const result = await cli([
    'rules',
    'import',
    await contractFile(text),
    '--into',
    into,
    ...options,
  ]);
  const read = async (path: string) => parse(await readFile(join(into, path), 'utf8'));
  return { ...result, into, read };
}

test('a contract becomes a rule set with its types, keys, limits and classifications', async () => {
  const { code, into, read } = await imported(CONTRACT);
  expect(code).toBe(0);
  expect((await cli(['rules', 'check', into])).code).toBe(0);
  expect(await read('mappings/visits.yaml')).toEqual({
    name: 'visits',
    tableSchema: {
      fields: [
        { name: 'visit_id', type: 'string', constraints: { pattern: 'V[0-9]{4}' } },
        {
          name: 'visited_on',
          type: 'date',
          format: '%d/%m/%Y',
          constraints: { required: true, minimum: '01/01/2020' },
        },
        { name: 'mail', type: 'string', format: 'email', classification: 'sensitive' },
        {
          name: 'age',
          type: 'integer',
          classification: 'internal',
          constraints: { minimum: 0, exclusiveMaximum: 130 },
        },
        {
          name: 'ward',
          type: 'string',
          classification: 'public',
          constraints: { enum: ['north', 'south'] },
        },
      ],
      primaryKey: ['visit_id'],
      uniqueKeys: [['visited_on', 'mail']],
    },
    rules: [
      { rule: 'Completeness', column: 'ward', warn: { minShare: 0.95 } },
      { rule: 'RowCount', fail: { min: 1, max: 1000 } },
    ],
  });
  expect(await read('monitoring_files/visits.yaml')).toEqual({
    client: 'clinic',
    bucket: 'example-landing',
    keyPattern: 'from_client/clinic/*.csv',
    mapping: 'visits',
    contact: { name: 'Clinic data', email: 'data@clinic.example' },
    schedule: { cron: '0 17 * * *' },
  });
});

test('what has no counterpart is listed, the quality rule in SQL too', async () => {
  const { out } = await imported(CONTRACT);
  const listed = out.split('\n').filter((line) => line.startsWith('- '));
  expect(listed).toEqual([
    '- status',
    '- domain',
    '- servers[0].server',
    '- schema[0].physicalType',
    '- schema[0].properties[0].physicalType',
    '- schema[0].properties[3].logicalTypeOptions.multipleOf',
    '- schema[0].properties[4].quality[2]',
  ]);
});

test('a pattern that the engine refuses is listed with the reason, and the set stays good', async () => {
  const { code, out, into } = await imported(CONTRACT.replace('V[0-9]{4}', '(?=V).*'));
  expect(code).toBe(0);
  expect(out).toContain(
    '- schema[0].properties[0].logicalTypeOptions.pattern: constraints.pattern',
  );
  expect((await cli(['rules', 'check', into])).code).toBe(0);
});

test('without a place of delivery the mapping alone is written, and contact and schedule are listed', async () => {
  const { out, into } = await imported(
    CONTRACT.replace(/type: s3\n +location: .*/, 'type: local\n    path: /in'),
  );
  expect(out).toContain('Where files of visits arrive: no server of type s3 says it.');
  expect(out).toContain('- slaProperties');
  expect(out).toContain('- support');
  expect((await cli(['rules', 'check', into])).out).toContain('1 mapping, 0 monitored files');
});

test('client, bucket and key pattern may be given', async () => {
  const options = ['--client', 'me', '--bucket', 'mine', '--key-pattern', 'in/{model}_*.csv'];
  const { read } = await imported(CONTRACT, ...options);
  expect(await read('monitoring_files/visits.yaml')).toMatchObject({
    client: 'me',
    bucket: 'mine',
    keyPattern: 'in/Visits_*.csv',
  });
});

test('what is not a contract of version 3 is refused with all that is wrong, and nothing is written', async () => {
  const text = CONTRACT.replace('v3.1.0', 'v2.2.2')
    .replace('DataContract', 'Dataset')
    .replace('logicalType: date', 'logicalType: day')
    .replace('required: true', 'required: often');
  const { code, err, into } = await imported(text);
  expect(code).toBe(2);
  expect(err).toContain(':2:1: apiVersion: is "v2.2.2"; allowed: v3.0.0 to v3.2.0');
  expect(err).toContain(':3:1: kind: is "Dataset"; allowed: DataContract');
  expect(err).toContain('schema[0].properties[1].logicalType: is "day"; allowed: string, date,');
  expect(err).toContain('schema[0].properties[1].required: is "often"; allowed: true or false');
  await expect(readFile(join(into, 'mappings/visits.yaml'))).rejects.toThrow('ENOENT');
});

test.each([
  [
    'an unknown property',
    'tenant: clinic',
    'tenent: clinic',
    ':8:1: tenent: is not known to the standard; known: version, kind, apiVersion',
  ],
  [
    'a server of S3 without its place',
    '    location: s3://example-landing/from_client/clinic/\n',
    '',
    ':11:5: servers[0].location: is missing',
  ],
  [
    'an option that the type does not have',
    'format: email',
    'minLenght: 3',
    'logicalTypeOptions.minLenght: is not known to the standard; known: minLength, maxLength',
  ],
  [
    'a metric without what it must be',
    'mustBe: 0, arguments: { validValues: [north, south] }',
    'arguments: { validValues: [north] }',
    'quality[0]: one of these is needed: mustBe, mustNotBe, mustBeGreaterThan',
  ],
  [
    'a metric that there is not',
    'metric: rowCount',
    'metric: rows',
    'schema[0].quality[0].metric: is "rows"; allowed: nullValues',
  ],
  [
    'a text where a list belongs',
    /schema:\n[\s\S]*?\nteam:/,
    'schema: visits\nteam:',
    'schema: is "visits"; allowed: a list',
  ],
])('%s is a fault, with path and place', async (_, good, bad, fault) => {
  const text = CONTRACT.replace(good, bad);
  expect(text).not.toBe(CONTRACT);
  const { code, err } = await imported(text);
  expect([code, err]).toEqual([2, expect.stringContaining(fault)]);
});

test('all faults are told at once, each once, and that it is a contract which has them', async () => {
  const text = CONTRACT.replace('primaryKeyPosition: 1', 'primaryKeyPosition: first').replace(
    'logicalType: date',
    'logicalType: day',
  );
  const { err } = await imported(text);
  const [heading, ...faults] = err.trimEnd().split('\n');
  expect(heading).toMatch(/^the data contract \S+ can't be used:$/);
  expect(faults.map((line) => line.replace(/^\S+ \S+ /, '').replace(/;.*/, ''))).toEqual([
    'schema[0].properties[0].primaryKeyPosition: is "first"',
    'schema[0].properties[1].logicalType: is "day"',
  ]);
});

test('a property without a type is none of those that the standard describes, and is imported', async () => {
  const { code, read } = await imported(CONTRACT.replace('        logicalType: date\n', ''));
  expect(code).toBe(0);
  expect(await read('mappings/visits.yaml')).toMatchObject({
    tableSchema: {
      fields: expect.arrayContaining([
        expect.objectContaining({ name: 'visited_on', type: 'any' }),
      ]),
    },
  });
});

test.each([
  [
    'no schema',
    /schema:\n[\s\S]*?\nteam:/,
    'team:',
    'What the files look like: the contract has no schema',
  ],
  [
    'an object without properties',
    / {4}properties:\n[\s\S]*?\n {4}quality:/,
    '    quality:',
    'What is in Visits: the contract names no properties.',
  ],
])(
  'a contract with %s is a whole one that makes no rule, and says so',
  async (_, good, bad, decision) => {
    const { code, out, into } = await imported(CONTRACT.replace(good, bad));
    expect([code, out]).toEqual([0, expect.stringContaining(decision)]);
    expect(out).toContain('wrote nothing: the contract describes no columns\n');
    expect(out).toContain('Without a counterpart in a rule set:\n');
    expect(existsSync(into)).toBe(false);
  },
);

test('a rule that is there already is not replaced', async () => {
  const { into } = await imported(CONTRACT);
  const { code, err } = await cli([
    'rules',
    'import',
    await contractFile(CONTRACT),
    '--into',
    into,
  ]);
  expect([code, err]).toEqual([2, expect.stringContaining('there already')]);
});

test('two objects whose names make the same mapping are refused', async () => {
  const object = (name: string) => `  - name: ${name}\n    properties: [{ name: a }]\n`;
  const head = 'apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\nschema:\n';
  const { code, err } = await imported(`${head}${object('A b')}${object('a_b')}`);
  expect(code).toBe(2);
  expect(err).toContain('schema[1].name: makes the same mapping, a_b');
});

const isValid = new Ajv2019({ strict: false, validateFormats: false }).compile(
  JSON.parse(readFileSync(join(ROOT, 'listener/src/rules/odcs/odcs-v3.2.0.schema.json'), 'utf8')),
);

test('an exported contract is valid by the JSON schema of the standard, and comes back as the same rules', async () => {
  const first = await imported(CONTRACT);
  for (const folder of [first.into, await ruleFolder(OFFICER_RULES)]) {
    const { code, out, err } = await cli(['rules', 'export', folder]);
    expect(code).toBe(0);
    isValid(parse(out));
    expect(isValid.errors).toBeNull();
    const second = await imported(out);
    expect([second.code, second.err]).toEqual([0, '']);
    const again = await cli(['rules', 'export', second.into]);
    const withoutId = (text: string) => text.replace(/^(id|name): .*$/gm, '');
    expect(withoutId(again.out)).toBe(withoutId(out));
    expect(err).toContain('Carried as custom properties');
  }
});

test('what the standard has no property for goes along, and is named', async () => {
  const folder = await ruleFolder({
    'mappings/a.yaml': {
      name: 'a',
      tableSchema: {
        fields: [
          { name: 'year', type: 'year', constraints: { minimum: '1990' } },
          { name: 'cost', type: 'number', decimalChar: ',', missingValues: ['-'] },
        ],
        fieldsMatch: 'subset',
      },
      dialect: { delimiter: ';' },
      thresholds: { maxFaults: 3 },
    },
    'monitoring_files/a.yaml': {
      ...{ client: 'c', bucket: 'bbb', keyPattern: 'in/a b_*.csv', mapping: 'a' },
      ...{ severity: 'high', schedule: { cron: '0 6 * * 1', timeZone: 'America/Denver' } },
    },
  });
  const { out, err } = await cli(['rules', 'export', folder]);
  expect(err.split('\n').slice(1, -1)).toEqual([
    'monitored file a: severity, mapping',
    'a.year: type, constraints',
    'a.cost: decimalChar, missingValues',
    'a: dialect, thresholds, tableSchema',
    'schedule: timeZone',
  ]);
  const { read } = await imported(out);
  expect(await read('mappings/a.yaml')).toEqual(
    parse(await readFile(join(folder, 'mappings/a.yaml'), 'utf8')),
  );
  expect(await read('monitoring_files/a.yaml')).toEqual(
    parse(await readFile(join(folder, 'monitoring_files/a.yaml'), 'utf8')),
  );
});

const officers = { name: 'a', tableSchema: { fields: [{ name: 'id', type: 'string' }] } };
const deliveries = { client: 'c', bucket: 'bbb', mapping: 'a' };

test.each([
  ['periods of the calendar', { every: 'P1M', due: 'P4DT17H', timeZone: 'America/Denver' }],
  ['cron, with grace and a set', { cron: '0 6 * * 1', grace: 'P1D', set: 'weekly' }],
])('a schedule comes back with an import: %s', async (_name, schedule) => {
  const folder = await ruleFolder({
    'mappings/a.yaml': officers,
    'monitoring_files/a.yaml': { ...deliveries, keyPattern: 'in/*.csv', schedule },
  });
  const { out } = await cli(['rules', 'export', folder]);
  isValid(parse(out));
  expect(isValid.errors).toBeNull();
  const { read } = await imported(out);
  expect(await read('monitoring_files/a.yaml')).toMatchObject({ schedule });
});

test.each([
  ['of the whole contract', { on: 'next' }],
  ['of one of its servers', { on: 'drop' }],
])(
  'days of a calendar, which a contract has no file for, come back with the schedule %s',
  async (_name, other) => {
    const scheduled = (on: object) => ({
      ...deliveries,
      schedule: { cron: '0 6 * * 1', holidays: { calendar: 'us_federal', ...on } },
    });
    const folder = await ruleFolder({
      'mappings/a.yaml': officers,
      'monitoring_files/a.yaml': { ...scheduled({ on: 'next' }), keyPattern: 'in/a*.csv' },
      'monitoring_files/b.yaml': { ...scheduled(other), keyPattern: 'in/b*.csv' },
      'holidays/us.yaml': { name: 'us_federal', days: ['2026-11-26'] },
    });
    const { out } = await cli(['rules', 'export', folder]);
    const { err, read } = await imported(out);
    expect(err).toBe('');
    expect(await read('monitoring_files/a_2.yaml')).toMatchObject({
      schedule: { cron: '0 6 * * 1', holidays: { ...other, days: ['2026-11-26'] } },
    });
  },
);

test('what servers of an exported contract say of themselves is not left to decide', async () => {
  const schedules = [{ cron: '0 6 * * 1' }, { cron: '0 7 * * 1' }];
  const files = (second: object) =>
    ruleFolder({
      'mappings/a.yaml': officers,
      'monitoring_files/a.yaml': {
        ...{ ...deliveries, keyPattern: 'in/a*.csv', schedule: schedules[0] },
        contact: { email: 'a@county.example' },
      },
      'monitoring_files/b.yaml': {
        ...{ ...deliveries, keyPattern: 'in/b*.csv', schedule: schedules[1] },
        ...second,
      },
    });
  const decisions = async (second: object) => {
    const { out } = await cli(['rules', 'export', await files(second)]);
    return (await imported(out)).out;
  };
  expect(await decisions({ contact: { email: 'b@county.example' } })).not.toContain('To decide');
  expect(await decisions({})).toContain('- Who is told of a bad delivery');
});
