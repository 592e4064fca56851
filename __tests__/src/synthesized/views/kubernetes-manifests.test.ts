import { describe, expect, it } from 'vitest';
import {
  appliedObjectsOf,
  kubernetesObjects,
  kubernetesObjectsOf,
} from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { modelOfJson, stackModelOf } from '../../../audit/support/stack-model.ts';
import { stacksOf } from '../../../audit/support/stacks.ts';

function objectsIn(resource: NonNullable<Parameters<typeof stackModelOf>[0]['resource']>) {
  return kubernetesObjectsOf(stackModelOf({ resource }));
}

describe('an object', () => {
  it('has the API version and kind of its type, with and without a version in it', () => {
    const metadata = { name: 'a', namespace: 'n' };
    const objects = objectsIn({
      kubernetes_deployment: { a: { metadata } },
      kubernetes_deployment_v1: { b: { metadata } },
      kubernetes_horizontal_pod_autoscaler_v2: { c: { metadata } },
    });
    expect(objects.map(({ manifest }) => [manifest.apiVersion, manifest.kind])).toEqual([
      ['apps/v1', 'Deployment'],
      ['apps/v1', 'Deployment'],
      ['autoscaling/v2', 'HorizontalPodAutoscaler'],
    ]);
  });

  it('is in the namespace default unless it says another; a cluster-wide one is in none', () => {
    const objects = objectsIn({
      kubernetes_config_map_v1: { a: { metadata: { name: 'a' } } },
      kubernetes_namespace_v1: { b: { metadata: [{ name: 'b' }] } },
    });
    expect(objects.map(({ manifest }) => manifest.metadata)).toEqual([
      { name: 'a', namespace: 'default' },
      { name: 'b' },
    ]);
  });

  it('has references resolved, variables by their default', () => {
    const stack = stackModelOf({
      variable: { revision: { default: 3 } },
      resource: {
        kubernetes_namespace_v1: { ns: { metadata: { name: 'etl' } } },
        kubernetes_config_map_v1: {
          a: {
            metadata: { name: 'a', namespace: '${kubernetes_namespace_v1.ns.metadata[0].name}' },
            data: { REVISION: '${var.revision}', ARN: '${aws_sns_topic.t.arn}' },
          },
        },
      },
    });
    expect(kubernetesObjectsOf(stack)[1]?.manifest).toMatchObject({
      metadata: { namespace: 'etl' },
      data: { REVISION: '3', ARN: '${aws_sns_topic.t.arn}' },
    });
  });

  it('has nothing that is for Terraform or the provider alone', () => {
    const [object] = objectsIn({
      kubernetes_service_v1: {
        a: {
          metadata: { name: 'a' },
          depends_on: ['aws_eks_cluster.a'],
          lifecycle: { ignore_changes: 'all' },
          timeouts: { create: '1m' },
          wait_for_load_balancer: true,
        },
      },
    });
    expect(Object.keys(object?.manifest ?? {})).toEqual(['apiVersion', 'kind', 'metadata']);
  });

  it('of kubernetes_manifest is taken as it is', () => {
    const manifest = { apiVersion: 'a/v1', kind: 'B', metadata: { name: 'c' }, my_field: 1 };
    expect(objectsIn({ kubernetes_manifest: { a: { manifest } } })[0]?.manifest).toEqual(manifest);
  });
});

describe('a Secret', () => {
  it.each(['data', 'data_wo', 'binary_data', 'binary_data_wo'])(
    'shows the keys of %s and no value',
    (field) => {
      const objects = objectsIn({
        kubernetes_secret_v1: {
          a: { metadata: { name: 'a' }, [field]: { PASSWORD: 'MARKER-7f3a' }, type: 'Opaque' },
        },
      });
      expect(JSON.stringify(objects)).not.toContain('MARKER');
      expect(objects[0]).toMatchObject({ secretKeys: ['PASSWORD'], manifest: { type: 'Opaque' } });
    },
  );
});

describe("what can't be shown", () => {
  it('is named all at once', () => {
    expect(() =>
      objectsIn({
        kubernetes_unicorn_v1: { a: { metadata: { name: 'a' } } },
        kubernetes_config_map_v1: { b: { metadata: { generate_name: 'b' }, count: 2 } },
        kubernetes_deployment_v1: { c: { metadata: { name: 'c' }, spec: { replicas: 'x' } } },
      }),
    ).toThrow(
      /^4 places can't be shown as manifests:\n {2}stack\/kubernetes_unicorn_v1\.a: .*unknown kind.*\n {2}stack\/kubernetes_config_map_v1\.b: count: .*\n {2}stack\/kubernetes_config_map_v1\.b: metadata\.name: .*\n {2}stack\/kubernetes_deployment_v1\.c: spec\.replicas: .*$/,
    );
  });
});

describe('an object to be applied', () => {
  const resource = (ignored: unknown) => ({
    kubernetes_deployment_v1: {
      a: {
        metadata: { name: 'a' },
        spec: { replicas: '3', paused: true },
        lifecycle: { ignore_changes: ignored },
      },
    },
  });

  it('leaves out what Terraform ignores, such as the replicas of an autoscaler', () => {
    const stack = stackModelOf({ resource: resource(['spec[0].replicas']) });
    expect(appliedObjectsOf(stack)[0]?.manifest.spec).toEqual({ paused: true });
    expect(kubernetesObjectsOf(stack)[0]?.manifest.spec).toEqual({ replicas: 3, paused: true });
  });

  it('keeps everything where nothing is ignored', () => {
    const stack = stackModelOf({ resource: resource([]) });
    expect(appliedObjectsOf(stack)[0]?.manifest.spec).toEqual({ replicas: 3, paused: true });
  });
});

describe.each([
  ['a queue instead of an endpoint', { delivery: 'sqs' }, ['Deployment', 'ConfigMap']],
  ['an Ingress', { ingress_class_name: 'nginx', ingress_host: 'files.example.gov' }, ['Ingress']],
  ['an autoscaler', { replicas: 2, max_replicas: 4 }, ['HorizontalPodAutoscaler']],
  ['a namespace of others', { create_namespace: false }, ['ServiceAccount']],
] as const)('the stack with %s', (_, processing, kinds) => {
  it('can be shown', () => {
    const objects = kubernetesObjects(modelOfJson(stacksOf({ processing })));
    expect(objects.map(({ manifest }) => manifest.kind)).toEqual(
      expect.arrayContaining([...kinds]),
    );
  });
});
