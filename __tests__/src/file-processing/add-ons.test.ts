import { describe, expect, it } from 'vitest';
import { dependenciesOf, namesOf, resourceAt } from '../../support/synthesized.ts';
import { synthesizeFileProcessing } from '../../support/synthesized-file-processing.ts';

describe('Add-ons', () => {
  const json = synthesizeFileProcessing();

  it('are these five, by the names that EKS knows them by', () => {
    const addOns = namesOf(json, 'aws_eks_addon').map((name) => [
      name,
      resourceAt(json, `aws_eks_addon.${name}`).addon_name,
    ]);
    expect(addOns).toEqual([
      ['coredns', 'coredns'],
      ['eks_pod_identity_agent', 'eks-pod-identity-agent'],
      ['kube_proxy', 'kube-proxy'],
      ['metrics_server', 'metrics-server'],
      ['vpc_cni', 'vpc-cni'],
    ]);
  });

  it.each(['vpc_cni', 'kube_proxy', 'eks_pod_identity_agent'])(
    'have %s before the nodes, which are not ready without it',
    (name) => {
      expect(dependenciesOf(json, 'aws_eks_node_group.this')).toContain(`aws_eks_addon.${name}`);
      expect(dependenciesOf(json, `aws_eks_addon.${name}`)).toEqual([]);
    },
  );

  it.each(['coredns', 'metrics_server'])(
    'have %s after the nodes, on which its pods run',
    (name) => {
      expect(dependenciesOf(json, `aws_eks_addon.${name}`)).toEqual(['aws_eks_node_group.this']);
      expect(dependenciesOf(json, 'aws_eks_node_group.this')).not.toContain(
        `aws_eks_addon.${name}`,
      );
    },
  );

  it.each(namesOf(json, 'aws_eks_addon'))(
    "have %s in EKS's default version for the cluster's own Kubernetes version",
    (name) => {
      expect(resourceAt(json, `aws_eks_addon.${name}`).addon_version).toBe(
        `\${data.aws_eks_addon_version.${name}.version}`,
      );
      expect(json.data?.aws_eks_addon_version?.[name]).toStrictEqual({
        addon_name: resourceAt(json, `aws_eks_addon.${name}`).addon_name,
        kubernetes_version: '${local.kubernetes_version}',
      });
      expect(json.locals).toMatchObject({ kubernetes_version: '${aws_eks_cluster.this.version}' });
    },
  );

  it('have a version of their own where one is named', () => {
    const named = synthesizeFileProcessing({ addon_versions: { coredns: 'v1.12.4-eksbuild.1' } });
    expect(resourceAt(named, 'aws_eks_addon.coredns').addon_version).toBe('v1.12.4-eksbuild.1');
    expect(named.data?.aws_eks_addon_version).not.toHaveProperty('coredns');
  });

  it('have network policies enforced by vpc-cni', () => {
    const { configuration_values } = resourceAt(json, 'aws_eks_addon.vpc_cni');
    expect(JSON.parse(String(configuration_values))).toStrictEqual({ enableNetworkPolicy: 'true' });
  });

  it.each(['coredns', 'kube_proxy', 'metrics_server', 'eks_pod_identity_agent'])(
    'leave %s at its own configuration',
    (name) => {
      expect(resourceAt(json, `aws_eks_addon.${name}`)).not.toHaveProperty('configuration_values');
    },
  );

  it.each(namesOf(json, 'aws_eks_addon'))('have %s overwrite what is there already', (name) => {
    expect(resourceAt(json, `aws_eks_addon.${name}`)).toMatchObject({
      cluster_name: '${aws_eks_cluster.this.name}',
      resolve_conflicts_on_create: 'OVERWRITE',
      resolve_conflicts_on_update: 'OVERWRITE',
    });
  });
});
