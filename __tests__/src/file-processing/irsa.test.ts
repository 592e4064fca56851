import { describe, expect, it } from 'vitest';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { SettingsError } from '../../../src/settings/finding.ts';
import { listedBucket } from '../../support/settings.ts';
import {
  addresses,
  namesOf,
  resourceAt,
  type Statement,
  statementsAt,
} from '../../support/synthesized.ts';
import {
  ACCOUNT,
  IMAGE,
  MASTER_SECRET,
  synthesizeFileProcessing,
  synthesizeOnDemand,
} from '../../support/synthesized-file-processing.ts';

const BUCKET = 'arn:aws-us-gov:s3:::drop-box';
const TOPIC = '${aws_sns_topic.file_processing.arn}';

const sids = (statements: readonly Statement[]) => statements.map(({ Sid }) => Sid);

/** The rights on queues. */
const fetching = (Resource: string | readonly string[]) => [
  {
    Sid: 'FetchMessages',
    Effect: 'Allow',
    Action: [
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:GetQueueAttributes',
    ],
    Resource,
  },
  {
    Sid: 'DecryptMessages',
    Effect: 'Allow',
    Action: 'kms:Decrypt',
    Resource: '${aws_kms_key.events.arn}',
    Condition: { StringEquals: { 'kms:ViaService': 'sqs.us-gov-west-1.amazonaws.com' } },
  },
];

describe('The role of the listener', () => {
  it('reads exactly the prefix of its rule set', () => {
    const rules = synthesizeFileProcessing({ rules_location: 's3://agency-rules/rules/' });
    const statements = statementsAt(rules, 'aws_iam_policy.file_processing_s3', 'policy');
    expect(statements.filter(({ Sid }) => Sid === 'ReadRules')).toStrictEqual([
      {
        Sid: 'ReadRules',
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: 'arn:aws-us-gov:s3:::agency-rules/rules/*',
      },
    ]);
  });

  it('decrypts by the key of its rule set that, and nothing else', () => {
    const rules_kms_key_arn = 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c';
    const rules = synthesizeFileProcessing({
      ...{ rules_location: 's3://agency-rules/rules/', rules_kms_key_arn },
    });
    const statements = statementsAt(rules, 'aws_iam_policy.file_processing_s3', 'policy');
    expect(statements.find(({ Sid }) => Sid === 'DecryptRules')).toStrictEqual({
      Sid: 'DecryptRules',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: rules_kms_key_arn,
      Condition: {
        StringEquals: { 'kms:ViaService': 's3.us-gov-west-1.amazonaws.com' },
        StringLike: {
          'kms:EncryptionContext:aws:s3:arn': [
            'arn:aws-us-gov:s3:::agency-rules',
            'arn:aws-us-gov:s3:::agency-rules/rules/*',
          ],
        },
      },
    });
  });

  it('sends as one identity and from one address, and publishes to one topic', () => {
    const topic = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:notices';
    const key = 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c';
    const telling = synthesizeFileProcessing({
      ...{ notice_email: 'ses', notice_email_from: 'data@etl.example.gov' },
      ...{ notice_ses_identity: 'example.gov' },
      ...{ notice_topic_arn: topic, notice_topic_kms_key_arn: key },
    });
    const statements = statementsAt(telling, 'aws_iam_policy.file_processing_notices', 'policy');
    expect(statements).toStrictEqual([
      { Sid: 'PublishNotices', Effect: 'Allow', Action: 'sns:Publish', Resource: topic },
      {
        Sid: 'EncryptNotices',
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: key,
        Condition: { StringEquals: { 'kms:ViaService': 'sns.us-gov-west-1.amazonaws.com' } },
      },
      {
        Sid: 'SendNotices',
        Effect: 'Allow',
        Action: 'ses:SendEmail',
        Resource: expect.stringMatching(
          /^arn:aws-us-gov:ses:us-gov-west-1:.*:identity\/example\.gov$/,
        ),
        Condition: { StringEquals: { 'ses:FromAddress': 'data@etl.example.gov' } },
      },
    ]);
  });

  it('has no policy of notices where none go out by AWS', () => {
    const smtp = synthesizeFileProcessing({
      ...{ notice_email: 'smtp', notice_email_from: 'data@etl.example.gov' },
      notice_smtp_host: 'smtp.example.gov',
    });
    expect(JSON.stringify([json, smtp])).not.toContain('file_processing_notices');
  });

  const json = synthesizeFileProcessing();

  it('trusts exactly one ServiceAccount of exactly one cluster', () => {
    expect(
      statementsAt(json, 'aws_iam_role.file_processing_sa', 'assume_role_policy'),
    ).toStrictEqual([
      {
        Sid: 'AssumeRoleWithWebIdentity',
        Effect: 'Allow',
        Principal: { Federated: '${aws_iam_openid_connect_provider.eks.arn}' },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            '${local.oidc_issuer}:aud': 'sts.amazonaws.com',
            '${local.oidc_issuer}:sub': 'system:serviceaccount:file-processing:file-processing-sa',
          },
        },
      },
    ]);
  });

  it('takes the issuer without its protocol, as IAM compares it', () => {
    expect(json).toHaveProperty(
      'locals.oidc_issuer',
      '${replace(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://", "")}',
    );
  });

  it('is the one that the ServiceAccount names', () => {
    expect(resourceAt(json, 'kubernetes_service_account_v1.sa')).toHaveProperty(
      ['metadata', 'annotations', 'eks.amazonaws.com/role-arn'],
      '${aws_iam_role.file_processing_sa.arn}',
    );
  });

  it.each([
    ['file_processing_s3_attach', 'file_processing_s3'],
    ['file_processing_delivery', 'file_processing_delivery'],
  ])('has at %s the policy %s', (attachment, policy) => {
    expect(resourceAt(json, `aws_iam_role_policy_attachment.${attachment}`)).toStrictEqual({
      role: '${aws_iam_role.file_processing_sa.name}',
      policy_arn: `\${aws_iam_policy.${policy}.arn}`,
    });
  });

  it('reads the prefix, lists it, writes reports, and may do nothing else in S3', () => {
    expect(statementsAt(json, 'aws_iam_policy.file_processing_s3')).toStrictEqual([
      {
        Sid: 'ListPrefixes',
        Effect: 'Allow',
        Action: ['s3:ListBucket', 's3:ListBucketVersions'],
        Resource: BUCKET,
        Condition: { StringLike: { 's3:prefix': ['from_client/*'] } },
      },
      {
        Sid: 'ReadObjects',
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:GetObjectVersion'],
        Resource: [`${BUCKET}/from_client/*`],
      },
      {
        Sid: 'WriteReports',
        Effect: 'Allow',
        Action: 's3:PutObject',
        Resource: `${BUCKET}/data_quality_reports/*`,
      },
    ]);
  });

  it('confirms subscriptions to its topic, and takes what SNS gave up on', () => {
    expect(statementsAt(json, 'aws_iam_policy.file_processing_delivery')).toStrictEqual([
      {
        Sid: 'ConfirmSubscriptions',
        Effect: 'Allow',
        Action: 'sns:ConfirmSubscription',
        Resource: TOPIC,
      },
      ...fetching('${aws_sqs_queue.dead_letter.arn}'),
    ]);
  });

  it('has no rights on databases', () => {
    expect(namesOf(json, 'aws_iam_policy')).not.toContain('file_processing_database');
  });
});

