import { ServiceAccountV1 } from '@cdktf/provider-kubernetes/lib/service-account-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import { trustsTokens } from '../../settings/file-processing/cluster.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { IMAGE_ANNOTATION, LABELS } from './names.ts';

/** Whose identity it is. */
export interface ServiceAccountProps {
  /** Its name in Terraform. */
  readonly id: string;
  readonly name: string;
  /** Role that its pods assume. */
  readonly roleArn: string;
  /** Token of the image that Jobs of its making may run. @default it makes none */
  readonly jobImage?: string;
  readonly dependsOn: ITerraformDependable[];
}

/**
 * The pods' identity towards AWS. They never call the Kubernetes API, so its token isn't mounted;
 * the one for AWS is a volume of its own, which EKS adds because of the annotation, or of an association with the role.
 */
export function createServiceAccount(
  scope: Construct,
  settings: FileProcessingSettings,
  { id, name, roleArn, jobImage, dependsOn }: ServiceAccountProps,
): ServiceAccountV1 {
  return new ServiceAccountV1(scope, id, {
    metadata: {
      name,
      namespace: settings.namespace,
      labels: LABELS,
      annotations: {
        ...settings.annotations,
        ...(trustsTokens(settings) && { 'eks.amazonaws.com/role-arn': roleArn }),
        ...(jobImage && { [IMAGE_ANNOTATION]: jobImage }),
      },
    },
    automountServiceAccountToken: false,
    dependsOn,
  });
}
