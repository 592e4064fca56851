import {
  CreateAddonCommand,
  CreateClusterCommand,
  CreatePodIdentityAssociationCommand,
} from '@aws-sdk/client-eks';
import { PutBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import { CreateEmailIdentityCommand } from '@aws-sdk/client-sesv2';
import {
  CreateTopicCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type AwsClients, awsClients } from '../../../src/operations/aws-clients.ts';
import { anotherBucket } from '../../../src/operations/commands/verify-irsa.ts';
import type { Diagnosis } from '../../../src/operations/doctor/diagnosis.ts';
import { manage, temporaryRoot } from '../../support/manage.ts';
import { ROOT } from '../../support/run-main.ts';
import { createNetwork, createRole, REGION, tagResource } from '../support/aws-account.ts';
import { type AwsEmulator, emptyAwsEmulator } from '../support/aws-emulator.ts';
import { changeSettings } from '../support/change-settings.ts';

const BUCKET = 'etl-ba-research-client-etl';

let emulator: AwsEmulator;
let clients: AwsClients;
beforeAll(async () => {
  emulator = await emptyAwsEmulator();
});
afterAll(() => emulator?.stop());

beforeEach(async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', emulator.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'marker-secret');
  clients = awsClients({ region: REGION, profile: '' });
  await emulator.reset();
});
afterEach(() => vi.unstubAllEnvs());

/** Runs doctor; programs are not at hand, but for what AWS itself answers. */
async function diagnose(root = ROOT) {
  const run = async () => ({ code: 1, stdout: '', stderr: 'not at hand' });
  const result = await manage(['doctor', '--profile', '', '--json'], { run, root });
  const diagnoses = JSON.parse(result.out) as readonly Diagnosis[];
  const of = (name: string) => diagnoses.find((one) => one.name === name);
  return { ...result, of };
}

test('an empty account is red, each line with what to do', async () => {
  const { code, of } = await diagnose();
  expect(of('credentials')).toMatchObject({ state: 'ok' });
  expect(of('network')).toMatchObject({
    state: 'red',
    next: expect.stringContaining('foundation-network'),
  });
  expect(of('cluster')).toMatchObject({
    state: 'red',
    found: 'there is no cluster file-processing-cluster',
  });
  expect(of('bucket')).toMatchObject({ state: 'red', found: `there is no bucket ${BUCKET}` });
  expect(of('topic')).toMatchObject({ state: 'red', next: 'npm run manage -- apply' });
  expect(of('workload')).toMatchObject({ state: 'skipped' });
  expect(code).toBe(1);
});

test('a network without a place for the load balancer is a warning', async () => {
  const { privateSubnetIds } = await createNetwork(emulator, 'etl-platform');
  const { of } = await diagnose();
  expect(of('network')).toMatchObject({
    state: 'warn',
    found: expect.stringContaining('no subnet has the tag kubernetes.io/role/elb'),
  });
  await tagResource(emulator, String(privateSubnetIds[0]), 'kubernetes.io/role/elb', '1');
  expect((await diagnose()).of('network')).toMatchObject({ state: 'ok' });
});

test('a network with too few private subnets is red', async () => {
  const { privateSubnetIds } = await createNetwork(emulator, 'etl-platform');
  await tagResource(emulator, String(privateSubnetIds[0]), 'Name', 'another');
  expect((await diagnose()).of('network')).toMatchObject({
    state: 'red',
    found: expect.stringMatching(/^Fewer than two private subnets named .*: there are 1$/),
    next: expect.stringContaining('foundation-network'),
  });
});

test('what is there is ok', async () => {
  const { privateSubnetIds } = await createNetwork(emulator, 'etl-platform');
  await tagResource(emulator, String(privateSubnetIds[0]), 'kubernetes.io/role/elb', '1');
  await emulator.createBucket(BUCKET, REGION);
  const sns = await clients.sns();
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'file-processing-topic' }));
  const { of } = await diagnose();
  expect(of('network')).toMatchObject({ state: 'ok' });
  expect(of('bucket')).toMatchObject({ state: 'ok' });
  expect(of('topic')).toMatchObject({
    state: 'warn',
    found: `nobody is subscribed to ${TopicArn}`,
  });
  await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: 'https', Endpoint: 'https://listener.example/' }),
  );
  const { of: ofAgain } = await diagnose();
  expect(ofAgain('topic')).toMatchObject({
    state: 'ok',
    found: `${TopicArn}: 1 subscribed, 0 unconfirmed`,
  });
});

