import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../../../listener/src/database/connection.ts';
import {
  findMapping,
  listMappings,
  storeMapping,
} from '../../../../listener/src/database/mappings.ts';
import {
  listMonitoringFiles,
  upsertMonitoringFile,
} from '../../../../listener/src/database/monitoring-files.ts';
import {
  applyRuleSet,
  isApplied,
  lastRuleSet,
  planOf,
  retireByHand,
} from '../../../../listener/src/database/rules.ts';
import { eventually } from '../../../support/eventually.ts';
import { startListenerChild } from '../../support/listener-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import {
  findMonitoringFile,
  OFFICER_RULES,
  OFFICERS,
  OFFICERS_FILE,
  type RuleTexts,
  ruleFolder,
  ruleSet,
} from '../../support/rule-sets.ts';

let given: TestDatabase;
beforeEach(async () => {
  given = await createTestDatabase();
});
afterEach(() => given.drop());

const apply = (files: RuleTexts) => applyRuleSet(given.database, ruleSet(files), 'rules');
const kinds = async (plan: ReturnType<typeof apply>) =>
  (await plan).changes.map(({ kind, name }) => `${kind} ${name}`);
const KEY = { bucket: 'bucket', key: 'from_client/nm/2026/officers.csv' };
const PATTERN = 'bucket/from_client/nm/**/officers.csv';

const byHand = {
  ...{ client: 'nm', bucket: 'bucket', keyPattern: OFFICERS_FILE.keyPattern, description: '' },
  ...{ mappingName: 'officers', mappingVersion: 1, active: true },
};
const other = { ...OFFICERS, tableSchema: { fields: [{ name: 'm', type: 'integer' }] } };

describe('versions', () => {
  test('one that the author leaves out is derived from the content', async () => {
    expect(await kinds(apply(OFFICER_RULES))).toEqual(['created officers 1', `created ${PATTERN}`]);
    const changed = { ...OFFICER_RULES, 'mappings/officers.yaml': other };
    const plan = await apply(changed);
    expect(plan.changes).toMatchObject([
      { name: 'officers 2', details: ['the content is new, so the version is 2'] },
      { kind: 'retired', name: 'officers 1' },
      { kind: 'changed', details: ['mapping officers 1 -> officers 2'] },
    ]);
    expect(await findMonitoringFile(given.database, KEY)).toMatchObject({ mappingVersion: 2 });
  });

  test('a content that was there before has its version again', async () => {
    await apply(OFFICER_RULES);
    await apply({ ...OFFICER_RULES, 'mappings/officers.yaml': other });
    expect((await apply(OFFICER_RULES)).changes).toMatchObject([
      { kind: 'restored', name: 'officers 1', details: ['the content is that of version 1'] },
      { kind: 'retired', name: 'officers 2' },
      { kind: 'changed', name: PATTERN },
    ]);
  });

  test('the order of properties is no other content', async () => {
    await apply(OFFICER_RULES);
    const { name, tableSchema } = OFFICERS;
    const turned = { tableSchema, thresholds: {}, dialect: {}, name };
    expect(await kinds(apply({ ...OFFICER_RULES, 'mappings/officers.yaml': turned }))).toEqual([]);
  });

  test('one that the database has with another content is refused, and nothing is changed', async () => {
    await apply({ ...OFFICER_RULES, 'mappings/officers.yaml': { ...OFFICERS, version: 1 } });
    const rules = {
      'mappings/officers.yaml': { ...other, version: 1 },
      'monitoring_files/nm/officers.yaml': { ...OFFICERS_FILE, active: false },
    };
    await expect(apply(rules)).rejects.toThrow(
      /mappings\/officers.yaml:1:\d+: version: is 1, which .* a version never changes: make it 2/,
    );
    expect(await findMonitoringFile(given.database, KEY)).toMatchObject({ active: true });
    expect((await findMapping(given.database, 'officers', 1))?.tableSchema).toEqual(
      OFFICERS.tableSchema,
    );
  });

  test('a monitored file without one takes the highest of the rule set', async () => {
    await apply({
      'mappings/1.yaml': { ...OFFICERS, version: 1 },
      'mappings/2.yaml': { ...other, version: 2 },
      'monitoring_files/officers.yaml': OFFICERS_FILE,
    });
    expect(await findMonitoringFile(given.database, KEY)).toMatchObject({ mappingVersion: 2 });
  });

  test('a rule set whose monitored file lacks its mapping is refused', async () => {
    await storeMapping(given.database, { ...OFFICERS, version: 1, dialect: {}, thresholds: {} });
    const { 'mappings/officers.yaml': _left, ...rules } = OFFICER_RULES;
    await expect(apply(rules)).rejects.toThrow(/there is no mapping 'officers' in the rule set/);
  });
});

