import { expect, it } from 'vitest';
import {
  trustPodIdentity,
  trustServiceAccount,
  trustServiceFor,
} from '../../../src/policies/trust-policies.ts';

it('trusts exactly one ServiceAccount, by subject and audience', () => {
  const [statement, ...others] = trustServiceAccount({
    providerArn: 'arn:provider',
    issuer: 'oidc.eks.us-gov-west-1.amazonaws.com/id/ABC',
    namespace: 'file-processing',
    serviceAccount: 'file-processing-sa',
  });
  expect(others).toEqual([]);
  expect(statement).toMatchObject({
    Principal: { Federated: 'arn:provider' },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: {
      StringEquals: {
        'oidc.eks.us-gov-west-1.amazonaws.com/id/ABC:aud': 'sts.amazonaws.com',
        'oidc.eks.us-gov-west-1.amazonaws.com/id/ABC:sub':
          'system:serviceaccount:file-processing:file-processing-sa',
      },
    },
  });
});

it('trusts a service only on behalf of one account and one resource', () => {
  const [statement] = trustServiceFor('sns.amazonaws.com', '123456789012', 'arn:topic');
  expect(statement?.Condition).toStrictEqual({
    StringEquals: { 'aws:SourceAccount': '123456789012' },
    ArnLike: { 'aws:SourceArn': 'arn:topic' },
  });
});

it('trusts EKS Pod Identity for exactly one ServiceAccount of one cluster', () => {
  expect(
    trustPodIdentity({
      account: '123456789012',
      clusterArn: 'arn:cluster',
      namespace: 'file-processing',
      serviceAccount: 'file-processing-sa',
    }),
  ).toStrictEqual([
    {
      Sid: 'AssumeRoleByPodIdentity',
      Effect: 'Allow',
      Principal: { Service: 'pods.eks.amazonaws.com' },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      Condition: {
        StringEquals: {
          'aws:SourceAccount': '123456789012',
          'aws:RequestTag/eks-cluster-arn': 'arn:cluster',
          'aws:RequestTag/kubernetes-namespace': 'file-processing',
          'aws:RequestTag/kubernetes-service-account': 'file-processing-sa',
        },
      },
    },
  ]);
});