test('a topic of others that signs with SHA-1 is red, with what its owner has to do', async () => {
  const sns = await clients.sns();
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'new-files' }));
  const root = temporaryRoot();
  changeSettings(root, { existing_topic_arn: TopicArn });
  const { of } = await diagnose(root);
  expect(of('topic')).toMatchObject({
    state: 'red',
    found: `${TopicArn} signs with version 1, SHA-1, which the listener refuses`,
    next: expect.stringContaining('SignatureVersion'),
  });
  const signature = { AttributeName: 'SignatureVersion', AttributeValue: '2' };
  await sns.send(new SetTopicAttributesCommand({ TopicArn, ...signature }));
  expect((await diagnose(root)).of('topic')).toMatchObject({ state: 'warn' });
});

test('mail through SES needs a verified identity, and out of the sandbox verified recipients too', async () => {
  expect((await diagnose()).of('SES identity')).toBeUndefined();
  const root = temporaryRoot();
  changeSettings(root, { notice_email: 'ses', notice_email_from: 'quality@example.gov' });
  expect((await diagnose(root)).of('SES identity')).toMatchObject({
    state: 'red',
    found: `SES has no identity example.gov in ${REGION}`,
    next: expect.stringContaining('create-email-identity --email-identity example.gov'),
  });
  const ses = await clients.sesv2();
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'example.gov' }));
  const { of } = await diagnose(root);
  expect(of('SES identity')?.found).toMatch(/^example\.gov is (not )?verified/);
  expect(of('SES account')).toMatchObject({
    state: 'warn',
    found: expect.stringMatching(/^in the sandbox in .*, 200 mails a day: each recipient/),
    next: expect.stringContaining('put-account-details'),
  });
});

test('a queue that a switch of delivery has left is named, with what is in it', async () => {
  expect((await diagnose()).of('queue')).toMatchObject({ state: 'ok' });
  const sqs = await clients.sqs();
  const QueueName = 'file-processing-topic-deliveries';
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
  expect((await diagnose()).of('queue')).toMatchObject({
    state: 'warn',
    found: expect.stringContaining(`nothing fetches from it: ${QueueName}: 0 messages`),
    next: 'npm run manage -- queue-delete',
  });
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a file' }));
  expect((await diagnose()).of('queue')).toMatchObject({
    state: 'warn',
    found: expect.stringContaining('1 messages (1 waiting, 0 in flight, 0 delayed)'),
    next: expect.stringContaining('both_deliveries = true'),
  });
});

test('a cluster whose API does not answer is red, and so is a missing OIDC provider', async () => {
  const { privateSubnetIds } = await createNetwork(emulator, 'etl-platform');
  await createRole(emulator, 'cluster');
  const eks = await clients.eks();
  await eks.send(
    new CreateClusterCommand({
      name: 'file-processing-cluster',
      roleArn: 'arn:aws-us-gov:iam::123456789012:role/cluster',
      resourcesVpcConfig: { subnetIds: [...privateSubnetIds] },
    }),
  );
  const { of } = await diagnose();
  expect(of('cluster')).toMatchObject({ state: 'ok' });
  expect(of('cluster API')).toMatchObject({ state: 'red', next: expect.stringContaining('VPN') });
  expect(of('OIDC provider')).toMatchObject({ state: 'red' });
});

test('with pod identity the association is looked for, not the OIDC provider', async () => {
  const { privateSubnetIds } = await createNetwork(emulator, 'etl-platform');
  const roleArn = 'arn:aws-us-gov:iam::123456789012:role/cluster';
  await createRole(emulator, 'cluster');
  const eks = await clients.eks();
  const clusterName = 'file-processing-cluster';
  const resourcesVpcConfig = { subnetIds: [...privateSubnetIds] };
  await eks.send(new CreateClusterCommand({ name: clusterName, roleArn, resourcesVpcConfig }));
  const root = temporaryRoot();
  changeSettings(root, { identity: 'pod_identity' });
  const { of } = await diagnose(root);
  expect(of('OIDC provider')).toBeUndefined();
  expect(of('pod identity')).toMatchObject({ state: 'red', next: 'npm run manage -- apply' });
  const pods = { namespace: 'file-processing', serviceAccount: 'file-processing-sa' };
  await eks.send(new CreatePodIdentityAssociationCommand({ clusterName, roleArn, ...pods }));
  expect((await diagnose(root)).of('pod identity')).toMatchObject({ state: 'ok' });
});

