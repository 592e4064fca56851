import {
  DeploymentV1,
  type DeploymentV1Config,
} from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import { Testing } from 'cdktf';
import type { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { KubernetesResource } from '../../../../src/file-processing/workload/kubernetes-resource.ts';
import { AddressedStack } from '../../../../src/stack/addressed-stack.ts';
import { blockPathsOf } from '../../../../src/stack/hcl-writer.ts';

/** Every form of argument: blocks, lists of blocks, maps whose keys must stay, empty blocks, expressions. */
const config: DeploymentV1Config = {
  metadata: {
    name: 'listener',
    labels: { camelCase: 'stays' },
    annotations: { 'a.b/cD': 'stays' },
  },
  waitForRollout: true,
  timeouts: { create: '15m' },
  spec: {
    replicas: '2',
    selector: { matchLabels: { appName: 'listener' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '1' } },
    template: {
      metadata: { labels: { appName: 'listener' } },
      spec: {
        automountServiceAccountToken: false,
        nodeSelector: { 'kubernetes.io/arch': 'arm64', nodeGroup: 'large' },
        imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
        topologySpreadConstraint: [
          { topologyKey: 'zone', maxSkew: 1, labelSelector: [{ matchLabels: { appName: 'x' } }] },
        ],
        container: [
          {
            name: 'listener',
            image: '${var.image}',
            args: ['serve'],
            resources: { requests: { cpuTime: '1' }, limits: { memory: '1Gi' } },
            port: [{ containerPort: 8080, name: 'http' }],
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
          },
        ],
        volume: [{ name: 'tmp', emptyDir: {} }],
      },
    },
  },
  dependsOn: [],
  lifecycle: { ignoreChanges: ['spec[0].replicas'] },
};

function synthesized(
  create: (scope: Construct) => DeploymentV1 | KubernetesResource<DeploymentV1Config>,
) {
  const stack = new AddressedStack(Testing.app(), 'test');
  const resource = create(stack);
  return {
    json: JSON.parse(Testing.synth(stack)).resource,
    blocks: new Set(blockPathsOf(resource)),
    address: `${resource.terraformResourceType}.${resource.friendlyUniqueId}`,
  };
}

describe('a workload resource', () => {
  const ours = synthesized(
    (scope) => new KubernetesResource(scope, 'listener', 'kubernetes_deployment_v1', config),
  );
  const provider = synthesized((scope) => new DeploymentV1(scope, 'listener', config));

  it("has the JSON of the provider's own class", () => {
    expect(ours.json).toStrictEqual(provider.json);
  });

  it("has the blocks of the provider's own class, for HCL", () => {
    expect(ours.blocks).toStrictEqual(provider.blocks);
  });

  it("has the address of the provider's own class", () => {
    expect(ours.address).toBe(provider.address);
  });
});
