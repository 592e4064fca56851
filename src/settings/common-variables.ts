import { isArnOf, isRoleArn } from '@file-processing/contract/arn.ts';
import { isRegion } from '@file-processing/contract/partition.ts';
import { BUCKET_NAME, isOwnBucketName } from '@file-processing/contract/s3-object.ts';
import { flag, oneOf, text, textList, textMap, type Variable } from './variable.ts';

/** Retention periods that CloudWatch Logs accepts, in days (CloudWatch Logs API, PutRetentionPolicy). */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
];

/** Tags that every resource has, unless a setting says otherwise. */
export const OWN_TAGS = ['Component', 'Environment', 'ManagedBy'] as const;

/** What all services take in keys and values of tags (Tag Editor User Guide, "Tag naming limits and requirements"). */
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** What the prefix of the network's names is, by which one stack makes it and the other finds it. */
export const networkPrefix = {
  default: 'etl-platform',
  example: 'etl-platform',
  allowed: '1 to 40 letters, digits and hyphens, starting with a letter',
  accepts: (value: string) => /^[A-Za-z][A-Za-z0-9-]{0,39}$/.test(value),
};

/**
 * The topic that a stack's alarms go to.
 *
 * @param alarms - what they are about, for the warning where nobody is told
 */
export function alarmTopic(alarms: string): Variable<string> {
  return text({
    description:
      'Topic that alarms go to. With an empty value, alarms notify nobody, which is a finding of the audit.',
    default: '',
    example: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call',
    allowed: 'the ARN of an SNS topic',
    accepts: isArnOf('sns', /^[\w-]{1,256}$/),
    unwise: (arn) => (arn === '' ? `the alarms ${alarms} notify nobody; name a topic` : undefined),
  });
}