test('a second time changes nothing and records nothing', async () => {
  await apply(OFFICER_RULES);
  const before = await given.database('rule_sets');
  expect(await kinds(apply(OFFICER_RULES))).toEqual([]);
  expect(await given.database('rule_sets')).toEqual(before);
});

test('what was applied, from where and when, is recorded', async () => {
  const rules = ruleSet(OFFICER_RULES);
  expect(await isApplied(given.database, rules.digest)).toBe(false);
  await applyRuleSet(given.database, rules, 's3://bucket/rules/');
  expect(await isApplied(given.database, rules.digest)).toBe(true);
  expect(await isApplied(given.database, '0'.repeat(64))).toBe(false);
  expect(await lastRuleSet(given.database)).toEqual({
    digest: rules.digest,
    location: 's3://bucket/rules/',
    appliedAt: expect.any(Date),
  });
});

test('what leaves the folder is retired and can come back', async () => {
  await apply(OFFICER_RULES);
  const rest = {
    'mappings/others.yaml': { ...OFFICERS, name: 'others' },
  };
  expect(await kinds(apply(rest))).toEqual([
    'created others 1',
    'retired officers 1',
    `retired ${PATTERN}`,
  ]);
  expect(await findMonitoringFile(given.database, KEY)).toBeUndefined();
  expect(await listMonitoringFiles(given.database)).toMatchObject([
    { active: false, retiredAt: expect.any(Date) },
  ]);
  expect(await kinds(apply(OFFICER_RULES))).toEqual([
    'restored officers 1',
    'retired others 1',
    `restored ${PATTERN}`,
  ]);
  expect(await findMonitoringFile(given.database, KEY)).toMatchObject({ retiredAt: null });
});

test('a definition in another file has moved', async () => {
  await apply(OFFICER_RULES);
  const moved = {
    'mappings/officers.yaml': OFFICERS,
    'monitoring_files/albuquerque/officers.yaml': OFFICERS_FILE,
  };
  expect(await kinds(apply(moved))).toEqual([`moved ${PATTERN}`]);
  expect(await kinds(apply(moved))).toEqual([]);
});

test('whom to ask and when it is due are stored, and a change of them shows no address', async () => {
  const file = { ...OFFICERS_FILE, contact: { email: 'a@b.example' }, severity: 'high' };
  await apply({ ...OFFICER_RULES, 'monitoring_files/nm/officers.yaml': file });
  expect(await listMonitoringFiles(given.database)).toMatchObject([
    { contact: { email: 'a@b.example' }, schedule: null, severity: 'high' },
  ]);
  expect((await apply(OFFICER_RULES)).changes).toMatchObject([
    { details: ['contact', 'severity high -> none'] },
  ]);
});

