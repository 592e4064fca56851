import { isArnOf } from '@file-processing/contract/arn.ts';
import {
  BUCKET_NAME,
  isKeyPrefix,
  isKeySuffix,
  isOwnBucketName,
  KEY_PREFIX,
  KEY_SUFFIX,
} from '@file-processing/contract/s3-object.ts';
import { flag, text, textList } from '../variable.ts';

/** The bucket of the clients, and what in it is checked. */
export const bucketVariables = {
  bucket_name: text({
    description: 'Bucket that the clients drop their files into. It must exist.',
    example: 'etl-ba-research-client-etl',
    allowed: BUCKET_NAME,
    accepts: isOwnBucketName,
  }),
  bucket_kms_key_arn: text({
    description: 'Key that the objects in the bucket are encrypted with, if it is one of KMS.',
    default: '',
    example:
      'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    allowed: 'the ARN of a KMS key',
    accepts: isArnOf('kms', /^key\/[\w-]+$/),
  }),
  s3_prefixes: textList({
    description:
      'Key prefixes of the files that are checked: they limit the event notifications and the read rights.',
    default: ['from_client/'],
    example: ['from_client/nm_albuquerque/'],
    allowed: `a list of 1 to 20, none inside another; each ${KEY_PREFIX}`,
    accepts: (prefixes) =>
      prefixes.length >= 1 &&
      prefixes.length <= 20 &&
      prefixes.every((one, i) => prefixes.every((other, j) => i === j || !one.startsWith(other))),
    acceptsItem: isKeyPrefix,
  }),
  s3_suffix: text({
    description:
      'Key suffix of the files that are checked. Empty takes every object below the prefixes.',
    default: '',
    example: '.csv',
    allowed: KEY_SUFFIX,
    accepts: isKeySuffix,
  }),
  report_prefix: text({
    description:
      'Folder in the bucket that reports are written to. Empty writes none and grants no right to.',
    default: 'data_quality_reports/',
    example: 'data_quality_reports/',
    allowed: `empty, or ${KEY_PREFIX}`,
    accepts: (value) => value === '' || isKeyPrefix(value),
  }),
  create_s3_notifications: flag({
    description:
      "Sends event notifications of new objects to the topic. The stack then owns the bucket's whole notification configuration and replaces what others set there.",
    default: false,
    example: true,
    unwise: (on) =>
      on
        ? undefined
        : 'nothing tells the topic about new objects until the bucket is configured otherwise',
  }),
};
