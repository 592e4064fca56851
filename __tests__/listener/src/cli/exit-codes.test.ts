import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../../listener/src/cli/command-context.ts';
import {
  errorText,
  exitCodeOfError,
  exitCodeOfVerdict,
} from '../../../../listener/src/cli/exit-codes.ts';
import { InterruptedError } from '../../../../listener/src/cli/interruption.ts';
import { ConfigError } from '../../../../listener/src/config/read-variables.ts';
import { SchemaOutdatedError } from '../../../../listener/src/database/schema-version.ts';
import { ScratchFullError } from '../../../../listener/src/jobs/scratch-space.ts';
import {
  ObjectUnavailableError,
  StoreError,
} from '../../../../listener/src/storage/object-store.ts';
import { cli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const listenError = Object.assign(new Error(), { syscall: 'listen', code: 'EADDRINUSE' });
const refused = (message: string) => Object.assign(new Error(message), { code: 'ECONNREFUSED' });

const withCode = (code: string) => Object.assign(new Error('x'), { code });

test.each([
  ['usage', new UsageError('x'), 2],
  ['configuration', new ConfigError([]), 2],
  ['an old schema', new SchemaOutdatedError('x', []), 2],
  ['a port in use', new Error('PORT 80 is in use', { cause: listenError }), 2],
  ['an object that is gone', new ObjectUnavailableError('object-gone', 'x'), 66],
  ['a store that is unavailable', new StoreError("s3://b/k can't be read", refused('connect')), 75],
  ['scratch space that is used up', new ScratchFullError('x'), 75],
  ['a database that is unavailable', refused('connect'), 69],
  ['a password that the database refuses', withCode('28P01'), 2],
  ['a database that is not there', withCode('3D000'), 2],
  ['a right that the database user lacks', withCode('42501'), 2],
  ['a certificate of an unknown authority', withCode('SELF_SIGNED_CERT_IN_CHAIN'), 69],
  ['SIGTERM', new InterruptedError('SIGTERM'), 143],
  ['an unforeseen error', new TypeError('x'), 70],
  ['what is not an error', 'x', 70],
])('%s has its exit code', (_, error, code) => {
  expect(exitCodeOfError(error)).toBe(code);
});

test.each([
  ['passed', 0],
  ['warned', 0],
  ['failed', 1],
  ['unreadable', 1],
] as const)('the verdict %s ends with %i', (verdict, code) => {
  expect(exitCodeOfVerdict(verdict)).toBe(code);
});

test('a fault of usage is told by its message alone', () => {
  expect(errorText(new UsageError('there is no file'))).toBe('there is no file\n');
});

test('a database with two addresses tells why neither answers', () => {
  const error = new AggregateError([refused('refused ::1'), refused('refused 127.0.0.1')]);
  expect(errorText(error)).toBe('the database is not available: refused ::1; refused 127.0.0.1\n');
});

test('a user who lacks a right is told which, without the statement and what it held', () => {
  const message = 'insert into "runs"\n values (\'a - b\') - permission denied for table runs';
  const error = Object.assign(new Error(message), { code: '42501' });
  expect(errorText(error)).toMatch(
    /^the database refuses this user: permission denied for table runs; grant .*DB_USER.*\n$/,
  );
});

test('a store that is unavailable is not called the database', () => {
  const error = new StoreError("s3://b/k can't be read", refused('connect ECONNREFUSED'));
  expect(errorText(error)).toBe("s3://b/k can't be read: connect ECONNREFUSED\n");
});

test('an unforeseen error comes with its stack', () => {
  expect(errorText(new TypeError('x is undefined'))).toMatch(
    /^unexpected error: TypeError: .*\n.*at /,
  );
});

test('no control character of a file or its name reaches the terminal', () => {
  expect(errorText(new UsageError('a\u001b[2J.csv\nb'))).toBe('a\\u{1b}[2J.csv\nb\n');
});

describe('a command that takes a file or a folder', () => {
  /** A folder with `folder`, the table `table.csv`, and `binary.json`, which is no text. */
  async function place() {
    const root = await temporaryFolder();
    await mkdir(join(root, 'folder'));
    await writeFile(join(root, 'table.csv'), 'name,born\nAda,1815\n');
    await writeFile(join(root, 'binary.json'), Buffer.from([0x1b, 0xfe, 0x00, 0x9b, 0x0a, 0xff]));
    return root;
  }

  const FOLDER = "can't be read: it is a folder";
  const MISSING = "can't be read: there is no such file";
  const DRY = ['run', 's3_data_quality_job', '--dry-run', '--events-file'];

  test.each([
    [['validate', '@folder'], 'is a folder'],
    [['validate', '@table.csv', '--schema', '@folder'], 'it is a folder'],
    [['validate', '@table.csv', '--schema', '@binary.json'], 'it does not begin with {'],
    [['validate', '@table.csv/none'], MISSING],
    [['validate', '@table.csv', '--html', '@table.csv'], "can't be written to"],
    [['infer', '@folder'], 'is a folder'],
    [['diff', '@folder', '@table.csv', '--key', 'name'], 'is a folder'],
    [['diff', '@table.csv', '@table.csv', '--schema', '@none'], 'there is no such file'],
    [['onboard', '@folder'], 'is a folder'],
    [['onboard', '@table.csv', '--into', '@table.csv'], "can't be written to"],
    [['checker', '@folder', '-o', '@check.html'], 'it is a folder'],
    [['checker', '@none', '-o', '@check.html'], 'there is no such file'],
    [['checker', '@table.csv', '-o', '@check.html'], 'it does not begin with {'],
    [['rules', 'check', '@none'], 'there is no folder'],
    [['rules', 'check', 'listener/seed', '@folder'], 'is a folder'],
    [['rules', 'check', 'listener/seed', '@none'], 'there is no file'],
    [['rules', 'check', '@table.csv'], 'it is a file; a folder is needed'],
    [['rules', 'diff', '@table.csv'], 'it is a file; a folder is needed'],
    [['rules', 'rehearse', '@table.csv', '--last', '1'], 'it is a file; a folder is needed'],
    [['rules', 'export', '@table.csv'], 'it is a file; a folder is needed'],
    [['rules', 'import', '@folder'], FOLDER],
    [['rules', 'import', '@none'], MISSING],
    [['rules', 'import', '@binary.json'], 'it does not begin with {'],
    [[...DRY, '@folder'], FOLDER],
    [[...DRY, '@none'], MISSING],
  ])('and is given something else says so, and ends with 2: %j', async (parameters, message) => {
    const root = await place();
    const there = await readdir(root);
    const given = parameters.map((one) => one.replace(/^@/, `${root}/`));
    const { code, out, err } = await cli(given);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    // Neither a stack trace nor a value of the table.
    expect(err).not.toMatch(/unexpected|illegal operation|Ada/);
    expect(await readdir(root)).toEqual(there);
  });
});
