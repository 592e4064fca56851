import { TERRAFORM_RULES } from '../../../../audit/rules/terraform/settings.ts';
import type { Plant } from '../../support/describe-rules.ts';
import { describeRules } from '../../support/describe-rules.ts';
import type { Change } from '../../support/kubernetes-plants.ts';
import { member } from '../../support/planter.ts';
import type { Json } from '../../support/renamed-stack.ts';

const backend =
  (edit: (s3: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) =>
    edit(member(member(member(stackWith('aws_vpc'), 'terraform'), 'backend'), 's3'));
const settings =
  (edit: (terraform: Record<string, unknown>) => void): Plant[1] =>
  ({ stackWith }) =>
    edit(member(stackWith('aws_vpc'), 'terraform'));

const TOKEN_OF_ANOTHER = [
  ...['eks', 'get-token', '--cluster-name', 'another'],
  ...['--region', 'us-gov-west-1'],
];

function blockOf(json: Json): Json {
  const [block] = (json.provider as Record<string, Json[]>).kubernetes ?? [];
  if (block === undefined) throw new Error('There is no Kubernetes provider');
  return block;
}

function change(block: Json, values: Json): void {
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) delete block[key];
    else block[key] = value;
  }
}

function provider(values: Json): Change {
  return (json) => change(blockOf(json), values);
}

function exec(values: Json): Change {
  return (json) => {
    const [block] = blockOf(json).exec as [Json];
    change(block, values);
  };
}

function regionOf(region: string): Change {
  return (json) => {
    const [block] = blockOf(json).exec as [Json];
    block.args = String(block.args).replace('us-gov-west-1', region);
  };
}

function required(values: Json): Change {
  return (json) => {
    const { required_providers } = json.terraform as { required_providers: Record<string, Json> };
    change(required_providers.kubernetes ?? {}, values);
  };
}

const awsProvider = (json: Record<string, unknown>) =>
  (member(json, 'provider').aws as unknown as Record<string, unknown>[])[0] ?? {};

const STRANGER = '998877665544';
const ALARM = 'aws_cloudwatch_metric_alarm';

const output =
  (name: string, value: unknown): Plant[1] =>
  ({ stackWith }) => {
    member(stackWith('aws_eks_cluster'), 'output')[name] = { value };
  };

/** Accounts of strangers, wherever one can stand. */
const STRANGERS: readonly Plant[] = [
  [
    'a topic for alarms',
    ({ set }) => set(ALARM, 'alarm_actions', [`arn:aws-us-gov:sns:us-gov-west-1:${STRANGER}:x`]),
  ],
  [
    'an ARN whose partition is an expression',
    output('x', `arn:\${data.aws_partition.current.partition}:kms:us-gov-west-1:${STRANGER}:key/a`),
  ],
  ['the registry of the image', ({ stackWith }) => registry(stackWith('aws_eks_cluster'))],
  ['the URL of a queue', output('y', `https://sqs.us-gov-west-1.amazonaws.com/${STRANGER}/q`)],
  [
    'a principal by its number',
    ({ statement }) =>
      statement(/aws:SecureTransport/, (one) => {
        one.Principal = { AWS: [STRANGER] };
      }),
  ],
  [
    'the owner of a bucket',
    ({ set }) => set('aws_s3_bucket_notification', 'expected_bucket_owner', STRANGER),
  ],
  [
    'a topic, with a list of trusted ones that the settings lack',
    ({ set, stackWith }) => {
      set(ALARM, 'alarm_actions', [`arn:aws-us-gov:sns:us-gov-west-1:${STRANGER}:x`]);
      const json = stackWith('aws_eks_cluster');
      json.locals = { ...(json.locals as Json), trusted_accounts: [STRANGER] };
    },
  ],
];

function registry(json: Json): void {
  const image = member(member(json, 'variable'), 'image');
  image.default = String(image.default).replace(/^\d{12}/, STRANGER);
}