/** Variables that the tfvars files of all stacks know. */
export const commonVariables = {
  aws_region: text({
    description: 'Region that everything is created in; it also gives the partition.',
    default: 'us-gov-west-1',
    example: 'us-gov-west-1',
    allowed: 'a region of the aws, aws-us-gov or aws-cn partition, such as us-gov-west-1',
    accepts: isRegion,
  }),
  aws_profile: text({
    description:
      'Profile of the AWS CLI that signs the calls. Empty takes the ambient credentials (environment, SSO, instance role).',
    default: 'etl-playground',
    example: 'etl-playground',
    allowed: 'the name of a profile, without spaces',
    pattern: /^[\w.@/+-]*$/,
    setAt: 'plan',
  }),
  tags: textMap({
    description:
      'Tags for every resource, in addition to Environment, Component and ManagedBy. Keys differ in more than upper and lower case, which IAM does not tell apart.',
    default: {},
    example: { CostCenter: '4711' },
    allowed:
      'a map of at most 40 tags: keys of 1 to 128 characters that do not start with "aws:", values of at most 256',
    accepts: (tags) =>
      Object.keys(tags).length <= 40 &&
      Object.keys(tags).every((key) => key.length >= 1 && key.length <= 128 && !/^aws:/i.test(key)),
    acceptsItem: (value) => value.length <= 256,
    unwise: (tags) => {
      const odd = Object.entries(tags).find((tag) => !tag.every((text) => TAG_TEXT.test(text)));
      return odd === undefined
        ? undefined
        : `${odd[0]} has characters that most services refuse in a tag; letters, digits, blanks and _ . : / = + - @ are taken by all`;
    },
  }),
  account_id: text({
    description:
      'Account that everything is created in: the AWS provider refuses credentials of any other.',
    default: '',
    example: '123456789012',
    allowed: 'the twelve digits of an account',
    accepts: (value) => /^\d{12}$/.test(value),
    unwise: (id) =>
      id === '' ? 'credentials of any account are taken; name the one to deploy to' : undefined,
  }),
  assume_role_arn: text({
    description:
      'Role that deploys, in the account to deploy to: aws_profile, or the ambient credentials, assume it for Terraform, for manage and for kubectl.',
    default: '',
    example: 'arn:aws-us-gov:iam::123456789012:role/etl-deploy',
    allowed: 'the ARN of an IAM role',
    accepts: isRoleArn,
  }),
  assume_role_external_id: text({
    description:
      'External id that assume_role_arn and state_role_arn ask for. Not with manage_kubernetes: aws eks get-token cannot pass one.',
    default: '',
    example: 'etl-4711',
    allowed: '2 to 1224 letters, digits and the characters + = , . @ : / _ -',
    accepts: (value) => /^[\w+=,.@:/-]{2,1224}$/.test(value),
  }),
  trusted_accounts: textList({
    description:
      'Other accounts whose ARNs and image registries may occur in the settings and in the resources: for a shared registry, or for keys, topics and buckets of others.',
    default: [],
    example: ['210987654321'],
    allowed: 'a list of at most 20 accounts, each twelve digits and each once',
    accepts: (accounts) => accounts.length <= 20 && new Set(accounts).size === accounts.length,
    acceptsItem: (value) => /^\d{12}$/.test(value),
  }),
  permissions_boundary_arn: text({
    description: 'Permissions boundary of every role.',
    default: '',
    example: 'arn:aws-us-gov:iam::123456789012:policy/boundary',
    allowed: 'the ARN of an IAM policy',
    accepts: isArnOf('iam', /^policy\/[\w+=,.@/-]+$/),
  }),
  iam_path: text({
    description:
      'Path of every role and policy. Fixed at the first deploy: another one replaces every role.',
    default: '/',
    example: '/etl/',
    allowed: '/, or a path that begins and ends with a slash, of at most 512 characters',
    accepts: (value) => value.length <= 512 && /^\/([\w+=,.@-]+\/)*$/.test(value),
  }),
  iam_role_name_prefix: text({
    description:
      'Beginning of the name of every role. Fixed at the first deploy: another one replaces every role.',
    default: '',
    example: 'etl-',
    allowed: '1 to 32 letters, digits and the characters + = , . @ _ -',
    accepts: (value) => /^[\w+=,.@-]{1,32}$/.test(value),
  }),
  fips_endpoints: flag({
    description:
      "Uses the AWS FIPS endpoints in the providers, in manage, in the listener and in the network's interface endpoints.",
    default: false,
    example: true,
  }),
  log_retention_days: oneOf(LOG_RETENTION_DAYS, {
    description: 'How long the log groups of the stack keep their events.',
    unit: 'days',
    default: 365,
    example: 365,
    unwise: (days) =>
      days < 90 ? 'auditors usually ask for logs of at least 90 days, better a year' : undefined,
  }),
  kms_deletion_window_days: oneOf([7, 10, 14, 21, 30], {
    description: 'How long a deleted key can still be restored.',
    unit: 'days',
    default: 30,
    example: 30,
  }),
  state_bucket: text({
    description:
      'Bucket of the Terraform state (S3 backend with lock file and encryption). Empty keeps the state in a local file.',
    default: '',
    example: 'etl-terraform-state',
    allowed: BUCKET_NAME,
    accepts: isOwnBucketName,
  }),
  state_key_prefix: text({
    description:
      'Folder of the state in its bucket; the key is <prefix>/<environment>/<stack>.tfstate.',
    default: 'file-processing-infra',
    example: 'file-processing-infra',
    allowed: 'letters, digits, hyphens, underscores and slashes, without a slash at either end',
    accepts: (value) => /^[\w-]+(\/[\w-]+)*$/.test(value),
  }),
  state_region: text({
    description: 'Region of the state bucket. Empty means aws_region.',
    default: '',
    example: 'us-gov-west-1',
    allowed: 'a region, such as us-gov-west-1',
    accepts: isRegion,
  }),
  state_role_arn: text({
    description:
      'Role that reads and writes the state in state_bucket, assumed as assume_role_arn is. Empty uses the deploying credentials, not those of assume_role_arn.',
    default: '',
    example: 'arn:aws-us-gov:iam::123456789012:role/etl-state',
    allowed: 'the ARN of an IAM role',
    accepts: isRoleArn,
  }),
  state_kms_key_arn: text({
    description: "Key that encrypts the state. Empty means the bucket's own encryption.",
    default: '',
    example:
      'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    allowed: 'the ARN of a KMS key',
    accepts: isArnOf('kms', /^key\/[\w-]+$/),
  }),
};

/**
 * Name of a stack's local with the Kubernetes objects that Terraform does not make, and of its output that names them: the
 * last phase of `manage apply` puts them in place.
 */
export const CUSTOM_OBJECTS = 'custom_objects';
