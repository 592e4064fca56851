import { describe, expect, it } from 'vitest';
import { encryptionOf } from '../../../audit/report/encryption.ts';
import { smallModel } from '../support/small-stack.ts';

function key(type: string, attributes: Readonly<Record<string, unknown>>, rotated = true) {
  const model = smallModel({
    [type]: { it: attributes },
    aws_kms_key: { k: { enable_key_rotation: rotated } },
  });
  return encryptionOf(model).map(({ key }) => key);
}

const KEY = '${aws_kms_key.k.arn}';

describe('data at rest', () => {
  it.each([
    ['aws_sns_topic', { kms_master_key_id: KEY }],
    ['aws_sqs_queue', { kms_master_key_id: KEY }],
    ['aws_cloudwatch_log_group', { kms_key_id: KEY }],
    ['aws_ecr_repository', { encryption_configuration: [{ kms_key: KEY }] }],
    ['aws_eks_cluster', { encryption_config: { provider: { key_arn: KEY } } }],
    ['aws_db_instance', { storage_encrypted: true, kms_key_id: KEY }],
    [
      'aws_launch_template',
      {
        block_device_mappings: [
          { device_name: '/dev/xvda', ebs: { encrypted: 'true', kms_key_id: KEY } },
        ],
      },
    ],
  ])('of %s names its key', (type, attributes) => {
    expect(key(type, attributes)).toEqual(['aws_kms_key.k, rotated every year']);
  });

  it('tells when the key is never rotated', () => {
    expect(key('aws_sns_topic', { kms_master_key_id: KEY }, false)).toEqual([
      'aws_kms_key.k, never rotated',
    ]);
  });

  it('names the period of a key that has one of its own', () => {
    const model = smallModel({
      aws_sns_topic: { it: { kms_master_key_id: KEY } },
      aws_kms_key: { k: { enable_key_rotation: true, rotation_period_in_days: 90 } },
    });
    expect(encryptionOf(model)).toMatchObject([{ key: 'aws_kms_key.k, rotated every 90 days' }]);
  });

  it.each([
    ['aws_sns_topic', {}],
    ['aws_db_instance', { kms_key_id: KEY }],
    ['aws_launch_template', { block_device_mappings: [{ ebs: {} }] }],
  ])('of %s %j is not encrypted', (type, attributes) => {
    expect(key(type, attributes)).toEqual(['not encrypted']);
  });

  it('of a queue without a key is left to AWS', () => {
    expect(key('aws_sqs_queue', {})[0]).toContain("AWS's own");
  });

  it('of a key of others shows its ARN', () => {
    const arn = 'arn:aws:kms:us-east-1:123456789012:key/1';
    expect(key('aws_sns_topic', { kms_master_key_id: arn })).toEqual([
      `${arn} (not of these stacks)`,
    ]);
  });

  it.each([
    ['s3', { encrypt: true, kms_key_id: 'arn:key' }, 'arn:key (not of these stacks)'],
    ['s3', { encrypt: true }, "the bucket's key"],
    ['local', { path: 'x' }, 'not encrypted by Terraform: protect the disk that holds it'],
  ])('of the state in %s %j is told', (type, backend, expected) => {
    const model = smallModel({}, { terraform: { backend: { [type]: backend } } });
    expect(encryptionOf(model)).toMatchObject([{ address: 'terraform', key: expected }]);
  });
});