describe('The role of a listener by other names', () => {
  const json = synthesizeFileProcessing({
    cluster_name: 'city',
    namespace: 'etl',
    service_account_name: 'checker',
    s3_prefixes: ['a/', 'b/'],
    report_prefix: '',
  });

  it('trusts the ServiceAccount under its name in its namespace', () => {
    expect(
      statementsAt(json, 'aws_iam_role.file_processing_sa', 'assume_role_policy')[0],
    ).toHaveProperty(
      ['Condition', 'StringEquals', '${local.oidc_issuer}:sub'],
      'system:serviceaccount:etl:checker',
    );
  });

  it('reads each prefix', () => {
    const statements = statementsAt(json, 'aws_iam_policy.file_processing_s3');
    expect(statements[0]).toHaveProperty('Condition.StringLike', { 's3:prefix': ['a/*', 'b/*'] });
    expect(statements[1]).toHaveProperty('Resource', [`${BUCKET}/a/*`, `${BUCKET}/b/*`]);
  });

  it('writes nothing without a place for reports', () => {
    expect(sids(statementsAt(json, 'aws_iam_policy.file_processing_s3'))).toEqual([
      'ListPrefixes',
      'ReadObjects',
    ]);
  });

  it('is named after the cluster, so that a second cluster has its own', () => {
    expect(resourceAt(json, 'aws_iam_role.file_processing_sa')).toHaveProperty(
      'name',
      'city-file-processing-sa',
    );
    expect(resourceAt(json, 'aws_iam_policy.file_processing_s3')).toHaveProperty(
      'name',
      'city-file-processing-s3',
    );
  });
});

