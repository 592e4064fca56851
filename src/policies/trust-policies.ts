import type { PolicyStatement } from './policy-document.ts';

/** Allows one AWS service to assume the role. */
export function trustService(service: string): readonly PolicyStatement[] {
  return [
    {
      Sid: 'AssumeRole',
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 'sts:AssumeRole',
    },
  ];
}

/** Allows one AWS service to assume the role, for resources of one account and with such ARNs alone. */
export function trustServiceFor(
  service: string,
  account: string,
  sourceArn: string | readonly string[],
): readonly PolicyStatement[] {
  return trustService(service).map((statement) => ({
    ...statement,
    Condition: {
      StringEquals: { 'aws:SourceAccount': account },
      ArnLike: { 'aws:SourceArn': sourceArn },
    },
  }));
}

/** The audience of tokens for IAM, the same in every partition (Amazon EKS User Guide, "IAM roles for service accounts"). */
export const STS_AUDIENCE = 'sts.amazonaws.com';

/** Which ServiceAccount of which cluster. */
export interface ServiceAccountIdentity {
  readonly providerArn: string;
  /** Host and path of the cluster's OIDC issuer, without `https://`. */
  readonly issuer: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Allows exactly one ServiceAccount of one cluster to assume the role. */
export function trustServiceAccount(identity: ServiceAccountIdentity): readonly PolicyStatement[] {
  const { providerArn, issuer, namespace, serviceAccount } = identity;
  return [
    {
      Sid: 'AssumeRoleWithWebIdentity',
      Effect: 'Allow',
      Principal: { Federated: providerArn },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: {
          [`${issuer}:aud`]: STS_AUDIENCE,
          [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
        },
      },
    },
  ];
}

/** Which ServiceAccount of which cluster, for EKS Pod Identity. */
export interface PodIdentity {
  /** Account of the cluster. */
  readonly account: string;
  readonly clusterArn: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * Allows EKS Pod Identity to assume the role for exactly one ServiceAccount of one cluster (Amazon EKS User Guide,
 * "Create IAM role with trust policy required by EKS Pod Identity"): each session has its cluster, namespace and
 * ServiceAccount as tags, which nobody but EKS sets.
 */
export function trustPodIdentity(pod: PodIdentity): readonly PolicyStatement[] {
  return [
    {
      Sid: 'AssumeRoleByPodIdentity',
      Effect: 'Allow',
      // The same name in every partition.
      Principal: { Service: 'pods.eks.amazonaws.com' },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      Condition: {
        StringEquals: {
          'aws:SourceAccount': pod.account,
          'aws:RequestTag/eks-cluster-arn': pod.clusterArn,
          'aws:RequestTag/kubernetes-namespace': pod.namespace,
          'aws:RequestTag/kubernetes-service-account': pod.serviceAccount,
        },
      },
    },
  ];
}
