import { describe, expect, it } from 'vitest';
import { valueAt } from '../../../../src/synthesized/model/model.ts';
import {
  appliedObjectsOf,
  type FieldFault,
  fieldsOf,
  kubernetesObjects,
} from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { modelOfJson, stackModelOf } from '../../../audit/support/stack-model.ts';
import { stacksOf } from '../../../audit/support/stacks.ts';

function convert(kind: string, block: unknown) {
  const faults: FieldFault[] = [];
  return { fields: fieldsOf(block, [kind], faults), faults };
}

/** Fields of a Deployment's only container. */
function container(block: object): unknown {
  const spec = { template: { spec: { container: [block] } } };
  const { fields, faults } = convert('Deployment', { spec });
  expect(faults).toEqual([]);
  return valueAt(fields, 'spec.template.spec.containers.0');
}

describe('a field', () => {
  it.each([
    ['gets its name in camel case', { image_pull_policy: 'Always' }, { imagePullPolicy: 'Always' }],
    [
      'keeps text that looks like a number',
      { env: { name: 'N', value: '5' } },
      { env: [{ name: 'N', value: '5' }] },
    ],
    ['is text where the API wants text', { args: ['run', 5] }, { args: ['run', '5'] }],
    ['that is null is left out', { image: 'a', working_dir: null }, { image: 'a' }],
    ['that is an empty list is left out', { image: 'a', env: [] }, { image: 'a' }],
    [
      'of one block may be written as a list',
      { liveness_probe: [{ http_get: [{ path: '/healthz', port: '8080' }] }] },
      { livenessProbe: { httpGet: { path: '/healthz', port: 8080 } } },
    ],
    [
      'keeps the name of a port',
      { readiness_probe: { http_get: { port: 'http' } } },
      { readinessProbe: { httpGet: { port: 'http' } } },
    ],
    [
      'of several blocks becomes a list, even for one block',
      { volume_mount: { name: 'tmp', mount_path: '/tmp' } },
      { volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] },
    ],
    [
      'that only Terraform knows stays an expression',
      { image: '${aws_ecr_repository.a.url}:1' },
      { image: '${aws_ecr_repository.a.url}:1' },
    ],
  ])('%s', (_, block, expected) => {
    expect(container(block)).toEqual(expected);
  });

  it.each([
    ['a whole number', 'Deployment', { spec: { replicas: '2' } }, { spec: { replicas: 2 } }],
    [
      'a percentage',
      'PodDisruptionBudget',
      { spec: { max_unavailable: '25%' } },
      { spec: { maxUnavailable: '25%' } },
    ],
    [
      'a count or percentage',
      'PodDisruptionBudget',
      { spec: { max_unavailable: '1' } },
      { spec: { maxUnavailable: 1 } },
    ],
    [
      'a truth',
      'ServiceAccount',
      { automount_service_account_token: 'false' },
      { automountServiceAccountToken: false },
    ],
    [
      "a port's name",
      'Service',
      { spec: { port: { port: '80', target_port: 'http' } } },
      { spec: { ports: [{ port: 80, targetPort: 'http' }] } },
    ],
    ['an acronym', 'Service', { spec: { cluster_ip: 'None' } }, { spec: { clusterIP: 'None' } }],
    [
      "an Ingress's port, a block",
      'Ingress',
      {
        spec: {
          rule: {
            http: {
              path: { path: '/', backend: { service: { name: 's', port: { number: '80' } } } },
            },
          },
        },
      },
      {
        spec: {
          rules: [
            {
              http: {
                paths: [{ path: '/', backend: { service: { name: 's', port: { number: 80 } } } }],
              },
            },
          ],
        },
      },
    ],
    [
      'rules of RBAC',
      'Role',
      { rule: { api_groups: [''], resources: ['pods'], verbs: ['get'] } },
      { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    ],
    [
      'a rule for every pod',
      'NetworkPolicy',
      { spec: { ingress: { from: [{ namespace_selector: {} }] } } },
      { spec: { ingress: [{ from: [{ namespaceSelector: {} }] }] } },
    ],
    [
      'a metric of an autoscaler',
      'HorizontalPodAutoscaler',
      { spec: { metric: { type: 'Pods', pods: { metric: { name: 'a' } } } } },
      { spec: { metrics: [{ type: 'Pods', pods: { metric: { name: 'a' } } }] } },
    ],
  ])('%s has the type that the API wants', (_, kind, block, expected) => {
    expect(convert(kind, block)).toStrictEqual({ fields: expected, faults: [] });
  });

  it('of a mode is octal', () => {
    const volume = { name: 'a', secret: { secret_name: 's', default_mode: '0440' } };
    expect(convert('Pod', { spec: { volume } }).fields).toMatchObject({
      spec: { volumes: [{ name: 'a', secret: { secretName: 's', defaultMode: 0o440 } }] },
    });
  });
});

