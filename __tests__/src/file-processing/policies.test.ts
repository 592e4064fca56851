import { describe, expect, it } from 'vitest';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { listedBucket } from '../../support/settings.ts';
import type { Statement, SynthesizedStack } from '../../support/synthesized.ts';
import { IMAGE, synthesizeText } from '../../support/synthesized-file-processing.ts';

const HTTP = { sns_endpoint_url: 'https://files.example.gov/' } as const;
const SQS = { delivery: 'sqs', db_iam_auth: true, db_resource_id: 'db-ABC123' } as const;

/** Everything on that can be on together with the delivery. */
function everything(
  region: string,
  partition: string,
  delivery: typeof HTTP | typeof SQS,
): Partial<FileProcessingSettings> {
  return {
    ...delivery,
    aws_region: region,
    cluster_admin_arns: [`arn:${partition}:iam::123456789012:role/etl-admin`],
    node_s3_access: true,
    buckets: [
      listedBucket('drop-box', {
        create_notifications: true,
        kms_key_arn: `arn:${partition}:kms:${region}:123456789012:key/0b1e6f4c`,
      }),
      listedBucket('letters', { create_notifications: true, prefixes: ['in/'] }),
      listedBucket('theirs', {
        account_id: '210987654321',
        kms_key_arn: `arn:${partition}:kms:${region}:210987654321:key/4c0e9a55`,
      }),
    ],
    alarm_topic_arn: `arn:${partition}:sns:${region}:123456789012:on-call`,
    image: IMAGE,
    db_host: 'db.example.gov',
    db_name: 'etl_db',
    db_user: 'etl_user',
    db_security_group_id: 'sg-0a1b2c3d',
  };
}

