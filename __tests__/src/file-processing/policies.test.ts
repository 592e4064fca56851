import { describe, expect, it } from 'vitest';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
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
    bucket_kms_key_arn: `arn:${partition}:kms:${region}:123456789012:key/0b1e6f4c`,
    create_s3_notifications: true,
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
    const partitions = new Set(Array.from(text.matchAll(/\barn:([\w-]+):/g), ([, name]) => name));
    expect([...partitions]).toEqual([partition]);
  });
});