describe('a map', () => {
  it.each([
    ['Service', { spec: { selector: { my_app: 'a' } } }, { spec: { selector: { my_app: 'a' } } }],
    [
      'Deployment',
      { spec: { selector: { match_labels: { my_app: 'a' } } } },
      { spec: { selector: { matchLabels: { my_app: 'a' } } } },
    ],
    ['ConfigMap', { data: { A_B: 5, c: true, d: null } }, { data: { A_B: '5', c: 'true' } }],
    [
      'Namespace',
      { metadata: { annotations: { a_b: 1 } } },
      { metadata: { annotations: { a_b: '1' } } },
    ],
    [
      'Pod',
      { spec: { node_selector: { node_pool: 'a' } } },
      { spec: { automountServiceAccountToken: true, nodeSelector: { node_pool: 'a' } } },
    ],
  ])('of %s keeps its keys, which are data, and holds text', (kind, block, expected) => {
    expect(convert(kind, block)).toStrictEqual({ fields: expected, faults: [] });
  });
});

describe('what the provider sends for a field that is left out', () => {
  it('is shown for a container and its pod', () => {
    const spec = { container: { security_context: { privileged: true } }, security_context: {} };
    expect(convert('Deployment', { spec: { template: { spec } } }).fields).toStrictEqual({
      spec: {
        template: {
          spec: {
            automountServiceAccountToken: true,
            containers: [
              {
                securityContext: {
                  allowPrivilegeEscalation: true,
                  privileged: true,
                  readOnlyRootFilesystem: false,
                  runAsNonRoot: false,
                },
              },
            ],
            securityContext: { runAsNonRoot: false },
          },
        },
      },
    });
  });
});

describe('a shape that nobody knows', () => {
  it.each([
    [
      'a block that may be there once',
      { spec: { strategy: [{}, {}] } },
      'spec.strategy',
      /takes one block, has 2/,
    ],
    [
      'a dynamic block',
      { spec: { dynamic: { port: {} } } },
      'spec.dynamic',
      /only Terraform knows/,
    ],
    [
      'a map from an expression',
      { metadata: { labels: '${local.labels}' } },
      'metadata.labels',
      /must be a map/,
    ],
    [
      'text for a number',
      { spec: { replicas: 'two' } },
      'spec.replicas',
      /must be a whole number, is "two"/,
    ],
    [
      'text for a truth',
      { spec: { template: { spec: { host_network: 'yes' } } } },
      'spec.template.spec.host_network',
      /must be true or false/,
    ],
    [
      'a list of lists',
      { spec: { template: { spec: { container: [{ args: [['a']] }] } } } },
      'spec.template.spec.container[0].args[0]',
      /must be one value/,
    ],
    [
      'text beside blocks',
      { spec: { template: { spec: { volume: ['a', {}] } } } },
      'spec.template.spec.volume[0]',
      /must be a block/,
    ],
  ])('is a fault: %s', (_, block, field, fault) => {
    const { faults } = convert('Deployment', block);
    expect(faults).toStrictEqual([{ field, fault: expect.stringMatching(fault) }]);
  });
});

function objectsIn(resource: NonNullable<Parameters<typeof stackModelOf>[0]['resource']>) {
  return kubernetesObjects({ stacks: [stackModelOf({ resource })] });
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
    expect(objects.map(({ manifest }) => manifest.metadata)).toStrictEqual([
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
    expect(kubernetesObjects({ stacks: [stack] })[1]?.manifest).toMatchObject({
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
    expect(appliedObjectsOf(stack)[0]?.manifest.spec).toStrictEqual({ paused: true });
    expect(kubernetesObjects({ stacks: [stack] })[0]?.manifest.spec).toStrictEqual({
      replicas: 3,
      paused: true,
    });
  });

  it('keeps everything where nothing is ignored', () => {
    const stack = stackModelOf({ resource: resource([]) });
    expect(appliedObjectsOf(stack)[0]?.manifest.spec).toStrictEqual({ replicas: 3, paused: true });
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
