import { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { Fn, type TerraformStack, Token } from 'cdktf';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import type { ClusterAttributes } from './cluster.ts';

const KUBERNETES_PROVIDER_VERSION = '~> 2.38';

/**
 * Configures the Kubernetes provider. It signs in by `aws eks get-token` at each run: a token in the
 * configuration would end after 15 minutes. Endpoint and certificate are the cluster resource's own
 * attributes, which stay known while the cluster is changed in place, or those of a data source for a
 * cluster of others.
 */
export function configureKubernetesProvider(
  stack: TerraformStack,
  settings: FileProcessingSettings,
  cluster: ClusterAttributes,
): void {
  const getToken = JSON.stringify([
    'eks',
    'get-token',
    '--output',
    'json',
    '--cluster-name',
    settings.cluster_name,
    '--region',
    settings.aws_region,
    ...(settings.assume_role_arn === '' ? [] : ['--role-arn', settings.assume_role_arn]),
  ]);
  new KubernetesProvider(stack, 'kubernetes', {
    host: cluster.endpoint,
    clusterCaCertificate: Fn.base64decode(cluster.certificateAuthority),
    exec: [
      {
        apiVersion: 'client.authentication.k8s.io/v1beta1',
        command: 'aws',
        args: Token.asList(
          `\${concat(${getToken}, var.aws_profile == "" ? [] : ["--profile", var.aws_profile])}`,
        ),
      },
    ],
  });
  stack.addOverride('terraform.required_providers.kubernetes', {
    source: 'hashicorp/kubernetes',
    version: KUBERNETES_PROVIDER_VERSION,
  });
}
