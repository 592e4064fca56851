import { TERRAFORM_RULES } from '../../../../audit/rules/aws/terraform-rules.ts';
import { describePlants, type Plant } from '../../support/describe-plants.ts';
import { member } from '../../support/planter.ts';

const backend =
  (edit: (s3: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) =>
    edit(member(member(member(stackWith('aws_vpc'), 'terraform'), 'backend'), 's3'));
const settings =
  (edit: (terraform: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) =>
    edit(member(stackWith('aws_vpc'), 'terraform'));

describePlants(TERRAFORM_RULES, {
  'state-is-kept': [
    [
      'the folder of another environment',
      backend((s3) => {
        s3.key = `another/${String(s3.key)}`;
      }),
    ],
    [
      'a region of another partition',
      backend((s3) => {
        s3.region = 'us-east-1';
      }),
    ],
    [
      'the bucket of the files, for both',
      ({ stackWith }) => {
        for (const type of ['aws_vpc', 'aws_sns_topic']) {
          const s3 = member(member(member(stackWith(type), 'terraform'), 'backend'), 's3');
          const [notification] = Object.values(
            member(member(stackWith('aws_sns_topic'), 'resource'), 'aws_s3_bucket_notification'),
          );
          s3.bucket = member({ notification }, 'notification').bucket;
        }
      },
    ],

    [
      'a state that is not encrypted',
      backend((s3) => {
        s3.encrypt = false;
      }),
    ],
    [
      'a state without a lock',
      backend((s3) => {
        delete s3.use_lockfile;
      }),
    ],
    [
      'the state of the other stack',
      ({ stackWith }) => {
        Object.assign(
          member(member(member(stackWith('aws_vpc'), 'terraform'), 'backend'), 's3'),
          member(member(member(stackWith('aws_sns_topic'), 'terraform'), 'backend'), 's3'),
        );
      },
    ],
    [
      'another bucket',
      backend((s3) => {
        s3.bucket = 'another';
      }),
    ],
    [
      'another key',
      backend((s3) => {
        delete s3.kms_key_id;
      }),
    ],
    [
      'keys of AWS in the backend',
      backend((s3) => {
        s3.access_key = 'x';
      }),
    ],
    [
      'no backend',
      settings((terraform) => {
        delete terraform.backend;
      }),
    ],
    [
      'a state on the disk of one stack',
      settings((terraform) => {
        terraform.backend = { local: { path: '/tmp/x' } };
      }),
    ],
    [
      'a backend of another kind',
      settings((terraform) => {
        terraform.backend = { http: {} };
      }),
    ],
  ],
  'versions-are-bounded': [
    [
      'an older provider of AWS',
      settings((terraform) => {
        member(member(terraform, 'required_providers'), 'aws').version = '~> 5.0';
      }),
    ],

    [
      'any version of Terraform',
      settings((terraform) => {
        delete terraform.required_version;
      }),
    ],
    [
      'an old version of Terraform',
      settings((terraform) => {
        terraform.required_version = '>= 1.5.0';
      }),
    ],
    [
      'any version of a provider',
      settings((terraform) => {
        terraform.required_providers = { aws: { source: 'hashicorp/aws' } };
      }),
    ],
    [
      'any later version of a provider',
      settings((terraform) => {
        terraform.required_providers = { aws: { source: 'hashicorp/aws', version: '>= 6.25' } };
      }),
    ],
    [
      'a provider of somebody else',
      settings((terraform) => {
        terraform.required_providers = { aws: { source: 'somebody/aws', version: '~> 6.25' } };
      }),
    ],
    [
      'a provider that is not named',
      settings((terraform) => {
        terraform.required_providers = {};
      }),
    ],
  ],
});
