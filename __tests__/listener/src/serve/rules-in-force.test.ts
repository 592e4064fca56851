import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RULES_MANIFEST, type RulesLocation } from '@file-processing/contract/rule-set.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { applyRuleSet, lastRuleSet } from '../../../../listener/src/database/rules.ts';
import { RuleSetError, sha256Of } from '../../../../listener/src/rules/rule-set.ts';
import { startRules } from '../../../../listener/src/serve/rules-in-force.ts';
import { createLocalStore } from '../../../../listener/src/storage/local-store.ts';
import type { ObjectStore } from '../../../../listener/src/storage/object-store.ts';
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
import { temporaryFolder } from '../../support/temporary-folder.ts';

let given: TestDatabase;
let root: string;
beforeEach(async () => {
  given = await createTestDatabase();
  root = await temporaryFolder();
});
afterEach(() => given.drop());

const LOCATION = { bucket: 'rules-bucket', prefix: 'rules/' };
const KEY = { bucket: 'bucket', key: 'from_client/nm/officers.csv' };
const CHANGED = {
  ...OFFICER_RULES,
  'monitoring_files/nm/officers.yaml': { ...OFFICERS_FILE, client: 'changed' },
};
const BROKEN = { ...CHANGED, 'mappings/officers.yaml': 'name: officers\n' };

async function put(path: string, text: string): Promise<void> {
  const file = join(root, LOCATION.bucket, LOCATION.prefix, path);
  await mkdir(dirname(file), { recursive: true });
  // As whole as S3 puts an object.
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/** A push that is under way. Looks wait for its end: one each minute meets none twice, one each 20 ms could. */
let pushed = Promise.resolve();

/** What `manage rules-push` does. @param upTo stops after so many objects, as a kill would */
function push(files: RuleTexts, upTo?: number): Promise<void> {
  pushed = pushNow(files, upTo);
  return pushed;
}

async function pushNow(files: RuleTexts, upTo = Number.POSITIVE_INFINITY): Promise<void> {
  const texts = Object.entries(files).map(
    ([path, content]) =>
      [path, typeof content === 'string' ? content : JSON.stringify(content)] as const,
  );
  for (const [path, text] of texts.slice(0, upTo)) await put(path, text);
  if (upTo < texts.length) return;
  const digests = Object.fromEntries(texts.map(([path, text]) => [path, sha256Of(text)]));
  await put(RULES_MANIFEST, JSON.stringify({ version: 1, files: digests }));
}

async function start(location: RulesLocation = LOCATION) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) });
  const store = createLocalStore(root);
  let looks = 0;
  const open: ObjectStore['open'] = async (object, signal) => {
    await pushed;
    if (object.key.endsWith(RULES_MANIFEST)) looks += 1;
    return store.open(object, signal);
  };
  const rules = await startRules({
    ...{ location, database: given.database, store: { open }, logger },
    everyMs: 20,
  });
  onTestFinished(() => rules.stop());
  /** Waits until a look that begins from now on has ended. */
  const looksAgain = async () => {
    const before = looks;
    await eventually(() => expect(looks).toBeGreaterThan(before + 2));
  };
  return { rules, lines, looksAgain };
}

const clientNow = async () => (await findMonitoringFile(given.database, KEY))?.client;

test('the rules of a prefix are in force from the start, and those of a push soon after it', async () => {
  await push(OFFICER_RULES);
  const { rules, lines } = await start();
  expect(await clientNow()).toBe('nm');
  await push(CHANGED);
  await eventually(async () => expect(await clientNow()).toBe('changed'));
  expect(rules.isRefused()).toBe(false);
  expect(await lastRuleSet(given.database)).toMatchObject({
    digest: ruleSet(CHANGED).digest,
    location: 's3://rules-bucket/rules/',
  });
  await eventually(() =>
    expect(lines).toMatchObject([
      { msg: 'rules applied', changes: 2 },
      { msg: 'rules applied', changes: 1 },
    ]),
  );
});

