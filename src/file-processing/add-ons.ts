import { EksAddon } from '@cdktf/provider-aws/lib/eks-addon/index.js';
import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';

/** Nodes only turn ready with these, so they come first. */
const BEFORE_NODES: Readonly<Record<string, object | undefined>> = {
  // Without it no NetworkPolicy is enforced.
  'vpc-cni': { enableNetworkPolicy: 'true' },
  'kube-proxy': undefined,
  'eks-pod-identity-agent': undefined,
};

/** These run as pods on nodes: before there are any they wait for twenty minutes and end degraded. */
const AFTER_NODES: Readonly<Record<string, object | undefined>> = {
  coredns: undefined,
  // The autoscaler reads its figures.
  'metrics-server': undefined,
};

/** Installs the add-ons that the nodes need. */
export function addOnsBeforeNodes(scope: Construct, cluster: EksCluster): readonly EksAddon[] {
  return install(scope, cluster, BEFORE_NODES, []);
}

/** Installs the add-ons that need nodes. */
export function addOnsAfterNodes(
  scope: Construct,
  cluster: EksCluster,
  nodes: ITerraformDependable,
): readonly EksAddon[] {
  return install(scope, cluster, AFTER_NODES, [nodes]);
}

function install(
  scope: Construct,
  cluster: EksCluster,
  addOns: Readonly<Record<string, object | undefined>>,
  dependsOn: ITerraformDependable[],
): readonly EksAddon[] {
  return Object.entries(addOns).map(
    ([addonName, configuration]) =>
      new EksAddon(scope, addonName.replaceAll('-', '_'), {
        clusterName: cluster.name,
        addonName,
        ...(configuration && { configurationValues: JSON.stringify(configuration) }),
        resolveConflictsOnCreate: 'OVERWRITE',
        resolveConflictsOnUpdate: 'OVERWRITE',
        dependsOn,
      }),
  );
}
