import { describe, expect, it } from 'vitest';
import type { FileProcessingSettings } from '../../../../src/settings/file-processing-variables.ts';
import { DATABASE_JOBS, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const resourcesOf = (overrides: Partial<FileProcessingSettings> = {}) =>
  synthesizeWorkload({ database: 'on_demand', db_user: 'listener', ...overrides }).resources;
const resources = resourcesOf();
const bootstrap = resources['kubernetes_job_v1.database_bootstrap'];
const migrate = resources['kubernetes_job_v1.database_migrate'];
const deployment = resources['kubernetes_deployment_v1.sns_listener'];
const POD = 'spec.template.spec';

describe('The Jobs that prepare a database on demand', () => {
  it.each([
    ['bootstrap', bootstrap, 'bootstrap-database', DATABASE_JOBS.bootstrapRoleArn],
    ['migrate', migrate, 'migrate', DATABASE_JOBS.migrateRoleArn],
  ])('run %s with a ServiceAccount and a role of its own', (name, job, command, roleArn) => {
    const account = `file-processing-database-${name}`;
    expect(job).toHaveProperty(`${POD}.container.0.args`, [command]);
    expect(job).toHaveProperty(`${POD}.service_account_name`, account);
    expect(resources[`kubernetes_service_account_v1.database_${name}`]).toMatchObject({
      metadata: { name: account, annotations: { 'eks.amazonaws.com/role-arn': roleArn } },
    });
  });

  it('tell both users and the schema, and the master secret to the one that makes them', () => {
    const users = [
      { name: 'DB_SCHEMA', value: 'file_processing' },
      { name: 'DB_USER', value: 'file_processing_migrator' },
      { name: 'DB_LISTENER_USER', value: 'listener' },
    ];
    expect(migrate).toHaveProperty(`${POD}.container.0.env`, users);
    expect(bootstrap).toHaveProperty(`${POD}.container.0.env`, [
      { name: 'DB_MASTER_SECRET_ARN', value: DATABASE_JOBS.masterSecretArn },
      ...users,
    ]);
  });

  it('run one after the other, and the Deployment after both', () => {
    expect(bootstrap).toHaveProperty(
      'depends_on',
      expect.arrayContaining([
        'aws_iam_role_policy.database_bootstrap',
        'kubernetes_config_map_v1.config',
        'kubernetes_network_policy_v1.database_jobs',
        'kubernetes_service_account_v1.database_bootstrap',
      ]),
    );
    const job = (name: string) => expect.arrayContaining([`kubernetes_job_v1.${name}`]);
    expect(migrate).toHaveProperty('depends_on', job('database_bootstrap'));
    expect(deployment).toHaveProperty('depends_on', job('database_migrate'));
  });

  it('are waited for, and give up', () => {
    for (const job of [bootstrap, migrate]) {
      expect(job).toMatchObject({
        wait_for_completion: true,
        spec: { active_deadline_seconds: 900, backoff_limit: 6 },
      });
    }
  });

  it('give up at once where no other try helps, and do not count a drained node', () => {
    expect(migrate).toHaveProperty('spec.pod_failure_policy.rule', [
      {
        action: 'FailJob',
        on_exit_codes: { container_name: 'migrate', operator: 'In', values: [2] },
      },
      { action: 'Ignore', on_pod_condition: [{ type: 'DisruptionTarget', status: 'True' }] },
    ]);
  });

  it('stay after they have ended, since Terraform would make them again', () => {
    expect(bootstrap).not.toHaveProperty('spec.ttl_seconds_after_finished');
    expect(migrate).not.toHaveProperty('spec.ttl_seconds_after_finished');
  });

  it('have a name for each image, but for the one that runs once', () => {
    const other = resourcesOf({ image: `registry.example/other@sha256:${'cd'.repeat(32)}` });
    const nameOf = (all: typeof resources, job: string) =>
      all[`kubernetes_job_v1.database_${job}`]?.metadata;
    expect(nameOf(other, 'migrate')).not.toEqual(nameOf(resources, 'migrate'));
    expect(nameOf(other, 'bootstrap')).toEqual(nameOf(resources, 'bootstrap'));
  });

  it('run as the listener does: no root, no API token, read-only, without rights', () => {
    const ours = (job: Readonly<Record<string, unknown>> = {}) => {
      const pod = (job.spec as { template: { spec: Record<string, unknown> } }).template.spec;
      const [container] = pod.container as [Record<string, unknown>];
      return [
        pod.security_context,
        pod.automount_service_account_token,
        container.security_context,
      ];
    };
    expect(ours(migrate)).toEqual(ours(deployment));
    expect(ours(bootstrap)).toEqual(ours(deployment));
  });

  it('have pods that neither the Service nor the policy of the listener selects', () => {
    const app = 'file-processing-database-jobs';
    expect(migrate).toHaveProperty('spec.template.metadata.labels.app', app);
    expect(resources['kubernetes_network_policy_v1.database_jobs']).toMatchObject({
      spec: { pod_selector: { match_labels: { app } }, policy_types: ['Ingress', 'Egress'] },
    });
  });

  it('take no traffic, and reach DNS, AWS and the database alone', () => {
    const policy = resources['kubernetes_network_policy_v1.database_jobs'];
    expect(policy).not.toHaveProperty('spec.ingress');
    expect(policy).toHaveProperty('spec.egress', [
      expect.objectContaining({
        ports: [expect.objectContaining({ port: '53' }), expect.anything()],
      }),
      expect.objectContaining({ ports: [{ port: '443', protocol: 'TCP' }] }),
    ]);
  });
});

describe('The Deployment with a database on demand', () => {
  it('migrates nothing itself', () => {
    expect(deployment).not.toHaveProperty(`${POD}.init_container`);
  });

  it('waits for no Job as long as there is no image, while the roles have their ServiceAccounts', () => {
    const names = Object.keys(resourcesOf({ image: '' }));
    expect(names.filter((name) => name.startsWith('kubernetes_job_v1'))).toEqual([]);
    expect(names).toContain('kubernetes_service_account_v1.database_bootstrap');
    expect(names).toContain('kubernetes_service_account_v1.database_migrate');
  });
});

it('A database of others has no Jobs', () => {
  const { resources: others } = synthesizeWorkload();
  expect(Object.keys(others).filter((name) => /job_v1\.database|database_job/.test(name))).toEqual(
    [],
  );
});
