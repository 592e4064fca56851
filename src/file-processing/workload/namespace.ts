import { NamespaceV1 } from '@cdktf/provider-kubernetes/lib/namespace-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LABELS } from './names.ts';

const POD_SECURITY_MODES = ['enforce', 'audit', 'warn'];

/** The namespace, which admits only pods of the `restricted` Pod Security Standard. */
export function createNamespace(
  scope: Construct,
  settings: FileProcessingSettings,
  dependsOn: ITerraformDependable[],
): NamespaceV1 {
  return new NamespaceV1(scope, 'ns', {
    metadata: {
      name: settings.namespace,
      labels: { ...LABELS, ...podSecurityLabels() },
      annotations: { ...settings.annotations },
    },
    dependsOn,
  });
}

/**
 * "latest" is the rules of the control plane's own version: an upgrade of the cluster brings its
 * rules along, as a pinned minor version raised with it would.
 */
function podSecurityLabels(): Record<string, string> {
  return Object.fromEntries(
    POD_SECURITY_MODES.flatMap((mode) => [
      [`pod-security.kubernetes.io/${mode}`, 'restricted'],
      [`pod-security.kubernetes.io/${mode}-version`, 'latest'],
    ]),
  );
}
