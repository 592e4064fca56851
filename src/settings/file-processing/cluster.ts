import { isArnOf, isRoleArn } from '@file-processing/contract/arn.ts';
import { existingNetworkVariables } from '../existing-network.ts';
import { DEFAULT_KUBERNETES_VERSION, KNOWN_KUBERNETES_VERSIONS } from '../kubernetes-versions.ts';
import { choice, flag, text, textList, textMap } from '../variable.ts';
import { isLimitedCidr } from './forms.ts';

/** The add-ons of the cluster, by EKS's names. */
export const ADD_ONS = [
  'vpc-cni',
  'kube-proxy',
  'eks-pod-identity-agent',
  'coredns',
  'metrics-server',
] as const;

const CIDRS = 'a list of at most 40 IPv4 blocks without host bits, such as 10.0.0.0/24';

/** How pods get their role. */
interface Identity {
  readonly identity: 'irsa' | 'pod_identity';
  readonly both_identities: boolean;
}

/** Whether the roles trust tokens of the cluster's OIDC provider, and ServiceAccounts name them. */
export function trustsTokens({ identity, both_identities }: Identity): boolean {
  return identity === 'irsa' || both_identities;
}

/** Whether the roles trust EKS Pod Identity. */
export function trustsPodIdentity({ identity, both_identities }: Identity): boolean {
  return identity === 'pod_identity' || both_identities;
}

/** The network that the cluster is in, the cluster, and its OIDC provider. */
export const clusterVariables = {
  ...existingNetworkVariables,

  create_cluster: flag({
    description:
      'Creates the cluster. With false, the stack uses the existing one that cluster_name names, and creates no part of it: no keys, nodes, add-ons, access entries or log groups. Settings for those are then refused.',
    default: true,
    example: true,
  }),
  cluster_name: text({
    description: 'Name of the EKS cluster; names of roles and keys start with it.',
    default: 'file-processing-cluster',
    example: 'file-processing-cluster',
    allowed:
      '1 to 38 letters, digits, hyphens and underscores, starting with a letter (IAM role names, which append to it, end at 64)',
    accepts: (value) => /^[A-Za-z][\w-]{0,37}$/.test(value),
  }),
  kubernetes_version: text({
    description: `Kubernetes version of control plane, nodes and add-ons; raise it by one minor version at a time. Empty gives a new cluster ${DEFAULT_KUBERNETES_VERSION} and leaves the version of an existing one alone.`,
    default: '',
    example: DEFAULT_KUBERNETES_VERSION,
    allowed: 'a minor version, such as 1.35',
    accepts: (value) => /^1\.[1-9]\d$/.test(value),
    unwise: (value) =>
      value === '' || KNOWN_KUBERNETES_VERSIONS.includes(value)
        ? undefined
        : `not among the versions known here (${KNOWN_KUBERNETES_VERSIONS.join(', ')}); check that EKS offers it in the region, GovCloud lags behind`,
  }),
  cluster_support_type: choice(['', 'STANDARD', 'EXTENDED'], {
    description:
      'What happens when the version leaves standard support: with STANDARD, EKS upgrades the control plane itself; with EXTENDED, the version stays for another year, billed by the hour. Empty leaves it as it is; for new clusters, EKS uses EXTENDED.',
    default: '',
    example: 'STANDARD',
  }),
  addon_versions: textMap({
    description:
      "Versions of add-ons, by EKS's name. Others use EKS's default for the cluster's Kubernetes version.",
    default: {},
    example: { 'vpc-cni': 'v1.20.4-eksbuild.2' },
    allowed: `a map of ${ADD_ONS.join(', ')} to versions such as v1.20.4-eksbuild.2`,
    accepts: (versions) =>
      Object.keys(versions).every((name) => (ADD_ONS as readonly string[]).includes(name)),
    acceptsItem: (value) => /^v\d+\.\d+\.\d+-eksbuild\.\d+$/.test(value),
  }),
  node_security_group_id: text({
    description:
      'Security group of the nodes of an existing cluster, by which the database lets them in. Empty means the one that EKS made for the cluster, which managed node groups have.',
    default: '',
    example: 'sg-0123456789abcdef0',
    allowed: 'the id of a security group, such as sg-0123456789abcdef0',
    accepts: (value) => /^sg-[0-9a-f]{8}([0-9a-f]{9})?$/.test(value),
  }),
  cluster_endpoint_public_access_cidrs: textList({
    description:
      "Addresses that may reach the cluster's API from the internet. Empty keeps the endpoint private; an open one is a finding of the audit.",
    default: [],
    example: ['203.0.113.0/24'],
    allowed: `${CIDRS}, and none of them 0.0.0.0/0`,
    accepts: (cidrs) => cidrs.length <= 40,
    acceptsItem: isLimitedCidr,
    unwise: (cidrs) =>
      cidrs.length === 0
        ? undefined
        : `the cluster's API can be reached from the internet by ${cidrs.join(', ')}`,
  }),
  cluster_endpoint_private_access_cidrs: textList({
    description:
      "Addresses inside the VPC, or connected to it, that may reach the cluster's private API beside the nodes: those of a bastion, a VPN, a CI runner.",
    default: [],
    example: ['10.0.0.0/24'],
    allowed: `${CIDRS}, each once and none of them 0.0.0.0/0`,
    accepts: (cidrs) => cidrs.length <= 40 && new Set(cidrs).size === cidrs.length,
    acceptsItem: isLimitedCidr,
  }),
  cluster_admin_arns: textList({
    description:
      'IAM roles that administer the cluster; the one that deploys must be among them. Empty makes the creator the administrator.',
    default: [],
    example: ['arn:aws-us-gov:iam::123456789012:role/etl-admin'],
    allowed:
      'a list of ARNs of IAM roles, each once (arn:…:iam::…:role/…; for somebody signed in by an assumed role, the role behind it)',
    accepts: (arns) => new Set(arns).size === arns.length,
    acceptsItem: isRoleArn,
  }),

  identity: choice(['irsa', 'pod_identity'], {
    description:
      "How the pods get their IAM role: by tokens of the cluster's OIDC provider (IRSA), or by EKS Pod Identity, which needs no provider in IAM.",
    default: 'irsa',
    example: 'pod_identity',
  }),
  both_identities: flag({
    description:
      'Lets the roles trust both methods while identity is switched, so that running pods keep their rights; identity says which one new pods use.',
    default: false,
    example: true,
  }),
  oidc_thumbprint: text({
    description:
      "SHA-1 thumbprint of the certificate of the cluster's OIDC issuer. Empty leaves it to AWS, which trusts its own issuers.",
    default: '',
    example: '0201a9f54320c2145814a507d7a3880c726eacd7',
    allowed: '40 hexadecimal digits in lower case, without colons',
    pattern: /^[0-9a-f]{40}$/,
    setAt: 'plan',
  }),
  existing_oidc_provider_arn: text({
    description:
      'OIDC provider of the cluster that others own; the stack then uses it and creates none. To manage an existing one, import it instead.',
    default: '',
    example:
      'arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.eks.us-gov-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF',
    allowed: 'the ARN of an IAM OIDC provider',
    accepts: isArnOf('iam', /^oidc-provider\/[\w./-]+$/),
  }),
};
