import { SubscribeCommand } from '@aws-sdk/client-sns';
import { ListQueuesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { manage, temporaryRoot } from '../../support/manage.ts';
import { changeSettings } from '../support/change-settings.ts';
import { emulatedAws } from '../support/emulated-aws.ts';
import { type EmulatedTopics, startEmulatedTopics } from '../support/emulated-topics.ts';

const TOPIC = 'file-processing-topic';
const LEFT = `${TOPIC}-deliveries`;

let aws: EmulatedTopics;
let topicArn: string;

beforeAll(async () => {
  aws = await startEmulatedTopics();
});
afterAll(() => aws?.stop());
afterEach(() => aws.emulator.reset());

/** The queue of the stack's topic, as a switch of delivery leaves it. */
async function leftQueue() {
  topicArn = await aws.createTopic(TOPIC);
  return aws.createQueue(LEFT);
}

async function queues(): Promise<readonly string[]> {
  const { QueueUrls = [] } = await aws.sqs.send(new ListQueuesCommand({}));
  return QueueUrls.map((url) => url.split('/').at(-1) ?? '');
}

const queueDelete = (...parameters: readonly string[]) =>
  aws.run(['queue-delete', '--profile', '', ...parameters]);

test('deletes the queue that the stack has left, once it has been empty for minutes', async () => {
  await leftQueue();
  const { code, out, err } = await queueDelete('--auto-approve');
  expect(code, err).toBe(0);
  expect(out).toBe(`${LEFT}: deleted\n`);
  expect(err).toContain('empty for 3 minutes');
  expect(await queues()).toEqual([]);
});

test.each([
  ['wait', {}, '1 messages (1 waiting, 0 in flight, 0 delayed)'],
  ['are delayed', { DelaySeconds: 900 }, '1 messages (0 waiting, 0 in flight, 1 delayed)'],
])('refuses while messages %s, and says how many', async (_, how, text) => {
  const { url } = await leftQueue();
  await aws.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'a file', ...how }));
  const { code, err } = await queueDelete('--auto-approve');
  expect(code).toBe(77);
  expect(err).toContain(`${LEFT}: ${text}`);
  expect(err).toContain('set both_deliveries = true and apply');
  expect(await queues()).toEqual([LEFT]);
});

test('deletes what waits as well where that may be lost', async () => {
  const { url } = await leftQueue();
  await aws.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'a file' }));
  const { code } = await queueDelete('--auto-approve', '--allow-message-loss');
  expect(code).toBe(0);
  expect(await queues()).toEqual([]);
});

test('refuses a queue that is subscribed to the topic', async () => {
  const { arn } = await leftQueue();
  await aws.sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: arn }));
  const { code, err } = await queueDelete('--auto-approve', '--allow-message-loss');
  expect(code).toBe(77);
  expect(err).toContain(`${LEFT} is subscribed to ${topicArn}`);
});

test.each([
  ['the listener fetches from', { delivery: 'sqs' }, []],
  ['the listener still fetches from', { both_deliveries: true }, []],
  ['dead letters go to', {}, ['--queue', `${TOPIC}-dead-letter`]],
])('refuses a queue that %s', async (_, settings, parameters) => {
  await leftQueue();
  const root = temporaryRoot();
  changeSettings(root, settings);
  const command = ['queue-delete', '--profile', '', '--auto-approve', ...parameters];
  const { code, err } = await manage(command, { root, aws: emulatedAws(aws.emulator) });
  expect(code).toBe(77);
  expect(err).toContain('the stack has the queue');
  expect(await queues()).toEqual([LEFT]);
});

test('deletes the queue of an earlier topic by its name', async () => {
  await leftQueue();
  await aws.createQueue('earlier-deliveries');
  const { code } = await queueDelete('--auto-approve', '--queue', 'earlier-deliveries');
  expect(code).toBe(0);
  expect(await queues()).toEqual([LEFT]);
});

test.each([
  ['nobody says yes', [], 77],
  ['it is a dry run', ['--dry-run', '--auto-approve'], 0],
])('deletes nothing where %s', async (_, parameters, expected) => {
  await leftQueue();
  expect((await queueDelete(...parameters)).code).toBe(expected);
  expect(await queues()).toEqual([LEFT]);
});

test('deletes a queue whose topic a destroy has taken', async () => {
  await aws.createQueue(LEFT);
  const { code, err } = await queueDelete('--auto-approve', '--allow-message-loss');
  expect(code, err).toBe(0);
  expect(await queues()).toEqual([]);
});

test('has nothing to do where there is no such queue', async () => {
  await aws.createTopic(TOPIC);
  const { code, out } = await queueDelete('--auto-approve', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ deleted: false });
});

test('names what is not the name of a queue', async () => {
  const { code, err } = await queueDelete('--queue', 'https://queue/');
  expect(code).toBe(64);
  expect(err).toContain('--queue "https://queue/" is not the name of a queue');
});
