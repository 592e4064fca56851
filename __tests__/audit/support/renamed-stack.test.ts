import { expect, it } from 'vitest';
import { renamedStacks } from './renamed-stack.ts';
import { environmentStacks } from './stacks.ts';

const complete = environmentStacks('complete');
const { '//': _, ...rest } = renamedStacks(complete)['file-processing'] ?? {};
const text = JSON.stringify(rest);

it.each([
  ...['etl-production', 'etl-ba-research-client', 'file-processing-topic', 'from_client'],
  ...['file-processing-sa', 'data_quality_reports', 'AccountAdministersKey', '"RefusePlainHttp'],
  ...['aws_sns_topic.file_processing', 'aws_eks_cluster.this', 'var.image', 'local.oidc_issuer'],
  ...['"123456789012', ':123456789012:', '"8080"', '"9090"', 'file-processing-sns'],
])('leaves nothing of the name %s', (name) => {
  expect(text).not.toContain(name);
});

it('keeps what is of AWS, Kubernetes and Terraform', () => {
  for (const word of [
    'sts.amazonaws.com',
    'AmazonEKSClusterPolicy',
    '/aws/eks/',
    'vpc-cni',
    'tag:Name',
    'kube-system',
  ]) {
    expect(text).toContain(word);
  }
});

it('is the same at each call', () => {
  expect(renamedStacks(complete)).toEqual(renamedStacks(complete));
});