/** Every argument of a resource that holds JSON, as `type.name argument`, with its text. */
function jsonArguments(text: string): readonly (readonly [where: string, json: string])[] {
  const { resource } = JSON.parse(text) as SynthesizedStack;
  return Object.entries(resource).flatMap(([type, named]) =>
    Object.entries(named).flatMap(([name, block]) =>
      Object.entries(block)
        .filter(
          (entry): entry is [string, string] =>
            /^[{[]/.test(String(entry[1])) && typeof entry[1] === 'string',
        )
        .map(([argument, json]) => [`${type}.${name} ${argument}`, json] as const),
    ),
  );
}

function statementsOf(text: string): readonly (readonly [where: string, statement: Statement])[] {
  return jsonArguments(text).flatMap(([where, json]) => {
    const { Statement: statements = [] } = JSON.parse(json) as { Statement?: Statement[] };
    return statements.map((statement) => [`${where} ${statement.Sid}`, statement] as const);
  });
}

describe.each([
  ['http', HTTP],
  ['sqs', SQS],
])('Every policy of the stack with delivery %s', (_, delivery) => {
  const text = synthesizeText(everything('us-gov-west-1', 'aws-us-gov', delivery));

  it('can be read as JSON by a scanner', () => {
    const policies = jsonArguments(text);
    for (const [where, json] of policies) expect(() => JSON.parse(json), where).not.toThrow();
    const fromRole = policies.filter(([where]) => where.endsWith(' assume_role_policy'));
    expect(fromRole.map(([where]) => where)).toEqual([
      'aws_iam_role.eks_cluster assume_role_policy',
      'aws_iam_role.eks_node assume_role_policy',
      'aws_iam_role.file_processing_sa assume_role_policy',
      'aws_iam_role.sns_feedback assume_role_policy',
    ]);
  });

  it('is written as JSON, not as an expression of Terraform', () => {
    const { resource } = JSON.parse(text) as SynthesizedStack;
    const policies = Object.values(resource)
      .flatMap((named) => Object.values(named))
      .flatMap(({ policy, assume_role_policy }) => [policy, assume_role_policy])
      .filter((policy) => policy !== undefined);
    expect(policies).not.toEqual([]);
    for (const policy of policies) expect(policy).toMatch(/^\{/);
    expect(text).not.toContain('jsonencode({');
    expect(text).not.toContain('aws_iam_policy_document');
  });

  it('allows nothing to everybody', () => {
    const everybody = statementsOf(text).filter(([, { Effect, Principal }]) =>
      Effect === 'Allow' ? JSON.stringify(Principal ?? '').includes('*') : false,
    );
    expect(everybody).toEqual([]);
  });

  it('allows no action of every kind, except to those who administer a key', () => {
    const sweeping = statementsOf(text).filter(([, { Effect, Action }]) =>
      Effect === 'Allow' ? [Action].flat().some((action) => /(^|:)\*$/.test(action)) : false,
    );
    expect(sweeping.map(([where]) => where)).toEqual([
      'aws_kms_key.cluster policy AccountAdministersKey',
      'aws_kms_key.events policy AccountAdministersKey',
      'aws_kms_key.logs policy AccountAdministersKey',
      'aws_kms_key.repository policy AccountAdministersKey',
    ]);
  });

  it('names the resources it is about, except in the policy of a key, where * is the key', () => {
    const anywhere = statementsOf(text).filter(
      ([where, { Effect, Resource }]) =>
        Effect === 'Allow' && Resource === '*' && !where.startsWith('aws_kms_key.'),
    );
    expect(anywhere).toEqual([]);
  });

  it('says of which account or resource a service acts, except for the role of EC2', () => {
    const unconditional = statementsOf(text).filter(
      ([, { Principal, Condition }]) =>
        Condition === undefined && JSON.stringify(Principal ?? '').includes('Service'),
    );
    expect(unconditional.map(([where]) => where)).toEqual([
      'aws_iam_role.eks_node assume_role_policy AssumeRole',
    ]);
  });
});

describe.each([
  ['us-gov-west-1', 'aws-us-gov'],
  ['us-east-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
])('FileProcessingStack in %s', (region, partition) => {
  it.each([
    ['http', HTTP],
    ['sqs', SQS],
  ])('names no partition but %s, whatever is switched on', (_, delivery) => {
    const text = synthesizeText(everything(region, partition, delivery));
    for (const bucket of ['drop-box', 'letters', 'theirs']) {
      expect(text).toContain(`arn:${partition}:s3:::${bucket}/data_quality_reports/*`);
    }
    const partitions = new Set(Array.from(text.matchAll(/\barn:([\w-]+):/g), ([, name]) => name));
    expect([...partitions]).toEqual([partition]);
  });
});

describe.each([
  ['us-gov-west-1', 'aws-us-gov', 'amazonaws.com'],
  ['us-east-1', 'aws', 'amazonaws.com'],
  ['cn-north-1', 'aws-cn', 'amazonaws.com.cn'],
])('The bucket of another account in %s', (region, partition, dnsSuffix) => {
  const text = synthesizeText(everything(region, partition, HTTP));
  const json = JSON.parse(text) as SynthesizedStack;
  const ARN = `arn:${partition}:s3:::theirs`;

  it('publishes to the topic, and with its key, only from that account', () => {
    const theirs = statementsOf(text).filter(([where]) => where.endsWith('210987654321'));
    expect(theirs.map(([where, { Condition }]) => [where, Condition])).toEqual(
      [
        'aws_kms_key.events policy BucketPublishesWithKey210987654321',
        'aws_sns_topic_policy.default policy BucketPublishes210987654321',
      ].map((where) => [
        where,
        {
          StringEquals: { 'aws:SourceAccount': '210987654321' },
          ArnEquals: { 'aws:SourceArn': ARN },
        },
      ]),
    );
  });

  it('has an output with what its owner has to set', () => {
    const { value } = json.output.for_bucket_owners ?? {};
    const Principal = { AWS: '${aws_iam_role.file_processing_sa.arn}' };
    expect(JSON.parse(String(value))).toEqual({
      theirs: {
        account: '210987654321',
        bucketPolicy: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'FileProcessingListPrefixes',
              Effect: 'Allow',
              Principal,
              Action: ['s3:ListBucket', 's3:ListBucketVersions'],
              Resource: ARN,
              Condition: { StringLike: { 's3:prefix': ['from_client/*'] } },
            },
            {
              Sid: 'FileProcessingReadObjects',
              Effect: 'Allow',
              Principal,
              Action: ['s3:GetObject', 's3:GetObjectVersion'],
              Resource: [`${ARN}/from_client/*`],
            },
            {
              Sid: 'FileProcessingWriteReports',
              Effect: 'Allow',
              Principal,
              Action: 's3:PutObject',
              Resource: `${ARN}/data_quality_reports/*`,
            },
          ],
        },
        keyArn: `arn:${partition}:kms:${region}:210987654321:key/4c0e9a55`,
        keyPolicy: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'FileProcessingUseBucketKey',
              Effect: 'Allow',
              Principal,
              Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
              Resource: '*',
              Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.${dnsSuffix}` } },
            },
          ],
        },
        notifications: {
          TopicConfigurations: [
            {
              Id: 'file-processing:from_client/',
              TopicArn: '${aws_sns_topic.file_processing.arn}',
              Events: ['s3:ObjectCreated:*'],
              Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'from_client/' }] } },
            },
          ],
        },
      },
    });
  });

  it('is an account that the stack trusts', () => {
    expect(json).toHaveProperty('locals.trusted_accounts', ['210987654321']);
  });
});

it('buckets of the own account need no output for owners', () => {
  const { output } = JSON.parse(synthesizeText({})) as SynthesizedStack;
  expect(output).not.toHaveProperty('for_bucket_owners');
});

describe('a bucket of another account that files are copied to', () => {
  const target = {
    ...{ bucket: 'checked-files', prefix: 'checked/', account_id: '210987654321' },
    kms_key_arn: 'arn:aws-us-gov:kms:us-gov-west-1:210987654321:key/4c0e9a55',
  };
  const parts = (overrides: object) => {
    const { output } = JSON.parse(synthesizeText(overrides)) as SynthesizedStack;
    return JSON.parse(String(output?.for_bucket_owners?.value));
  };

  it('has an output with what its owner has to allow, and no events', () => {
    const owners = parts({ routing_targets: [target] });
    expect(owners).toEqual({
      'checked-files': {
        account: '210987654321',
        bucketPolicy: expect.anything(),
        keyArn: target.kms_key_arn,
        keyPolicy: expect.anything(),
      },
    });
    const { bucketPolicy, keyPolicy } = owners['checked-files'];
    expect(bucketPolicy.Statement).toMatchObject([
      {
        Sid: 'FileProcessingCopyFiles',
        Resource: 'arn:aws-us-gov:s3:::checked-files/checked/*',
      },
    ]);
    expect(keyPolicy.Statement).toMatchObject([
      { Sid: 'FileProcessingEncryptCopies', Resource: '*' },
    ]);
  });
});
