import { describe, expect, it } from 'vitest';
import { valueAt } from '../../../../src/synthesized/model/model.ts';
import {
  type FieldFault,
  fieldsOf,
} from '../../../../src/synthesized/views/kubernetes-conversion.ts';

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
    expect(convert(kind, block)).toEqual({ fields: expected, faults: [] });
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
    expect(convert(kind, block)).toEqual({ fields: expected, faults: [] });
  });
});

describe('what the provider sends for a field that is left out', () => {
  it('is shown for a container and its pod', () => {
    const spec = { container: { security_context: { privileged: true } }, security_context: {} };
    expect(convert('Deployment', { spec: { template: { spec } } }).fields).toEqual({
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
    expect(faults).toEqual([{ field, fault: expect.stringMatching(fault) }]);
  });
});