test('the rules of a folder are in force as well', async () => {
  await start({ folder: await ruleFolder(OFFICER_RULES) });
  expect(await clientNow()).toBe('nm');
});

test('a push that was broken off changes nothing, and its end is applied', async () => {
  await push(OFFICER_RULES);
  const { rules, looksAgain } = await start();
  // The manifest is the old one; a file that it names is another one by now.
  await push({ ...CHANGED, 'mappings/more.yaml': { ...OFFICERS, name: 'more' } }, 2);
  await looksAgain();
  expect(await clientNow()).toBe('nm');
  await push(CHANGED);
  await eventually(async () => expect(await clientNow()).toBe('changed'));
  expect(rules.isRefused()).toBe(false);
});

test('a file that is not the one of the manifest is refused, and the rules before stay', async () => {
  await push(OFFICER_RULES);
  const { rules, lines } = await start();
  const digests = { 'mappings/officers.yaml': '0'.repeat(64) };
  await put(RULES_MANIFEST, JSON.stringify({ version: 1, files: digests }));
  await eventually(() => expect(rules.isRefused()).toBe(true));
  expect(await clientNow()).toBe('nm');
  const told = lines.filter(({ level }) => level === 50);
  expect(told).toMatchObject([
    { err: { message: expect.stringContaining('a push is under way') } },
  ]);
});

test('a broken version is told once and keeps the one before, and a mended one is applied', async () => {
  await push(OFFICER_RULES);
  const { rules, lines, looksAgain } = await start();
  await push(BROKEN);
  await eventually(() => expect(rules.isRefused()).toBe(true));
  await looksAgain();
  expect(await clientNow()).toBe('nm');
  await push(CHANGED);
  await eventually(() => expect(rules.isRefused()).toBe(false));
  expect(await clientNow()).toBe('changed');
  expect(lines.filter(({ level }) => level === 50)).toMatchObject([
    { msg: 'the rules were not applied, those before stay in force' },
  ]);
});

test('a broken version stops no start where there are rules', async () => {
  await applyRuleSet(given.database, ruleSet(OFFICER_RULES), 'by hand');
  await push(BROKEN);
  const { rules } = await start();
  expect(rules.isRefused()).toBe(true);
  expect(await clientNow()).toBe('nm');
});

test.each([
  ['is broken', () => push(BROKEN), 'tableSchema: is not an object'],
  ['was never pushed', async () => {}, 'rules-manifest.json: is not there'],
  ['has a manifest of something else', () => put(RULES_MANIFEST, '{}'), 'is not a manifest'],
])('on a database without rules a set that %s ends the start', async (_name, prepare, message) => {
  await prepare();
  const error = await start().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(RuleSetError);
  expect(String(error)).toContain(message);
});

test('serve ends with 2 on a database without rules, and serves a broken set on one with rules', async () => {
  const folder = await ruleFolder(BROKEN);
  const serve = () =>
    startListenerChild(['serve', '--role', 'worker'], {
      ...{ DATABASE_URL: given.url, RULES_LOCATION: folder, LOCAL_S3_ROOT: root },
      ...{ METRICS_PORT: '0' },
    });
  const first = serve();
  expect(await first.ended).toBe(2);
  expect(first.errors()).toContain('tableSchema: is not an object');
  await applyRuleSet(given.database, ruleSet(OFFICER_RULES), 'by hand');
  const second = serve();
  const { metricsPort } = await second.line('listening');
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toContain('file_processing_rules_refused 1');
  second.kill('SIGTERM');
  expect(await second.ended).toBe(0);
});

test('what a process saw before is not applied over what another one saw later', async () => {
  await push(OFFICER_RULES);
  const first = await start();
  // The first process goes on seeing the set of before, as a node that a new ConfigMap has not reached.
  const second = await start({ folder: await ruleFolder(CHANGED) });
  await first.looksAgain();
  expect(await clientNow()).toBe('changed');
  expect([first.lines, second.lines]).toMatchObject([[{ changes: 2 }], [{ changes: 1 }]]);
});
