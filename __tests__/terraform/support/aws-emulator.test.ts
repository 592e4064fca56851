import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AwsEmulator, emptyAwsEmulator, startAwsEmulator } from './aws-emulator.ts';

const region = 'us-gov-west-1';

let emulator: AwsEmulator;
/** Beside that of the worker. It ends with the worker at the latest. */
let other: AwsEmulator;

beforeAll(async () => {
  [emulator, other] = await Promise.all([emptyAwsEmulator(), startAwsEmulator()]);
});

afterAll(async () => {
  await emulator?.stop();
});

test('it listens on loopback', () => {
  expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test('a bucket that was created exists', async () => {
  await emulator.createBucket('drop-box', region);
  await expect(emulator.createBucket('drop-box', region)).rejects.toThrow('BucketAlready');
});

test('an object is written, read and removed', async () => {
  await emulator.createBucket('objects', region);
  await emulator.putObject('objects', 'folder/file', region, 'text');
  await expect(emulator.getObject('objects', 'folder/file', region)).resolves.toBe('text');
  await emulator.deleteObject('objects', 'folder/file', region);
  await expect(emulator.getObject('objects', 'folder/file', region)).rejects.toThrow('NoSuchKey');
});

test('a query answers in the partition of its region', async () => {
  const parameters = { Action: 'CreateTopic', Version: '2010-03-31', Name: 'events' };
  const gov = await emulator.query('sns', region, parameters);
  expect(gov).toContain('arn:aws-us-gov:sns:us-gov-west-1:');
  const commercial = await emulator.query('sns', 'us-east-1', parameters);
  expect(commercial).toContain('arn:aws:sns:us-east-1:');
});

test("a failed query throws the service's own message", async () => {
  const parameters = { Action: 'GetRole', Version: '2010-05-08', RoleName: 'absent' };
  await expect(emulator.query('iam', region, parameters)).rejects.toThrow('absent not found');
});

test('reset forgets every resource', async () => {
  await emulator.createBucket('other-box', region);
  await emulator.reset();
  await emulator.createBucket('other-box', region);
});

test('two emulators run side by side and share nothing', async () => {
  await emulator.createBucket('shared-name', region);
  await other.createBucket('shared-name', region);
  expect(other.url).not.toBe(emulator.url);
});

test('a stopped emulator answers no more', async () => {
  await other.stop();
  await expect(other.reset()).rejects.toThrow('fetch failed');
});

test('an emulator that fails at its start throws what Python wrote', async () => {
  const start = startAwsEmulator({ extraArguments: ['--no-such-option'] });
  await expect(start).rejects.toThrow('unrecognized arguments: --no-such-option');
});

test('the one of the worker stays for the next file, empty', async () => {
  const first = await emptyAwsEmulator();
  await first.createBucket('left-behind', region);
  await first.stop();
  const next = await emptyAwsEmulator();
  expect(next.url).toBe(first.url);
  await next.createBucket('left-behind', region);
  await next.stop();
});
