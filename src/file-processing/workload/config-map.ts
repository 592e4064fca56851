import { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import { CONFIG_MAP, LABELS } from './names.ts';

/** The listener's environment. */
export function createConfigMap(
  scope: Construct,
  namespace: string,
  environment: Readonly<Record<string, string>>,
  dependsOn: ITerraformDependable[],
): ConfigMapV1 {
  return new ConfigMapV1(scope, 'config', {
    metadata: { name: CONFIG_MAP, namespace, labels: LABELS },
    data: environment,
    dependsOn,
  });
}
