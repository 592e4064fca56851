import { isArnOf } from '@file-processing/contract/arn.ts';
import { areNear } from '@file-processing/contract/routing.ts';
import {
  BUCKET_NAME,
  isKeyPrefix,
  isKeySuffix,
  isOwnBucketName,
  KEY_PREFIX,
  KEY_SUFFIX,
} from '@file-processing/contract/s3-object.ts';
import { flag, objectList, text, textList } from '../variable.ts';

const name = text({
  description: 'Bucket that the clients drop their files into. It must exist.',
  example: 'etl-ba-research-client-etl',
  allowed: BUCKET_NAME,
  accepts: isOwnBucketName,
});

const keyArn = text({
  description: 'KMS key that encrypts the objects in the bucket, if any.',
  default: '',
  example: 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
  allowed: 'the ARN of a KMS key',
  accepts: isArnOf('kms', /^key\/[\w-]+$/),
});

const prefixes = textList({
  description:
    'Key prefixes of the files that are checked: they limit the event notifications and the read rights.',
  default: ['from_client/'],
  example: ['from_client/nm_albuquerque/'],
  allowed: `a list of 1 to 20, none inside another; each ${KEY_PREFIX}`,
  accepts: (list) =>
    list.length >= 1 &&
    list.length <= 20 &&
    list.every((one, i) => list.every((other, j) => i === j || !one.startsWith(other))),
  acceptsItem: isKeyPrefix,
});

const suffix = text({
  description:
    'Key suffix of the files that are checked. Empty takes every object below the prefixes.',
  default: '',
  example: '.csv',
  allowed: KEY_SUFFIX,
  accepts: isKeySuffix,
});

const accountId = {
  default: '',
  example: '210987654321',
  allowed: 'the twelve digits of an account',
  accepts: (value: string) => /^\d{12}$/.test(value),
};

const createNotifications = flag({
  description:
    "Sends event notifications of new objects to the topic. The stack then owns the bucket's whole notification configuration and replaces what others set there.",
  default: false,
  example: true,
});

/** The buckets of the clients, and what in them is checked. */
export const bucketVariables = {
  bucket_name: {
    ...name,
    description: `${name.description} Required, unless \`buckets\` names several.`,
    default: '',
  },
  bucket_kms_key_arn: keyArn,
  s3_prefixes: prefixes,
  s3_suffix: suffix,
  buckets: objectList(
    {
      name,
      prefixes,
      suffix,
      kms_key_arn: keyArn,
      create_notifications: createNotifications,
      account_id: text({
        ...accountId,
        description:
          'Another account that owns the bucket: it sets bucket policy, key policy and notifications, which `manage s3-configure-notifications --print` prints for it.',
      }),
    },
    {
      description:
        'Several buckets, instead of `bucket_name`, `bucket_kms_key_arn`, `s3_prefixes`, `s3_suffix` and `create_s3_notifications`.',
      default: [],
      example: [
        {
          name: 'etl-ba-research-client-etl',
          prefixes: ['from_client/'],
          suffix: '.csv',
          kms_key_arn: '',
          create_notifications: true,
          account_id: '',
        },
      ],
      allowed: 'a list of at most 20 objects',
      accepts: (list) => list.length <= 20,
    },
  ),
  report_prefix: text({
    description:
      'Folder in each bucket that reports are written to. Empty writes none and grants no right to do so.',
    default: 'data_quality_reports/',
    example: 'data_quality_reports/',
    allowed: `empty, or ${KEY_PREFIX}`,
    accepts: (value) => value === '' || isKeyPrefix(value),
  }),
  report_values: flag({
    description:
      'Whether reports in the bucket show values of internal columns. Values of sensitive columns are never in them. It is a finding of the audit.',
    default: false,
    example: true,
  }),
  forget_reports: flag({
    description:
      "Whether the listener's role may delete reports in the buckets, and copies below routing_targets, in all versions, as the command `forget` does. Needs reports or routing_targets.",
    default: false,
    example: true,
  }),
  create_s3_notifications: createNotifications,
  routing_tags: flag({
    description:
      'Whether rules may tag delivered files with their verdicts (`onVerdict`). The role may then read and set tags below the prefixes of the files.',
    default: false,
    example: true,
  }),
  routing_targets: objectList(
    {
      bucket: text({
        description:
          'Bucket that files may be copied to. It must exist, in the same region, and may be one of those that clients deliver to.',
        example: 'agency-checked-files',
        allowed: BUCKET_NAME,
        accepts: isOwnBucketName,
      }),
      prefix: text({
        description: 'Folder in it for the copies; clients must not deliver files there.',
        example: 'checked/',
        allowed: KEY_PREFIX,
        accepts: isKeyPrefix,
      }),
      kms_key_arn: text({
        description:
          'KMS key that the bucket encrypts copies with, if any. If empty for a bucket that clients deliver to, the key named there.',
        default: '',
        example:
          'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
        allowed: 'the ARN of a KMS key',
        accepts: isArnOf('kms', /^key\/[\w-]+$/),
      }),
      account_id: text({
        ...accountId,
        description:
          'Another account that owns the bucket: `manage s3-configure-notifications --print` prints what its policy must allow.',
      }),
    },
    {
      description:
        'Places that rules may copy files to by their verdicts (`onVerdict`). The role may write there, and delete there with `forget_reports`.',
      default: [],
      example: [
        { bucket: 'agency-checked-files', prefix: 'checked/', kms_key_arn: '', account_id: '' },
      ],
      allowed: 'a list of at most 20 objects, none with a place inside that of another one',
      accepts: (list) =>
        list.length <= 20 &&
        list.every((one, i) => list.every((other, j) => i === j || !areNear(one, other))),
    },
  ),
};
