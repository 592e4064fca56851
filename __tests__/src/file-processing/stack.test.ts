import { describe, expect, it } from 'vitest';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { addresses, dependenciesOf, type SynthesizedStack } from '../../support/synthesized.ts';
import {
  IMAGE,
  synthesizeFileProcessing,
  synthesizeText,
} from '../../support/synthesized-file-processing.ts';

const ADMINS = [
  'arn:aws-us-gov:iam::123456789012:role/etl-admin',
  'arn:aws-us-gov:iam::123456789012:role/etl-deploy',
];
const ON_CALL = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call';
const DATABASE = { db_host: 'db.example.gov', db_name: 'etl_db', db_user: 'etl_user' } as const;

const inKubernetes = (json: SynthesizedStack) =>
  addresses(json).filter((address) => address.startsWith('kubernetes_'));

describe('FileProcessingStack by default', () => {
  const text = synthesizeText();
  const json = JSON.parse(text) as SynthesizedStack;

  it.each([
    'aws_iam_openid_connect_provider.eks',
    'aws_iam_role.file_processing_sa',
    'aws_iam_policy.file_processing_s3',
    'aws_iam_role_policy_attachment.file_processing_s3_attach',
  ])('keeps the original address %s', (address) => {
    expect(text).toHaveResourceAt(address);
  });

  it('gives the nodes no access to S3', () => {
    expect(text).not.toHaveResourceAt('aws_iam_role_policy_attachment.s3_access');
  });

  it('tags everything with component, environment and tool', () => {
    expect(text).toHaveProviderNamed('aws', {
      region: 'us-gov-west-1',
      default_tags: [
        {
          tags: {
            Component: 'file-processing',
            Environment: 'etl-playground',
            ManagedBy: 'terraform',
          },
        },
      ],
    });
  });

  it('names the accounts that it trusts in a local, and none by default', () => {
    expect(synthesizeText()).not.toContain('trusted_accounts');
    const { locals } = JSON.parse(synthesizeText({ trusted_accounts: ['210987654321'] }));
    expect(locals).toMatchObject({ trusted_accounts: ['210987654321'] });
  });

  it('deploys no listener without an image, but all that it will need', () => {
    expect(inKubernetes(json)).toEqual([
      'kubernetes_config_map_v1.config',
      'kubernetes_namespace_v1.ns',
      'kubernetes_network_policy_v1.sns_listener',
      'kubernetes_service_account_v1.sa',
      'kubernetes_service_v1.sns_listener',
    ]);
  });

  it('keeps its state in a file beside the output, by a relative path', () => {
    expect(json.terraform).toHaveProperty('backend', {
      local: { path: '../../../terraform.etl-playground.file-processing.tfstate' },
    });
  });

  it('writes the same text again', () => {
    expect(synthesizeText()).toBe(text);
  });
});

describe('FileProcessingStack with a bucket for its state', () => {
  it('keeps it there, locked and encrypted, under the name of the environment', () => {
    const json = synthesizeFileProcessing({ state_bucket: 'city-state' }, 'production');
    expect(json.terraform).toHaveProperty('backend', {
      s3: {
        bucket: 'city-state',
        key: 'file-processing-infra/production/file-processing.tfstate',
        region: 'us-gov-west-1',
        encrypt: true,
        use_lockfile: true,
      },
    });
  });
});

describe('FileProcessingStack with ambient credentials', () => {
  const text = synthesizeText({ aws_profile: '' });

  it('has an empty profile by default, which the provider takes as none', () => {
    expect(text).toHaveVariableNamed('aws_profile', { default: '' });
    expect(text).toHaveProviderNamed('aws', {
      profile: '${var.aws_profile == "" ? null : var.aws_profile}',
    });
  });
});