describeRules(TERRAFORM_RULES, {
  configured: {
    'etl-playground': { 'account-is-known': STRANGERS },
    complete: {
      'account-is-known': STRANGERS,
      'one-region': [
        [
          'credentials of any account, where the settings name one',
          ({ stackWith }) => {
            delete awsProvider(stackWith('aws_vpc')).allowed_account_ids;
          },
        ],
      ],
    },
    government: { 'account-is-known': STRANGERS },
  },
  harmless: {
    'etl-playground': [
      [
        'a topic for alarms in the account of the image',
        ({ set }) =>
          set(ALARM, 'alarm_actions', ['arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call']),
      ],
      [
        'the account that the provider takes credentials of',
        ({ stackWith }) => {
          awsProvider(stackWith('aws_vpc')).allowed_account_ids = ['123456789012'];
          awsProvider(stackWith('aws_eks_cluster')).allowed_account_ids = ['123456789012'];
        },
      ],
    ],
    government: [
      [
        'a key of a trusted account',
        output('x', 'arn:aws-us-gov:kms:us-gov-west-1:210987654321:key/a'),
      ],
      ['twelve digits that are not an account', output('x', '202611291200')],
    ],
  },
  plants: {
    'only-known-blocks': [
      [
        'a module',
        ({ stackWith }) => Object.assign(stackWith('aws_vpc'), { module: { x: { source: 'x' } } }),
      ],
      [
        'an import of what no resource describes',
        ({ stackWith }) =>
          Object.assign(stackWith('aws_vpc'), { import: [{ to: 'aws_vpc.other', id: 'vpc-1' }] }),
      ],
      [
        'a move to another type',
        ({ stackWith }) =>
          Object.assign(stackWith('aws_vpc'), {
            moved: [{ from: 'aws_sqs_queue.letters', to: 'aws_sns_topic.letters' }],
          }),
      ],
      [
        'a network that is left behind',
        ({ stackWith }) =>
          Object.assign(stackWith('aws_vpc'), {
            removed: [{ from: 'aws_vpc.x', lifecycle: { destroy: false } }],
          }),
      ],
      [
        'another provider',
        ({ stackWith }) => Object.assign(Object(stackWith('aws_vpc').provider), { http: [{}] }),
      ],
      [
        'a cloud backend',
        ({ stackWith }) => Object.assign(Object(stackWith('aws_vpc').terraform), { cloud: {} }),
      ],
    ],
    'state-is-kept': [
      [
        'the folder of another environment',
        backend((s3) => {
          s3.key = `another/${String(s3.key)}`;
        }),
      ],
      [
        'FIPS endpoints for all but the state',
        backend((s3) => {
          delete s3.use_fips_endpoint;
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
        'a role for one state alone',
        backend((s3) => {
          s3.assume_role = { role_arn: 'arn:aws-us-gov:iam::123456789012:role/etl-state' };
        }),
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
        'another provider of the same source',
        settings((terraform) => {
          terraform.required_providers = { aws: { source: 'hashicorp/awscc', version: '~> 6.25' } };
        }),
      ],
      [
        'a provider that is not named',
        settings((terraform) => {
          terraform.required_providers = {};
        }),
      ],
    ],
    'arn-of-own-partition': [
      [
        'a policy of AWS of another partition',
        ({ set }) =>
          set(
            'aws_iam_role_policy_attachment',
            'policy_arn',
            'arn:aws:iam::aws:policy/AmazonEKSClusterPolicy',
          ),
      ],
      [
        'a bucket of another partition',
        ({ change }) =>
          change('aws_sns_topic_policy', 'policy', (text) =>
            String(text).replace('arn:aws-us-gov:s3', 'arn:aws:s3'),
          ),
      ],
      [
        'a source in another region',
        ({ change }) =>
          change(
            'aws_iam_role',
            'assume_role_policy',
            (text) => String(text).replace(':eks:us-gov-west-1:', ':eks:us-gov-east-1:'),
            /"name".*eks.amazonaws.com|eks.amazonaws.com/,
          ),
      ],
      [
        'an alarm to another region',
        ({ set }) =>
          set('aws_cloudwatch_metric_alarm', 'alarm_actions', [
            'arn:aws-us-gov:sns:us-gov-east-1:123456789012:on-call',
          ]),
      ],
      [
        'an output of another partition',
        ({ stackWith }) =>
          Object.assign(member(stackWith('aws_vpc'), 'output'), { x: { value: 'arn:aws:s3:::x' } }),
      ],
    ],
    'account-is-known': [
      [
        'alarms that notify a stranger',
        ({ set }) =>
          set('aws_cloudwatch_metric_alarm', 'alarm_actions', [
            'arn:aws-us-gov:sns:us-gov-west-1:210987654321:on-call',
          ]),
      ],
      [
        'an image from the registry of a stranger',
        ({ stackWith }) => {
          const variables = Object.values(member(stackWith('aws_sns_topic'), 'variable')) as Json[];
          const image = variables.find((variable) =>
            String(variable.default).includes('.dkr.ecr.'),
          );
          Object.assign(image ?? {}, {
            default: String(image?.default).replace(/^\d{12}/, '210987654321'),
          });
        },
      ],
      [
        'a state that is encrypted with the key of a stranger',
        backend((s3) => {
          s3.kms_key_id = String(s3.kms_key_id).replace(/:\d{12}:/, ':210987654321:');
        }),
      ],
    ],
    'host-of-own-partition': [
      [
        'S3 in a region of another partition',
        ({ change }) =>
          change(
            'aws_iam_policy',
            'policy',
            (text) => String(text).replace('s3.us-gov-west-1', 's3.us-east-1'),
            /kms:ViaService[\\":]+s3/,
          ),
      ],
      [
        'logs of another region',
        ({ change }) =>
          change(
            'aws_kms_key',
            'policy',
            (text) => String(text).replace('logs.us-gov-west-1', 'logs.us-gov-east-1'),
            /logs.us-gov/,
          ),
      ],
      [
        'the suffix of China',
        ({ change }) =>
          change(
            'aws_kms_key',
            'policy',
            (text) => String(text).replace('west-1.amazonaws.com', 'west-1.amazonaws.com.cn'),
            /logs.us-gov/,
          ),
      ],
      [
        'an endpoint of another region',
        ({ set }) => set('aws_vpc_endpoint', 'service_name', 'com.amazonaws.us-east-1.s3'),
      ],
      [
        'an image of another partition',
        ({ stackWith }) =>
          Object.assign(member(stackWith('aws_sns_topic'), 'locals'), {
            x: '123456789012.dkr.ecr.us-east-1.amazonaws.com/x',
          }),
      ],
    ],
    'one-region': [
      [
        'a role in one stack alone',
        ({ stackWith }) =>
          Object.assign(awsProvider(stackWith('aws_vpc')), {
            assume_role: [{ role_arn: 'arn:aws-us-gov:iam::123456789012:role/etl-deploy' }],
          }),
      ],
      [
        'a role that is none',
        ({ stackWith }) => {
          for (const type of ['aws_vpc', 'aws_sns_topic']) {
            Object.assign(awsProvider(stackWith(type)), { assume_role: [{ role_arn: 'etl' }] });
          }
        },
      ],
      [
        'a role with a policy of its own',
        ({ stackWith }) => {
          for (const type of ['aws_vpc', 'aws_sns_topic']) {
            const role_arn = 'arn:aws-us-gov:iam::123456789012:role/etl-deploy';
            Object.assign(awsProvider(stackWith(type)), {
              assume_role: [{ role_arn, policy: '{}' }],
            });
          }
        },
      ],
      [
        'the profile of somebody',
        ({ stackWith }) =>
          Object.assign(awsProvider(stackWith('aws_vpc')), { profile: 'somebody' }),
      ],

      [
        'another region in one stack',
        ({ stackWith }) =>
          Object.assign(awsProvider(stackWith('aws_vpc')), { region: 'us-gov-east-1' }),
      ],
      [
        'another account in one stack',
        ({ stackWith }) =>
          Object.assign(awsProvider(stackWith('aws_vpc')), {
            allowed_account_ids: ['210987654321'],
          }),
      ],
      [
        'FIPS endpoints in one stack alone',
        ({ stackWith }) => delete awsProvider(stackWith('aws_vpc')).use_fips_endpoint,
      ],
      [
        'several accounts',
        ({ stackWith }) =>
          Object.assign(awsProvider(stackWith('aws_vpc')), {
            allowed_account_ids: ['123456789012', '210987654321'],
          }),
      ],
      [
        'keys in the provider',
        ({ stackWith }) => Object.assign(awsProvider(stackWith('aws_vpc')), { access_key: 'x' }),
      ],
      [
        'an endpoint of somebody else',
        ({ stackWith }) =>
          Object.assign(awsProvider(stackWith('aws_vpc')), { endpoints: [{ s3: 'https://x' }] }),
      ],
      [
        'a second provider',
        ({ stackWith }) => {
          (member(stackWith('aws_vpc'), 'provider').aws as unknown as unknown[]).push({
            alias: 'x',
            region: 'us-east-1',
          });
        },
      ],
      [
        'one resource in another region',
        ({ set }) => set('aws_sns_topic', 'region', 'us-gov-east-1'),
      ],
    ],
  },
  objects: {
    'provider-matches-its-cluster': [
      ['a proxy', provider({ proxy_url: 'http://proxy.example.org' })],
      ['another name in the certificate', provider({ tls_server_name: 'example.org' })],
      ['annotations that it does not see', provider({ ignore_annotations: ['.*'] })],
      ['another profile', exec({ env: { AWS_PROFILE: 'somebody' } })],
      [
        'another role',
        (json) => {
          const [block] = blockOf(json).exec as [Json];
          block.args = String(block.args).replace('"get-token"', '"get-token","--role-arn","x"');
        },
      ],

      ['another endpoint', provider({ host: 'https://example.org' })],
      ['no endpoint', provider({ host: undefined })],
      ['no certificate', provider({ cluster_ca_certificate: undefined })],
      [
        'the certificate of another cluster',
        provider({ cluster_ca_certificate: '${base64decode("x")}' }),
      ],
      ['no check', provider({ insecure: true })],
      ['a token', provider({ token: '${var.token}' })],
      ["the machine's kubeconfig", provider({ config_path: '~/.kube/config' })],
      ['no fresh token', provider({ exec: undefined })],
      ['another program', exec({ command: 'aws-iam-authenticator' })],
      ['the token of another cluster', exec({ args: TOKEN_OF_ANOTHER })],
      ['no cluster', exec({ args: ['eks', 'get-token', '--region', 'us-gov-west-1'] })],
      ['another region', regionOf('us-gov-east-1')],
      ['an old version', exec({ api_version: 'client.authentication.k8s.io/v1alpha1' })],
    ],
    'versions-are-bounded': [
      ['no version', required({ version: undefined })],
      ['a version without write-only data', required({ version: '~> 2.30' })],
      ['any later version', required({ version: '>= 2.38' })],
      ['another source', required({ source: 'example/kubernetes' })],
      ['another provider of the same source', required({ source: 'hashicorp/kubernetes-alpha' })],
    ],
  },
});