describe('The role of a listener whose bucket has a key of KMS', () => {
  const KEY = 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c';

  it.each([
    ['reads and writes', 'reports/', ['kms:Decrypt', 'kms:GenerateDataKey']],
    ['only reads', '', ['kms:Decrypt']],
  ])('uses the key through S3 alone when it %s', (_, reportPrefix, actions) => {
    const json = synthesizeFileProcessing({
      bucket_kms_key_arn: KEY,
      report_prefix: reportPrefix,
    });
    expect(statementsAt(json, 'aws_iam_policy.file_processing_s3').at(-1)).toStrictEqual({
      Sid: 'UseBucketKey',
      Effect: 'Allow',
      Action: actions,
      Resource: KEY,
      Condition: { StringEquals: { 'kms:ViaService': 's3.us-gov-west-1.amazonaws.com' } },
    });
  });

  it('names S3 as it is called in China', () => {
    const json = synthesizeFileProcessing({
      aws_region: 'cn-north-1',
      bucket_kms_key_arn: 'arn:aws-cn:kms:cn-north-1:123456789012:key/0b1e6f4c',
    });
    expect(statementsAt(json, 'aws_iam_policy.file_processing_s3').at(-1)).toHaveProperty(
      ['Condition', 'StringEquals', 'kms:ViaService'],
      's3.cn-north-1.amazonaws.com.cn',
    );
  });
});

describe('The role of a listener that fetches from a queue', () => {
  const json = synthesizeFileProcessing({ delivery: 'sqs' });

  it('is one to confirm subscriptions as well while both ways are open', () => {
    const both = synthesizeFileProcessing({ both_deliveries: true });
    expect(
      statementsAt(both, 'aws_iam_policy.file_processing_delivery').map(({ Sid }) => Sid),
    ).toEqual(['ConfirmSubscriptions', 'FetchMessages', 'DecryptMessages']);
  });

  it('fetches from that queue, decrypts, and confirms no subscriptions', () => {
    expect(statementsAt(json, 'aws_iam_policy.file_processing_delivery')).toStrictEqual(
      fetching('${aws_sqs_queue.deliveries.arn}'),
    );
  });

  it('takes what a rule of EventBridge could not deliver too', () => {
    const bridge = synthesizeFileProcessing({
      ...{ delivery: 'sqs', notification: 'eventbridge', account_id: '123456789012' },
    });
    expect(statementsAt(bridge, 'aws_iam_policy.file_processing_delivery')).toStrictEqual(
      fetching(['${aws_sqs_queue.deliveries.arn}', '${aws_sqs_queue.undelivered.arn}']),
    );
  });
});

describe('The role of a listener that signs in to the database by IAM', () => {
  const json = synthesizeFileProcessing({
    db_host: 'db.example.gov',
    db_name: 'etl_db',
    db_user: 'etl_user',
    db_iam_auth: true,
    db_resource_id: 'db-ABCDEFGHIJKL01234',
  });

  it('may connect to that database as that user', () => {
    expect(statementsAt(json, 'aws_iam_policy.file_processing_database')).toStrictEqual([
      {
        Sid: 'ConnectToDatabase',
        Effect: 'Allow',
        Action: 'rds-db:connect',
        Resource: `arn:aws-us-gov:rds-db:us-gov-west-1:${ACCOUNT}:dbuser:db-ABCDEFGHIJKL01234/etl_user`,
      },
    ]);
    expect(
      resourceAt(json, 'aws_iam_role_policy_attachment.file_processing_database'),
    ).toStrictEqual({
      role: '${aws_iam_role.file_processing_sa.name}',
      policy_arn: '${aws_iam_policy.file_processing_database.arn}',
    });
  });
});

describe('The OIDC provider', () => {
  const THUMBPRINT = '0201a9f54320c2145814a507d7a3880c726eacd7';
  const json = synthesizeFileProcessing({ oidc_thumbprint: THUMBPRINT });

  it("stands for the cluster's issuer, for tokens that are meant for STS", () => {
    expect(resourceAt(json, 'aws_iam_openid_connect_provider.eks')).toMatchObject({
      url: '${aws_eks_cluster.this.identity[0].oidc[0].issuer}',
      client_id_list: ['sts.amazonaws.com'],
    });
  });

  it('takes its thumbprint from a variable, which may be empty', () => {
    expect(resourceAt(json, 'aws_iam_openid_connect_provider.eks')).toHaveProperty(
      'thumbprint_list',
      '${var.oidc_thumbprint == "" ? null : [var.oidc_thumbprint]}',
    );
    expect(json.variable.oidc_thumbprint).toHaveProperty('default', THUMBPRINT);
    expect(synthesizeFileProcessing().variable.oidc_thumbprint).toHaveProperty('default', '');
  });

  it('has the same audience in China', () => {
    const inChina = synthesizeFileProcessing({ aws_region: 'cn-north-1' });
    expect(resourceAt(inChina, 'aws_iam_openid_connect_provider.eks')).toHaveProperty(
      'client_id_list',
      ['sts.amazonaws.com'],
    );
  });
});

