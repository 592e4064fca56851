import { describe, expect, it } from 'vitest';
import { DATABASE, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

type Overrides = Parameters<typeof synthesizeWorkload>[0];
const deploymentOf = (overrides: Overrides = {}) =>
  synthesizeWorkload(overrides).resources['kubernetes_deployment_v1.sns_listener'];
const deployment = deploymentOf();
const POD = 'spec.template.spec';

describe('createDeployment', () => {
  it('selects the pods that it labels', () => {
    expect(deployment).toMatchObject({
      metadata: { name: 'file-processing-sns' },
      spec: {
        selector: { match_labels: { app: 'file-processing-sns' } },
        template: { metadata: { labels: { app: 'file-processing-sns' } } },
      },
    });
  });

  it('pulls the image with the Secrets that are named, and with none unasked', () => {
    expect(deployment).not.toHaveProperty(`${POD}.image_pull_secrets`);
    expect(deploymentOf({ image_pull_secrets: ['registry', 'mirror'] })).toHaveProperty(
      `${POD}.image_pull_secrets`,
      [{ name: 'registry' }, { name: 'mirror' }],
    );
  });

  it('leaves the number of pods to the autoscaler', () => {
    expect(deploymentOf({ replicas: 2, max_replicas: 6 })).toMatchObject({
      lifecycle: { ignore_changes: ['spec[0].replicas'] },
      spec: { replicas: '2' },
    });
  });

  it('keeps the number of pods itself when there is no autoscaler', () => {
    const fixed = deploymentOf({ replicas: 3, max_replicas: 3 });
    expect(fixed).toHaveProperty('spec.replicas', '3');
    expect(fixed).not.toHaveProperty('lifecycle');
  });

  it('replaces pods without one missing, and fails the deploy if they never get ready', () => {
    expect(deployment).toMatchObject({
      wait_for_rollout: true,
      spec: { strategy: { rolling_update: { max_unavailable: '0', max_surge: '1' } } },
    });
  });

  it.each(['topology.kubernetes.io/zone', 'kubernetes.io/hostname'])(
    'spreads the pods over %s without holding one back',
    (topologyKey) => {
      expect(deployment).toHaveProperty(
        `${POD}.topology_spread_constraint`,
        expect.arrayContaining([
          expect.objectContaining({
            topology_key: topologyKey,
            when_unsatisfiable: 'ScheduleAnyway',
            label_selector: [{ match_labels: { app: 'file-processing-sns' } }],
          }),
        ]),
      );
    },
  );

  it('runs its pods as nobody in particular', () => {
    expect(deployment).toHaveProperty(
      `${POD}.security_context`,
      expect.objectContaining({
        run_as_non_root: true,
        run_as_user: '10001',
        fs_group: '10001',
        seccomp_profile: { type: 'RuntimeDefault' },
      }),
    );
  });

  it('mounts no token of the Kubernetes API and no addresses of other services', () => {
    expect(deployment).toHaveProperty(`${POD}.automount_service_account_token`, false);
    expect(deployment).toHaveProperty(`${POD}.enable_service_links`, false);
  });

  it('kills a pod only after it had time to be forgotten and to drain', () => {
    expect(deployment).toHaveProperty(`${POD}.termination_grace_period_seconds`, 10 + 25 + 5);
  });

  it('migrates the database before it serves, by the same image', () => {
    expect(deployment).toHaveProperty(`${POD}.init_container.0.args`, ['migrate', '--wait']);
    expect(deployment).toHaveProperty(`${POD}.init_container.0.image`, '${var.image}');
    expect(deployment).toHaveProperty(`${POD}.container.0.args`, ['serve']);
    expect(deployment).toHaveProperty(`${POD}.container.0.image`, '${var.image}');
  });

  it('rolls the pods when the environment changes, plan-time values included', () => {
    expect(deployment).toHaveProperty(
      ['spec', 'template', 'metadata', 'annotations', 'checksum/config'],
      '${sha256(jsonencode(kubernetes_config_map_v1.config.data))}',
    );
  });

  it.each([
    ['our own Secret', DATABASE],
    ["others' Secret", { existing_secret_name: 'theirs' }],
  ])('rolls the pods when the revision of the password is raised, with %s', (_, overrides) => {
    expect(deploymentOf(overrides)).toHaveProperty(
      ['spec', 'template', 'metadata', 'annotations', 'file-processing/secret-revision'],
      '${var.db_password_revision}',
    );
  });

  it.each([
    ['our own Secret', DATABASE, 'file-processing-secrets'],
    ["others' Secret", { ...DATABASE, existing_secret_name: 'theirs' }, 'theirs'],
  ])('mounts %s for nobody but its user and group', (_, overrides, secret_name) => {
    expect(deploymentOf(overrides)).toHaveProperty(`${POD}.volume`, [
      { name: 'tmp', empty_dir: { size_limit: '1280Mi' } },
      { name: 'secrets', secret: { secret_name, default_mode: '0440' } },
    ]);
  });

  it.each([
    ['without a database', {}],
    ['with IAM authentication', { ...DATABASE, db_iam_auth: true, db_resource_id: 'db-ABC123' }],
  ])('knows no secret %s', (_, overrides) => {
    expect(JSON.stringify(deploymentOf(overrides))).not.toContain('secret');
  });
});