describe('The objects in the cluster', () => {
  const json = synthesizeFileProcessing({
    ...DATABASE,
    image: IMAGE,
    cluster_admin_arns: ADMINS,
  });

  it('are all of these', () => {
    expect(inKubernetes(json)).toEqual([
      'kubernetes_config_map_v1.config',
      'kubernetes_cron_job_v1.reconciliation',
      'kubernetes_deployment_v1.sns_listener',
      'kubernetes_horizontal_pod_autoscaler_v2.sns_listener',
      'kubernetes_namespace_v1.ns',
      'kubernetes_network_policy_v1.reconciliation',
      'kubernetes_network_policy_v1.sns_listener',
      'kubernetes_pod_disruption_budget_v1.sns_listener',
      'kubernetes_secret_v1.database',
      'kubernetes_service_account_v1.sa',
      'kubernetes_service_v1.sns_listener',
    ]);
  });

  it.each(inKubernetes(json))(
    'have %s go while the administrators can still reach it and nodes still run',
    (address) => {
      expect(dependenciesOf(json, address)).toEqual(
        expect.arrayContaining([
          'aws_eks_access_policy_association.admin_123456789012_etl-admin',
          'aws_eks_access_policy_association.admin_123456789012_etl-deploy',
          'aws_eks_node_group.this',
        ]),
      );
    },
  );
});

describe('FileProcessingStack without the Kubernetes objects', () => {
  const settings = { ...DATABASE, image: IMAGE, sns_endpoint_url: 'https://files.example.gov/' };
  const text = synthesizeText({ ...settings, manage_kubernetes: false });
  const json = JSON.parse(text) as SynthesizedStack;

  it('has no object of Kubernetes', () => {
    expect(inKubernetes(json)).toEqual([]);
    expect(text).not.toMatch(/kubernetes_\w+_v\d|hashicorp\/kubernetes/);
  });

  it('has no password to ask for', () => {
    expect(text).not.toHaveVariableNamed('db_password');
    expect(text).not.toHaveVariableNamed('db_password_revision');
  });

  it('has all of its AWS resources', () => {
    const whole = addresses(synthesizeFileProcessing(settings));
    expect(addresses(json)).toEqual(whole.filter((address) => !address.startsWith('kubernetes_')));
  });

  it('has no host name of a load balancer', () => {
    expect(text).toHaveOutputNamed('load_balancer_hostname', { value: '' });
  });
});

describe('Values that change from day to day', () => {
  const settings = { ...DATABASE, image: IMAGE } as const;
  const before = addresses(synthesizeFileProcessing(settings));

  const changes: readonly (readonly [string, Partial<FileProcessingSettings>])[] = [
    ['another image', { image: IMAGE.replaceAll('ab', 'cd') }],
    ['other tags', { tags: { Owner: 'etl' } }],
    ['another profile', { aws_profile: 'other' }],
    ['another thumbprint', { oidc_thumbprint: '0201a9f54320c2145814a507d7a3880c726eacd7' }],
    ['a new password', { db_password_revision: 2 }],
    ['other node sizes', { node_min_size: 2, node_max_size: 6 }],
    [
      'another topic for alarms',
      {
        alarm_topic_arn: ON_CALL,
      },
    ],
  ];

  it.each(changes)('leave every address as it is: %s', (_, change) => {
    expect(addresses(synthesizeFileProcessing({ ...settings, ...change }))).toEqual(before);
  });
});

describe('The image', () => {
  const text = synthesizeText({ image: IMAGE });

  it('is a variable with the value of the settings, so that no new synth is needed', () => {
    expect(text).toHaveVariableNamed('image', { type: 'string', default: IMAGE });
    expect(text.split(IMAGE)).toHaveLength(2);
  });
});

describe('The password of the database', () => {
  const MARKER = 'marker-8f14e45fceea167a';

  it('is never synthesized, even when the settings hold one', () => {
    const text = synthesizeText({ ...DATABASE, image: IMAGE, db_password: MARKER });
    expect(text).not.toContain(MARKER);
  });

  it('is a variable that reaches neither plan nor state and need not be given', () => {
    const text = synthesizeText(DATABASE);
    expect(text).toHaveVariableNamed('db_password', {
      type: 'string',
      sensitive: true,
      ephemeral: true,
      default: null,
    });
  });
});