describe('An OIDC provider that others own', () => {
  const ISSUER = 'oidc.eks.us-gov-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF';
  const PROVIDER = `arn:aws-us-gov:iam::123456789012:oidc-provider/${ISSUER}`;
  const json = synthesizeFileProcessing({ existing_oidc_provider_arn: PROVIDER });

  it('is not made again', () => {
    expect(namesOf(json, 'aws_iam_openid_connect_provider')).toEqual([]);
    expect(json.variable).not.toHaveProperty('oidc_thumbprint');
    expect(json.locals).not.toHaveProperty('oidc_issuer');
  });

  it('stays where it is if the stack has made it before', () => {
    expect(json.removed).toContainEqual({
      from: 'aws_iam_openid_connect_provider.eks',
      lifecycle: [{ destroy: false }],
    });
  });

  it('is trusted, for tokens of its issuer', () => {
    const trust = statementsAt(json, 'aws_iam_role.file_processing_sa', 'assume_role_policy');
    expect(trust).toEqual([
      expect.objectContaining({
        Principal: { Federated: PROVIDER },
        Condition: {
          StringEquals: {
            [`${ISSUER}:aud`]: 'sts.amazonaws.com',
            [`${ISSUER}:sub`]: 'system:serviceaccount:file-processing:file-processing-sa',
          },
        },
      }),
    ]);
  });

  it('is an output', () => {
    expect(json.output.oidc_provider_arn).toHaveProperty('value', PROVIDER);
  });
});

describe('The roles of the Jobs that prepare a database on demand', () => {
  const json = synthesizeOnDemand();

  it.each(['bootstrap', 'migrate'])('%s trusts its own ServiceAccount alone', (job) => {
    const [statement] = statementsAt(json, `aws_iam_role.database_${job}`, 'assume_role_policy');
    expect(statement?.Condition).toHaveProperty(
      ['StringEquals', '${local.oidc_issuer}:sub'],
      `system:serviceaccount:file-processing:file-processing-database-${job}`,
    );
  });

  it('one reads the master secret, with the key by Secrets Manager alone', () => {
    expect(statementsAt(json, 'aws_iam_role_policy.database_bootstrap')).toStrictEqual([
      {
        Sid: 'ReadMasterSecret',
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: MASTER_SECRET.arn,
      },
      {
        Sid: 'DecryptMasterSecret',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: MASTER_SECRET.keyArn,
        Condition: {
          StringEquals: { 'kms:ViaService': 'secretsmanager.us-gov-west-1.amazonaws.com' },
        },
      },
    ]);
  });

  it('the other signs in as the migrator, and the listener as itself', () => {
    const user = (name: string) =>
      `arn:aws-us-gov:rds-db:us-gov-west-1:${ACCOUNT}:dbuser:db-ABC/${name}`;
    const connect = { Sid: 'ConnectToDatabase', Effect: 'Allow', Action: 'rds-db:connect' };
    expect(statementsAt(json, 'aws_iam_role_policy.database_migrate')).toStrictEqual([
      { ...connect, Resource: user('file_processing_migrator') },
    ]);
    expect(statementsAt(json, 'aws_iam_policy.file_processing_database')).toStrictEqual([
      { ...connect, Resource: user('listener') },
    ]);
  });

  it.each(['bootstrap', 'migrate'])('%s runs again in a database that was restored', (job) => {
    expect(resourceAt(json, `kubernetes_job_v1.database_${job}`)).toHaveProperty(
      ['spec', 'template', 'metadata', 'annotations', 'file-processing/database'],
      'db-ABC',
    );
  });

  it('are made with the Jobs: not before there is an image, unless others deploy them', () => {
    const rolesOf = (overrides: Partial<FileProcessingSettings>) =>
      namesOf(synthesizeOnDemand(overrides), 'aws_iam_role').filter((name) => /^data/.test(name));
    expect(rolesOf({ image: '' })).toEqual([]);
    expect(rolesOf({ image: '', manage_kubernetes: false })).toHaveLength(2);
  });

  it('the Jobs wait for their rights, and for the way to the database', () => {
    expect(resourceAt(json, 'kubernetes_job_v1.database_bootstrap')).toHaveProperty(
      'depends_on',
      expect.arrayContaining([
        'aws_iam_role_policy.database_bootstrap',
        'aws_iam_role_policy.database_migrate',
        'aws_vpc_security_group_ingress_rule.database',
      ]),
    );
  });
});