describe('rows made by hand', () => {
  beforeEach(async () => {
    await storeMapping(given.database, { ...OFFICERS, version: 1, dialect: {}, thresholds: {} });
  });

  test('one of another pattern is left alone and named', async () => {
    await upsertMonitoringFile(given.database, { ...byHand, keyPattern: 'mine.csv' });
    expect((await apply(OFFICER_RULES)).leftAlone).toEqual([{ name: 'bucket/mine.csv' }]);
    expect(await kinds(apply({ 'mappings/officers.yaml': OFFICERS }))).toEqual([
      `retired ${PATTERN}`,
    ]);
    const mine = { bucket: 'bucket', key: 'mine.csv' };
    expect(await findMonitoringFile(given.database, mine)).toMatchObject({ active: true });
  });

  test('one of the same pattern that says otherwise wins until it is retired', async () => {
    await upsertMonitoringFile(given.database, { ...byHand, client: 'somebody' });
    const plan = await apply(OFFICER_RULES);
    expect(plan.leftAlone).toEqual([
      { name: PATTERN, winsOver: 'monitoring_files/nm/officers.yaml' },
    ]);
    const found = await findMonitoringFile(given.database, KEY);
    expect(found).toMatchObject({ client: 'somebody', ruleFile: null });

    const { digest } = ruleSet(OFFICER_RULES);
    expect(await isApplied(given.database, digest)).toBe(true);
    await retireByHand(given.database, found?.id ?? 0);
    expect(await isApplied(given.database, digest)).toBe(false);
    expect(await kinds(apply(OFFICER_RULES))).toEqual([`restored ${PATTERN}`]);
    expect(await findMonitoringFile(given.database, KEY)).toMatchObject({ client: 'nm' });
  });

  test('one that says the same, as seed made it, is adopted', async () => {
    await upsertMonitoringFile(given.database, byHand);
    expect(await kinds(apply(OFFICER_RULES))).toEqual(['adopted officers 1', `adopted ${PATTERN}`]);
    expect(await listMappings(given.database)).toMatchObject([
      { ruleFile: 'mappings/officers.yaml' },
    ]);
  });

  test("one of the rule set's own is not retired by hand", async () => {
    await apply(OFFICER_RULES);
    const [{ id } = { id: 0 }] = await listMonitoringFiles(given.database);
    expect(await retireByHand(given.database, id)).toBeUndefined();
    expect(await findMonitoringFile(given.database, KEY)).toBeDefined();
  });
});

test('a plan changes nothing', async () => {
  const plan = await planOf(given.database, ruleSet(OFFICER_RULES));
  expect(plan.changes).toHaveLength(2);
  expect(await listMonitoringFiles(given.database)).toEqual([]);
  expect(await lastRuleSet(given.database)).toBeUndefined();
});

describe('at the same time', () => {
  /** Whoever records a rule set waits while the test holds a lock of its own. */
  const holdRecords = async () => {
    await given.database.raw(`
      CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock(4242); RETURN NEW; END $$;
      CREATE TRIGGER hold BEFORE INSERT ON rule_sets FOR EACH ROW EXECUTE FUNCTION hold();
    `);
    const holder = await given.database.transaction();
    await holder.raw('SELECT pg_advisory_xact_lock(4242)');
    return holder;
  };
  const waiting = async (count: number) => {
    await eventually(async () => {
      const { rows } = await given.database.raw(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      expect(rows).toHaveLength(count);
    });
  };

  test('of two replicas one applies, and the other finds nothing left to do', async () => {
    const second = connect(given.config, 'file-processing second');
    const holder = await holdRecords();
    const both = [given.database, second].map((database) =>
      applyRuleSet(database, ruleSet(OFFICER_RULES), 'rules'),
    );
    await waiting(2);
    await holder.commit();
    const changes = (await Promise.all(both)).map((plan) => plan.changes.length);
    await second.destroy();
    expect(changes.sort()).toEqual([0, 2]);
    expect(await given.database('rule_sets')).toHaveLength(1);
  });

  test('kill -9 in the middle leaves nothing applied, and the next one applies all', async () => {
    const folder = await ruleFolder(OFFICER_RULES);
    const holder = await holdRecords();
    const child = startListenerChild(['rules', 'apply', folder], { DATABASE_URL: given.url });
    await waiting(1);
    child.kill('SIGKILL');
    expect(await child.ended).toBe('SIGKILL');
    await holder.commit();
    // The server finds out that nobody is there when it would answer.
    await eventually(async () => {
      const plan = await apply(OFFICER_RULES);
      expect(plan.changes.length).toBe(2);
    });
    expect(await listMonitoringFiles(given.database)).toHaveLength(1);
  });
});
