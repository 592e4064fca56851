import { describe, expect, it } from 'vitest';
import { IMAGE, synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

const OUTPUTS: readonly (readonly [name: string, value: string])[] = [
  ['cluster_endpoint', '${aws_eks_cluster.this.endpoint}'],
  ['cluster_name', '${aws_eks_cluster.this.name}'],
  ['dead_letter_queue_url', '${aws_sqs_queue.dead_letter.url}'],
  ['image', '${var.image}'],
  [
    'kubeconfig_command',
    'aws eks update-kubeconfig --name file-processing-cluster --region us-gov-west-1${var.aws_profile == "" ? "" : " --profile ${var.aws_profile}"}',
  ],
  [
    'load_balancer_hostname',
    '${try(kubernetes_service_v1.sns_listener.status[0].load_balancer[0].ingress[0].hostname, "")}',
  ],
  ['namespace', 'file-processing'],
  ['oidc_issuer', '${aws_eks_cluster.this.identity[0].oidc[0].issuer}'],
  ['oidc_provider_arn', '${aws_iam_openid_connect_provider.eks.arn}'],
  ['queue_url', ''],
  ['repository_url', '${aws_ecr_repository.file_processing.repository_url}'],
  ['service_account_role_arn', '${aws_iam_role.file_processing_sa.arn}'],
  ['sns_endpoint_url', ''],
  ['sns_topic_arn', '${aws_sns_topic.file_processing.arn}'],
];

const NAMES = OUTPUTS.map(([name]) => name);

describe('Outputs', () => {
  const json = synthesizeFileProcessing();

  it.each(OUTPUTS)('say %s, and what it is', (name, value) => {
    expect(json.output[name]).toStrictEqual({
      value,
      description: expect.stringMatching(/^[A-Z].{10,}/),
    });
  });

  it('are these and no others', () => {
    expect(Object.keys(json.output).sort()).toEqual(NAMES);
  });
});

describe('Outputs of what is optional', () => {
  it('say the URL of the endpoint once it is set', () => {
    const json = synthesizeFileProcessing({
      sns_endpoint_url: 'https://files.example.gov/',
      image: IMAGE,
    });
    expect(json.output.sns_endpoint_url).toHaveProperty('value', 'https://files.example.gov/');
  });

  it('say the URL of the queue, and no load balancer, with delivery by a queue', () => {
    const { output } = synthesizeFileProcessing({ delivery: 'sqs' });
    expect(output.queue_url).toHaveProperty('value', '${aws_sqs_queue.deliveries.url}');
    expect(output.load_balancer_hostname).toHaveProperty('value', '');
  });

  it('say no repository when there is none', () => {
    const { output } = synthesizeFileProcessing({ create_repository: false });
    expect(output.repository_url).toHaveProperty('value', '');
  });

  it.each([
    ['an image', { image: IMAGE }],
    ['a queue', { delivery: 'sqs' }],
    ['no Kubernetes objects', { manage_kubernetes: false }],
    ['no repository', { create_repository: false }],
  ] as const)('keep their names with %s, for scripts that read them', (_, settings) => {
    expect(Object.keys(synthesizeFileProcessing(settings).output).sort()).toEqual(NAMES);
  });
});