it('the listener of buckets that one policy has no room for is refused, with what would do', () => {
  const buckets = Array.from({ length: 20 }, (_, index) =>
    listedBucket(`bucket-${index}`, {
      prefixes: Array.from({ length: 4 }, (_, folder) => `from_client/${index}/${folder}/`),
    }),
  );
  const synthesize = () => synthesizeFileProcessing({ buckets });
  expect(synthesize).toThrow(SettingsError);
  expect(synthesize).toThrow(
    /: buckets: the listener's policy on its buckets would have \d{4,5} characters, and IAM takes 6144: /,
  );
});

it('the listener of 20 buckets with the same prefixes has room for them in its policy', () => {
  const buckets = Array.from({ length: 20 }, (_, index) => listedBucket(`bucket-${index}`));
  expect(() => synthesizeFileProcessing({ buckets })).not.toThrow();
});

describe.each([
  ['us-east-1', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-north-1', 'aws-cn'],
])('EKS Pod Identity in %s', (region, partition) => {
  const json = synthesizeFileProcessing({
    aws_region: region,
    identity: 'pod_identity',
    image: IMAGE,
  });

  it('makes no OIDC provider, and annotates no ServiceAccount', () => {
    expect(json.resource).not.toHaveProperty('aws_iam_openid_connect_provider');
    expect(JSON.stringify(json)).not.toContain('eks.amazonaws.com/role-arn');
    expect(json.output).toMatchObject({ oidc_provider_arn: { value: '' } });
  });

  it('associates the ServiceAccount with the role of the original address', () => {
    expect(resourceAt(json, 'aws_eks_pod_identity_association.file_processing_sa')).toStrictEqual({
      cluster_name: '${aws_eks_cluster.this.name}',
      namespace: 'file-processing',
      service_account: 'file-processing-sa',
      role_arn: '${aws_iam_role.file_processing_sa.arn}',
    });
  });

  it('is all that the role trusts, for this ServiceAccount of this cluster', () => {
    expect(
      statementsAt(json, 'aws_iam_role.file_processing_sa', 'assume_role_policy'),
    ).toMatchObject([
      {
        Principal: { Service: 'pods.eks.amazonaws.com' },
        Condition: {
          StringEquals: {
            'aws:SourceAccount': ACCOUNT,
            'aws:RequestTag/eks-cluster-arn': `arn:${partition}:eks:${region}:${ACCOUNT}:cluster/file-processing-cluster`,
          },
        },
      },
    ]);
  });

  it('is associated before a pod starts, and restarts pods that had another identity', () => {
    const deployment = resourceAt(json, 'kubernetes_deployment_v1.sns_listener');
    expect(deployment.depends_on).toContain('aws_eks_pod_identity_association.file_processing_sa');
    expect(JSON.stringify(deployment)).toContain('"file-processing/identity":"pod_identity"');
  });

  it('lets the pods reach the agent that gives out credentials', () => {
    expect(JSON.stringify(resourceAt(json, 'kubernetes_network_policy_v1.sns_listener'))).toContain(
      '"cidr":"169.254.170.23/32"',
    );
  });
});

describe('While identity is switched', () => {
  it.each(['irsa', 'pod_identity'] as const)('the role trusts both ways to %s', (identity) => {
    const json = synthesizeFileProcessing({ identity, both_identities: true });
    const statements = statementsAt(json, 'aws_iam_role.file_processing_sa', 'assume_role_policy');
    expect(statements.map(({ Sid }) => Sid)).toEqual([
      'AssumeRoleWithWebIdentity',
      'AssumeRoleByPodIdentity',
    ]);
    expect(JSON.stringify(json)).toContain('eks.amazonaws.com/role-arn');
  });

  it('new pods take the way that stays: an association goes before an annotation', () => {
    const of = (identity: 'irsa' | 'pod_identity') =>
      addresses(synthesizeFileProcessing({ identity, both_identities: true }));
    const association = 'aws_eks_pod_identity_association.file_processing_sa';
    expect(of('pod_identity')).toContain(association);
    expect(of('irsa')).not.toContain(association);
  });
});
