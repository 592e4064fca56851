import { cpSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { includesAction } from '../../../audit/policy/policy-document.ts';
import { ROOT } from '../../support/run-main.ts';
import { type AttachedAws, emptyAttachedAws } from '../support/attached-provider.ts';
import { REGION } from '../support/aws-account.ts';
import type { RecordedRequest } from '../support/aws-emulator.ts';
import { type ManagedCheckout, managedCheckout } from '../support/managed-checkout.ts';

const ENVIRONMENT = 'etl-playground';

/** What `drift.json` holds, as far as it is looked at. */
interface DriftReport {
  readonly awsOnly: boolean;
  readonly notes: readonly string[];
  readonly drifts: readonly {
    readonly stack: string;
    readonly address: string;
    readonly argument: string;
    readonly kind: string;
  }[];
  readonly findings: readonly { readonly rule: string; readonly place: string }[];
}

/** Prefixes of actions, where they are not the name that requests are signed for. */
const PREFIXES: Readonly<Record<string, string>> = { monitoring: 'cloudwatch' };

/** The action of IAM that a request needs; of APIs that are addressed by paths, its kind. */
function actionOf({ method, url, headers, body, body_encoded }: RecordedRequest): string {
  const named = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const),
  );
  const [, signed = ''] =
    /Credential=[^/]*\/\d+\/[^/]*\/([^/]+)\//.exec(named.get('authorization') ?? '') ?? [];
  const service = PREFIXES[signed] ?? signed;
  const text = body_encoded ? Buffer.from(body, 'base64').toString() : body;
  const { pathname, searchParams } = new URL(url);
  const told =
    named.get('x-amz-target')?.split('.').at(-1) ??
    new URLSearchParams(text).get('Action') ??
    searchParams.get('Action') ??
    /\/operation\/(\w+)$/.exec(pathname)?.[1];
  if (told !== undefined) return `${service}:${told}`;
  if (service === 'eks' && method === 'GET') return 'eks:DescribeSomething';
  if (service === 's3' && method === 'HEAD') return 's3:ListBucket';
  if (service === 's3' && searchParams.has('notification')) return 's3:GetBucketNotification';
  if (service === 's3' && searchParams.has('location')) return 's3:GetBucketLocation';
  return `${service}:${method} ${pathname}`;
}

/** Actions of the policy that docs/operate.md gives the workflow's role. */
async function allowedActions(): Promise<readonly string[]> {
  const page = await readFile(join(ROOT, 'docs/operate.md'), 'utf8');
  const policy = [...page.matchAll(/```json\n([\s\S]*?)```/g)]
    .map(([, text = '']) => text)
    .find((text) => text.includes('ReadWhatTheStacksMake'));
  const { Statement } = JSON.parse(policy ?? '{}') as {
    readonly Statement: readonly { readonly Action: string | readonly string[] }[];
  };
  return Statement.flatMap(({ Action }) => Action);
}

let emulator: AttachedAws;
let checkout: ManagedCheckout;
let before: DriftReport;

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  await emulator.createBucket('etl-ba-research-client-etl', REGION);
  checkout = managedCheckout(emulator);
  checkout.addEnvironment(ENVIRONMENT);
  // What judges: `manage` starts it by npm.
  cpSync(join(ROOT, 'audit'), join(checkout.root, 'audit'), { recursive: true });
  for (const stack of ['foundation-network', 'file-processing']) {
    const { code, stdout, stderr } = await checkout.manage(['apply', stack, '--auto-approve']);
    expect(code, `${stdout}${stderr}`).toBe(0);
  }
  before = await drift(0);
});

afterAll(async () => {
  await emulator?.stop();
  await checkout?.close();
});

async function drift(expected: number, ...options: readonly string[]): Promise<DriftReport> {
  const { code, stdout, stderr } = await checkout.manage(['drift', ENVIRONMENT, ...options]);
  expect(code, `${stdout}${stderr}`).toBe(expected);
  const file = join(checkout.root, 'drift-report', ENVIRONMENT, 'drift.json');
  return JSON.parse(await readFile(file, 'utf8')) as DriftReport;
}

async function ids(stack: 'foundation-network' | 'file-processing', type: string, name: string) {
  const { resources } = JSON.parse(await checkout.localState(ENVIRONMENT, stack)) as {
    readonly resources: readonly {
      readonly type: string;
      readonly name: string;
      readonly instances: readonly { readonly attributes: Readonly<Record<string, string>> }[];
    }[];
  };
  const held = resources.find((resource) => resource.type === type && resource.name === name);
  const attributes = held?.instances[0]?.attributes;
  if (attributes?.id === undefined) throw new Error(`${type}.${name} is not in the state`);
  return attributes.id;
}

/** A call of KMS, which speaks JSON. */
async function kms(action: string, body: Readonly<Record<string, unknown>>): Promise<void> {
  const { status } = await fetch(emulator.url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': `TrentService.${action}`,
      Authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/kms/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(body),
  });
  expect(status).toBe(200);
}

