import { describe, expect, it } from 'vitest';
import { DATABASE, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const { resources } = synthesizeWorkload(DATABASE);
const CRON_JOB = 'kubernetes_cron_job_v1.reconciliation';
const cronJob = resources[CRON_JOB];
const deployment = resources['kubernetes_deployment_v1.sns_listener'];
const POD = 'spec.job_template.spec.template.spec';

interface PodSpec {
  readonly container: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

function podOf(resource: Readonly<Record<string, unknown>> | undefined): PodSpec {
  const spec = Object(resource?.spec);
  return (spec.job_template?.spec ?? spec).template.spec;
}

describe('the reconciliation', () => {
  it('looks every day for objects since the installation, and says in the log how many it found', () => {
    expect(cronJob).toHaveProperty('spec.schedule', '17 4 * * *');
    expect(cronJob).toHaveProperty('spec.timezone', 'Etc/UTC');
    expect(cronJob).toHaveProperty(`${POD}.container.0.args`, [
      ...['backfill', '--since', 'installation', '--reason', 'reconciliation', '--log'],
    ]);
  });

  it('has the schedule of the settings', () => {
    const { resources: weekly } = synthesizeWorkload({ reconciliation_schedule: '0 5 * * 1' });
    expect(weekly[CRON_JOB]).toHaveProperty('spec.schedule', '0 5 * * 1');
  });

  it.each([
    ['without a schedule', { reconciliation_schedule: '' }],
    ['as long as there is no image', { image: '' }],
  ])('is not there %s', (_, settings) => {
    const { resources: without } = synthesizeWorkload(settings);
    expect(Object.keys(without).filter((name) => /reconciliation/.test(name))).toEqual([]);
  });

  it('never runs twice at a time, starts late or not at all, and gives up', () => {
    expect(cronJob).toMatchObject({
      spec: {
        concurrency_policy: 'Forbid',
        starting_deadline_seconds: 3600,
        job_template: { spec: { backoff_limit: 3, active_deadline_seconds: 21_600 } },
      },
    });
  });

  it('gives up at once where no other try helps, and does not count a drained node', () => {
    expect(cronJob).toHaveProperty('spec.job_template.spec.pod_failure_policy.rule', [
      {
        action: 'FailJob',
        on_exit_codes: { container_name: 'backfill', operator: 'In', values: [2] },
      },
      { action: 'Ignore', on_pod_condition: [{ type: 'DisruptionTarget', status: 'True' }] },
    ]);
  });

  it('is the listener in image, identity, settings, secrets, resources and isolation', () => {
    const alike = (resource: typeof cronJob) => {
      const { container, service_account_name, security_context, volume, ...pod } = podOf(resource);
      const {
        image,
        env_from,
        resources: needs,
        security_context: own,
        volume_mount,
      } = Object(container[0]);
      const token = pod.automount_service_account_token;
      return [
        ...[service_account_name, security_context, volume, token],
        ...[image, env_from, needs, own, volume_mount],
      ];
    };
    expect(alike(cronJob)).toEqual(alike(deployment));
    expect(alike(cronJob)).not.toContain(undefined);
  });

  it('has pods that neither Service, policy nor disruption budget of the listener selects', () => {
    expect(cronJob).toHaveProperty(
      'spec.job_template.spec.template.metadata.labels.app',
      'file-processing-reconciliation',
    );
  });

  it.each([
    ['with a password', DATABASE],
    ['by a proxy', { ...DATABASE, http_proxy: 'http://10.1.2.3:3128' }],
  ])('takes no traffic, and reaches what the listener reaches, %s', (_, settings) => {
    const { resources: made } = synthesizeWorkload(settings);
    const policy = made['kubernetes_network_policy_v1.reconciliation'];
    expect(policy).not.toHaveProperty('spec.ingress');
    expect(policy).toMatchObject({
      spec: {
        pod_selector: { match_labels: { app: 'file-processing-reconciliation' } },
        policy_types: ['Ingress', 'Egress'],
        egress: Object(made['kubernetes_network_policy_v1.sns_listener']?.spec).egress,
      },
    });
  });

  it('does not reach the credentials of nodes, not even while nodes have access to S3', () => {
    const { resources: open } = synthesizeWorkload({ ...DATABASE, node_s3_access: true });
    const policy = JSON.stringify(open['kubernetes_network_policy_v1.reconciliation']);
    expect(policy).toContain('"443"');
    expect(policy).not.toContain('169.254.169.254');
  });

  it('starts only once the listener has been rolled out, which migrates the database', () => {
    expect(cronJob).toHaveProperty(
      'depends_on',
      expect.arrayContaining([
        'kubernetes_deployment_v1.sns_listener',
        'kubernetes_network_policy_v1.reconciliation',
      ]),
    );
  });
});