test('a cluster of others is looked at for what the stack relies on, and its network is not', async () => {
  const { privateSubnetIds } = await createNetwork(emulator, 'of-others');
  await createRole(emulator, 'cluster');
  const eks = await clients.eks();
  await eks.send(
    new CreateClusterCommand({
      name: 'shared',
      version: '1.34',
      roleArn: 'arn:aws-us-gov:iam::123456789012:role/cluster',
      resourcesVpcConfig: { subnetIds: [...privateSubnetIds] },
    }),
  );
  const root = temporaryRoot();
  changeSettings(root, {
    create_cluster: false,
    cluster_name: 'shared',
    identity: 'pod_identity',
    node_group_name: null,
    cluster_endpoint_private_access_cidrs: [],
  });
  const { of } = await diagnose(root);
  expect(of('network')).toMatchObject({ state: 'skipped' });
  expect(of('cluster')).toMatchObject({ found: 'shared, Kubernetes 1.34, ACTIVE' });
  expect(of('NetworkPolicies')).toMatchObject({ state: 'warn' });
  expect(of('metrics-server')).toMatchObject({ state: 'warn' });
  expect(of('nodes')).toMatchObject({ state: 'warn' });
  expect(of('pod identity agent')).toMatchObject({ state: 'warn' });
  expect(of('network of the cluster')).toMatchObject({
    state: 'warn',
    found: expect.stringContaining('no subnet has the tag kubernetes.io/role/elb'),
  });
  await tagResource(emulator, String(privateSubnetIds[0]), 'kubernetes.io/role/elb', '1');
  for (const [addonName, configurationValues] of [
    ['vpc-cni', '{"enableNetworkPolicy":"true"}'],
    ['metrics-server', undefined],
    ['eks-pod-identity-agent', undefined],
  ] as const) {
    await eks.send(
      new CreateAddonCommand({ clusterName: 'shared', addonName, configurationValues }),
    );
  }
  const { of: ofAgain } = await diagnose(root);
  expect(ofAgain('NetworkPolicies')).toMatchObject({ state: 'ok' });
  expect(ofAgain('metrics-server')).toMatchObject({ state: 'ok' });
  expect(ofAgain('pod identity agent')).toMatchObject({ state: 'ok' });
  expect(ofAgain('network of the cluster')).toMatchObject({ state: 'ok' });
});

test('a role that deploys is who looks, in its own account', async () => {
  const root = temporaryRoot();
  changeSettings(root, { assume_role_arn: 'arn:aws-us-gov:iam::210987654321:role/etl-deploy' });
  const { of } = await diagnose(root);
  expect(of('credentials')).toMatchObject({
    state: 'ok',
    found: expect.stringContaining(
      'arn:aws-us-gov:sts::210987654321:assumed-role/etl-deploy/file-processing-manage',
    ),
  });
});

test('while AWS is unavailable, nothing else is asked', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
  const { of, out, err } = await diagnose();
  expect(of('credentials')).toMatchObject({
    state: 'red',
    found: expect.stringContaining("can't be reached"),
  });
  expect(of('bucket')).toMatchObject({ state: 'skipped' });
  expect(out + err).not.toContain('marker-secret');
});

test('another bucket of the account is found for verify-irsa', async () => {
  await emulator.createBucket(BUCKET, REGION);
  expect(await anotherBucket(await clients.s3(), [BUCKET, 'third-box'])).toBeUndefined();
  await emulator.createBucket('other-box', REGION);
  expect(await anotherBucket(await clients.s3(), [BUCKET, 'third-box'])).toBe('other-box');
});

test('a bucket that sends no events to EventBridge is red where the stack waits for them', async () => {
  await emulator.createBucket(BUCKET, REGION);
  const root = temporaryRoot();
  changeSettings(root, {
    ...{ notification: 'eventbridge', delivery: 'sqs', account_id: '123456789012' },
    create_s3_notifications: false,
  });
  expect((await diagnose(root)).of('bucket')).toMatchObject({
    state: 'red',
    found: `${BUCKET} sends no events to EventBridge`,
    next: expect.stringContaining('s3-configure-notifications --eventbridge'),
  });
  const s3 = await clients.s3();
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: BUCKET,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
  expect((await diagnose(root)).of('bucket')).toMatchObject({ state: 'ok' });
});
