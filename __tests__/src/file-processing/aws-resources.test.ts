import { App, type TerraformStack, Testing } from 'cdktf';
import { describe, expect, it } from 'vitest';
import { AwsResources } from '../../../src/file-processing/aws-resources.ts';
import type { FileProcessingSettings } from '../../../src/settings/file-processing-variables.ts';
import { AddressedStack } from '../../../src/stack/addressed-stack.ts';
import { fileProcessingSettings } from '../../support/settings.ts';
import { dependenciesOf, namesOf, type SynthesizedStack } from '../../support/synthesized.ts';

const HTTPS = 'https://files.example.gov/';
const ADMIN = 'arn:aws-us-gov:iam::123456789012:role/etl-admin';

interface Synthesis {
  readonly aws: AwsResources;
  readonly json: SynthesizedStack;
}

/** The construct alone in a stack, as somebody uses it who deploys the rest by GitOps. */
function synthesizeAlone(
  overrides: Partial<FileProcessingSettings>,
  use: (aws: AwsResources, stack: TerraformStack) => void = () => {},
): Synthesis {
  const stack = new AddressedStack(new App(), 'gitops');
  const aws = new AwsResources(stack, { settings: fileProcessingSettings(overrides), tags: {} });
  use(aws, stack);
  return { aws, json: JSON.parse(Testing.synth(stack)) as SynthesizedStack };
}

describe('AwsResources alone', () => {
  it('makes no Kubernetes object', () => {
    const { json } = synthesizeAlone({});
    expect(Object.keys(json.resource).filter((type) => type.startsWith('kubernetes_'))).toEqual([]);
  });

  it('subscribes nothing by itself', () => {
    const { json } = synthesizeAlone({ sns_endpoint_url: HTTPS, manage_kubernetes: false });
    expect(namesOf(json, 'aws_sns_topic_subscription')).toEqual([]);
  });

  it('subscribes the endpoint after what its user names', () => {
    const { json } = synthesizeAlone({ sns_endpoint_url: HTTPS, manage_kubernetes: false }, (aws) =>
      aws.subscribe([{ fqn: 'helm_release.listener' }]),
    );
    expect(dependenciesOf(json, 'aws_sns_topic_subscription.http')).toEqual([
      'aws_iam_role_policy_attachment.file_processing_delivery',
      'aws_sns_topic_policy.default',
      'helm_release.listener',
    ]);
  });

  it('subscribes no endpoint that there is not yet', () => {
    const { json } = synthesizeAlone({}, (aws) => aws.subscribe([]));
    expect(namesOf(json, 'aws_sns_topic_subscription')).toEqual([]);
  });

  it('subscribes the queue with delivery by a queue', () => {
    const { aws, json } = synthesizeAlone({ delivery: 'sqs' }, (aws) => aws.subscribe([]));
    expect(namesOf(json, 'aws_sns_topic_subscription')).toEqual(['queue']);
    expect(aws.queue).toBeDefined();
  });

  it('offers neither queue nor repository where there is none', () => {
    const { aws } = synthesizeAlone({ create_repository: false });
    expect(aws.queue).toBeUndefined();
    expect(aws.repository).toBeUndefined();
  });

  it.each([
    ['the creator', {}, []],
    [
      'administrators',
      { cluster_admin_arns: [ADMIN] },
      ['aws_eks_access_policy_association.admin_123456789012_etl-admin'],
    ],
    [
      'addresses to deploy from',
      { cluster_endpoint_private_access_cidrs: ['10.0.0.0/24'] },
      ['aws_vpc_security_group_ingress_rule.api_10_0_0_0_24'],
    ],
  ])('is ready with nodes, add-ons and the way in of %s', (_, settings, access) => {
    const { json } = synthesizeAlone(
      { ...settings, sns_endpoint_url: HTTPS, manage_kubernetes: false },
      (aws) => aws.subscribe(aws.clusterReady),
    );
    expect(dependenciesOf(json, 'aws_sns_topic_subscription.http')).toEqual(
      [
        ...access,
        'aws_eks_addon.coredns',
        'aws_eks_addon.metrics_server',
        'aws_eks_node_group.this',
        'aws_iam_role_policy_attachment.file_processing_delivery',
        'aws_sns_topic_policy.default',
      ].sort(),
    );
  });
});
