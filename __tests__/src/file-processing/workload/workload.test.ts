import { describe, expect, it } from 'vitest';
import {
  DATABASE,
  DEPENDENCIES,
  synthesizeWorkload,
} from '../../../support/synthesized-workload.ts';

const ALL = {
  ...DATABASE,
  ingress_class_name: 'alb',
  ingress_host: 'files.example.gov',
} as const;

describe('Workload', () => {
  it('makes every object at its address when every option is on', () => {
    expect(Object.keys(synthesizeWorkload(ALL).resources).sort()).toEqual([
      'kubernetes_config_map_v1.config',
      'kubernetes_cron_job_v1.reconciliation',
      'kubernetes_deployment_v1.sns_listener',
      'kubernetes_horizontal_pod_autoscaler_v2.sns_listener',
      'kubernetes_ingress_v1.sns_listener',
      'kubernetes_namespace_v1.ns',
      'kubernetes_network_policy_v1.reconciliation',
      'kubernetes_network_policy_v1.sns_listener',
      'kubernetes_pod_disruption_budget_v1.sns_listener',
      'kubernetes_secret_v1.database',
      'kubernetes_service_account_v1.sa',
      'kubernetes_service_v1.sns_listener',
    ]);
  });

  it('makes no object beyond what a queue needs when every option is off', () => {
    const { resources } = synthesizeWorkload({
      image: '',
      delivery: 'sqs',
      create_namespace: false,
    });
    expect(Object.keys(resources).sort()).toEqual([
      'kubernetes_config_map_v1.config',
      'kubernetes_network_policy_v1.sns_listener',
      'kubernetes_service_account_v1.sa',
    ]);
  });

  it.each([
    ['with its own namespace', ALL],
    ['in a namespace of others', { ...ALL, create_namespace: false }],
  ])('lets every object depend on the access to the cluster, %s', (_, settings) => {
    for (const [address, resource] of Object.entries(synthesizeWorkload(settings).resources)) {
      expect(resource.depends_on, address).toEqual(expect.arrayContaining(DEPENDENCIES));
    }
  });

  it('lets every object depend on the namespace that it makes', () => {
    const { 'kubernetes_namespace_v1.ns': _, ...others } = synthesizeWorkload(ALL).resources;
    for (const [address, resource] of Object.entries(others)) {
      expect(resource.depends_on, address).toContain('kubernetes_namespace_v1.ns');
    }
  });

  it.each([true, false])('puts every object into the namespace, created here: %s', (created) => {
    const { 'kubernetes_namespace_v1.ns': _, ...others } = synthesizeWorkload({
      ...ALL,
      namespace: 'etl',
      create_namespace: created,
    }).resources;
    for (const [address, resource] of Object.entries(others)) {
      expect(resource, address).toHaveProperty('metadata.namespace', 'etl');
    }
  });

  it('labels every object with the label that its pods are selected by', () => {
    for (const [address, resource] of Object.entries(synthesizeWorkload(ALL).resources)) {
      expect(resource, address).toHaveProperty('metadata.labels.app', 'file-processing-sns');
    }
  });

  describe('with a rule set', () => {
    const [MAPPING, FILE] = ['mappings/a.yaml', 'monitoring_files/nm/a.yaml'];
    const rules = new Map([
      [MAPPING, 'name: a\n'],
      [FILE, 'client: nm\n'],
    ]);
    const synthesized = (texts = rules) => synthesizeWorkload(ALL, undefined, texts).resources;
    const deploymentOf = (resources: ReturnType<typeof synthesized>) =>
      resources['kubernetes_deployment_v1.sns_listener'];

    it('makes a ConfigMap of it, a key a file, whose texts are as they were written', () => {
      expect(synthesized()['kubernetes_config_map_v1.rules']).toMatchObject({
        metadata: { name: 'file-processing-rules' },
        data: { 'mappings..a.yaml': 'name: a\n', 'monitoring_files..nm..a.yaml': 'client: nm\n' },
      });
    });

    it('mounts it as a whole where the listener is told that it is, and only there', () => {
      const resources = synthesized();
      expect(resources['kubernetes_config_map_v1.config']).toHaveProperty(
        'data.RULES_LOCATION',
        '/etc/file-processing/rules',
      );
      expect(deploymentOf(resources)).toMatchObject({
        spec: {
          template: {
            spec: {
              container: [
                {
                  volume_mount: expect.arrayContaining([
                    { name: 'rules', mount_path: '/etc/file-processing/rules', read_only: true },
                  ]),
                },
              ],
              volume: expect.arrayContaining([
                {
                  name: 'rules',
                  config_map: { name: 'file-processing-rules', default_mode: '0444' },
                },
              ]),
            },
          },
        },
      });
      const elsewhere = JSON.stringify([
        (deploymentOf(resources) as { spec: { template: { spec: object } } }).spec.template.spec,
        resources['kubernetes_cron_job_v1.reconciliation'],
      ]).match(/"file-processing-rules"/g);
      expect(elsewhere).toHaveLength(1);
    });

    it('starts no pod anew for another content, or another file', () => {
      const changed = new Map([...rules, [MAPPING, 'name: b\n'], ['mappings/c.yaml', 'name: c\n']]);
      expect(deploymentOf(synthesized(changed))).toEqual(deploymentOf(synthesized()));
    });

    it('lets the pods start once it is there', () => {
      expect(deploymentOf(synthesized())).toHaveProperty(
        'depends_on',
        expect.arrayContaining(['kubernetes_config_map_v1.rules']),
      );
    });
  });

  it('mounts nothing without a rule set, and names no place of one', () => {
    const { resources } = synthesizeWorkload(ALL);
    expect(JSON.stringify(resources)).not.toMatch(/RULES_LOCATION|file-processing-rules/);
  });

  it('starts the pods only once their identity, configuration, secret and policy exist', () => {
    const { resources } = synthesizeWorkload(ALL);
    expect(resources['kubernetes_deployment_v1.sns_listener']).toHaveProperty(
      'depends_on',
      expect.arrayContaining([
        'kubernetes_service_account_v1.sa',
        'kubernetes_config_map_v1.config',
        'kubernetes_secret_v1.database',
        'kubernetes_network_policy_v1.sns_listener',
      ]),
    );
  });

  it('makes no deployment, budget or autoscaler without an image, but the load balancer', () => {
    const { resources, workload } = synthesizeWorkload({ image: '' });
    expect(Object.keys(resources)).not.toContain('kubernetes_deployment_v1.sns_listener');
    expect(Object.keys(resources)).not.toContain(
      'kubernetes_pod_disruption_budget_v1.sns_listener',
    );
    expect(Object.keys(resources)).not.toContain(
      'kubernetes_horizontal_pod_autoscaler_v2.sns_listener',
    );
    expect(Object.keys(resources)).toContain('kubernetes_service_v1.sns_listener');
    expect(workload.deployment).toBeUndefined();
  });

  it('makes no autoscaler when it could not add a pod', () => {
    const { resources } = synthesizeWorkload({ replicas: 3, max_replicas: 3 });
    expect(Object.keys(resources)).not.toContain(
      'kubernetes_horizontal_pod_autoscaler_v2.sns_listener',
    );
  });

  it('makes no disruption budget for a single pod', () => {
    const { resources } = synthesizeWorkload({ replicas: 1 });
    expect(Object.keys(resources)).not.toContain(
      'kubernetes_pod_disruption_budget_v1.sns_listener',
    );
  });

  it.each([
    ['without a database', {}],
    ['with a Secret of others', { ...DATABASE, existing_secret_name: 'theirs' }],
    ['with a database URL of others', { existing_secret_name: 'theirs' }],
    ['with IAM authentication', { ...DATABASE, db_iam_auth: true, db_resource_id: 'db-ABC123' }],
  ])('makes no Secret %s', (_, settings) => {
    const { resources } = synthesizeWorkload(settings);
    expect(Object.keys(resources)).not.toContain('kubernetes_secret_v1.database');
  });

  it('names the ConfigMap data as the only readable data of any object', () => {
    const { 'kubernetes_config_map_v1.config': _, ...others } = synthesizeWorkload(ALL).resources;
    for (const [address, resource] of Object.entries(others)) {
      expect(resource, address).not.toHaveProperty('data');
      expect(resource, address).not.toHaveProperty('binary_data');
    }
  });

  it.each([
    ['the load balancer', {}, 'kubernetes_service_v1'],
    ['the Ingress', ALL, 'kubernetes_ingress_v1'],
  ])('tells the host name of %s, or an empty text', (_, settings, type) => {
    expect(synthesizeWorkload(settings).output).toHaveProperty(
      'value',
      `\${try(${type}.sns_listener.status[0].load_balancer[0].ingress[0].hostname, "")}`,
    );
  });

  it('has no service and no host name with a queue', () => {
    const { workload } = synthesizeWorkload({ delivery: 'sqs' });
    expect(workload.service).toBeUndefined();
    expect(workload.loadBalancerHostname).toBeUndefined();
  });

  it.each([
    ['load balancer', {}, ['kubernetes_deployment_v1', 'kubernetes_service_v1']],
    [
      'Ingress',
      ALL,
      ['kubernetes_deployment_v1', 'kubernetes_service_v1', 'kubernetes_ingress_v1'],
    ],
    ['load balancer without an image', { image: '' }, ['kubernetes_service_v1']],
    ['queue', { delivery: 'sqs' as const }, ['kubernetes_deployment_v1']],
  ])('lets the subscription wait for what answers it: %s', (_, settings, types) => {
    expect(synthesizeWorkload(settings).output).toHaveProperty(
      'depends_on',
      types.map((type) => `\${${type}.sns_listener}`),
    );
  });
});