test('calls nothing that the policy of its workflow does not allow', async () => {
  const requests = await emulator.recorded(() => drift(0));
  const called = [...new Set(requests.map(actionOf))].sort();
  const allowed = await allowedActions();
  expect(called).toContain('iam:GetRole');
  expect(
    called.filter((action) => !allowed.some((pattern) => includesAction(pattern, action))),
  ).toEqual([]);
});

test('nothing drifted after the deploy, whatever AWS tells of its own', () => {
  expect(before.drifts.filter(({ kind }) => kind !== 'computed')).toEqual([]);
});

describe('what was changed since', () => {
  let report: DriftReport;

  beforeAll(async () => {
    await emulator.query('ec2', REGION, {
      Action: 'AuthorizeSecurityGroupIngress',
      Version: '2016-11-15',
      GroupId: await ids('foundation-network', 'aws_default_security_group', 'locked'),
      'IpPermissions.1.IpProtocol': 'tcp',
      'IpPermissions.1.FromPort': '22',
      'IpPermissions.1.ToPort': '22',
      'IpPermissions.1.IpRanges.1.CidrIp': '0.0.0.0/0',
    });
    await kms('DisableKeyRotation', {
      KeyId: await ids('foundation-network', 'aws_kms_key', 'flow_logs'),
    });
    const topic = await ids('file-processing', 'aws_sns_topic', 'file_processing');
    await emulator.query('sns', REGION, {
      Action: 'SetTopicAttributes',
      Version: '2010-03-31',
      TopicArn: topic,
      AttributeName: 'Policy',
      AttributeValue: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Sid: 'Open', Effect: 'Allow', Principal: '*', Action: 'sns:Publish', Resource: topic },
        ],
      }),
    });
    await emulator.query('ec2', REGION, {
      Action: 'CreateTags',
      Version: '2016-11-15',
      'ResourceId.1': await ids('foundation-network', 'aws_subnet', 'private_a'),
      'Tag.1.Key': 'Team',
      'Tag.1.Value': 'somebody',
    });
    await emulator.query('iam', REGION, {
      Action: 'AttachRolePolicy',
      Version: '2010-05-08',
      RoleName: await ids('file-processing', 'aws_iam_role', 'file_processing_sa'),
      PolicyArn: 'arn:aws-us-gov:iam::aws:policy/AdministratorAccess',
    });
    report = await drift(2);
  });

  /** Rules that were kept before, with the place that they are broken at. */
  const broken = () =>
    report.findings
      .filter((now) => !before.findings.some((then) => isAlike(then, now)))
      .map(({ rule, place }) => `${rule} ${place}`);
  const isAlike = (one: { rule: string; place: string }, other: typeof one) =>
    one.rule === other.rule && one.place === other.place;

  test.each([
    ['a security group that was opened', 'aws_default_security_group.locked', 'ingress'],
    ['a key that rotates no more', 'aws_kms_key.flow_logs', 'enable_key_rotation'],
    ['a policy that lets anybody publish', 'aws_sns_topic_policy.default', 'policy'],
    ['a tag alone', 'aws_subnet.private_a', 'tags'],
  ])('is found: %s', (_, address, argument) => {
    expect(report.drifts).toContainEqual(
      expect.objectContaining({ address, argument, kind: 'changed' }),
    );
  });

  test.each([
    'default-group-locked foundation-network/aws_vpc.main',
    'key-rotates foundation-network/aws_kms_key.flow_logs',
    'principals-are-named file-processing/aws_sns_topic_policy.default',
    'aws-policies-of-role file-processing/aws_iam_role.file_processing_sa',
  ])('is judged by the rules of the audit: %s', (finding) => {
    expect(broken()).toContainEqual(expect.stringContaining(finding));
  });

  test('is found where no argument of the settings says it: a policy that somebody attached', () => {
    expect(report.drifts).toContainEqual(
      expect.objectContaining({
        address: 'aws_iam_role.file_processing_sa',
        argument: 'managed_policy_arns',
        kind: 'added',
      }),
    );
  });

  test('is not a finding where a tag alone was added', () => {
    expect(broken().filter((text) => text.includes('aws_subnet.private_a'))).toEqual([]);
  });

  test('names what refers to the stacks by their expressions, and no id of the account', async () => {
    const file = join(checkout.root, 'drift-report', ENVIRONMENT, 'cdktf.out');
    const json = JSON.parse(
      await readFile(join(file, 'stacks/file-processing/cdk.tf.json'), 'utf8'),
    );
    const { policy } = json.resource.aws_sns_topic_policy.default;
    expect(JSON.parse(policy).Statement[0].Resource).toBe('${aws_sns_topic.file_processing.arn}');
  });

  test('is found of AWS alone where the cluster is out of reach, and the reports say so', async () => {
    const alone = await drift(2, '--aws-only');
    expect(alone.drifts).toEqual(report.drifts);
    expect(alone.notes.join(' ')).toContain('AWS only (--aws-only)');
    const audit = join(checkout.root, 'drift-report', ENVIRONMENT, 'audit', ENVIRONMENT);
    expect(await readFile(join(audit, 'report.html'), 'utf8')).toContain('AWS only (--aws-only)');
  });
});
