import { describe, expect, it } from 'vitest';
import { hasAutoscaler } from '../../../../src/file-processing/workload/scaling.ts';
import { fileProcessingSettings } from '../../../support/settings.ts';
import { DATABASE, synthesizeWorkload } from '../../../support/synthesized-workload.ts';

const autoscaler = synthesizeWorkload({ replicas: 3, max_replicas: 9, target_cpu_percent: 55 })
  .resources['kubernetes_horizontal_pod_autoscaler_v2.sns_listener'];

describe('hasAutoscaler', () => {
  it.each([
    [2, 3, true],
    [3, 3, false],
  ])('of %d to %d pods is %s', (replicas, max_replicas, expected) => {
    expect(hasAutoscaler(fileProcessingSettings({ replicas, max_replicas }))).toBe(expected);
  });
});

describe('createHorizontalPodAutoscaler', () => {
  it('scales the Deployment between the two numbers', () => {
    expect(autoscaler).toMatchObject({
      spec: {
        scale_target_ref: {
          api_version: 'apps/v1',
          kind: 'Deployment',
          name: 'file-processing-sns',
        },
        min_replicas: 3,
        max_replicas: 9,
      },
    });
  });

  it('aims at the given share of the requested CPU', () => {
    expect(autoscaler).toHaveProperty('spec.metric.0.resource', {
      name: 'cpu',
      target: { type: 'Utilization', average_utilization: 55 },
    });
  });

  it('removes pods slowly', () => {
    expect(autoscaler).toHaveProperty('spec.behavior.scale_down.0', {
      stabilization_window_seconds: 300,
      select_policy: 'Max',
      policy: [{ type: 'Pods', value: 1, period_seconds: 60 }],
    });
  });
});

describe('listScaledObject', () => {
  const synthesized = synthesizeWorkload({
    ...DATABASE,
    ...{ autoscaling: 'backlog', replicas: 1, max_replicas: 9, backlog_per_pod: 50 },
  });
  const { resources, customObjects = [] } = synthesized;
  const scaledObject = customObjects.find(({ kind }) => kind === 'ScaledObject');

  it('takes the place of the autoscaler', () => {
    expect(resources).not.toHaveProperty(['kubernetes_horizontal_pod_autoscaler_v2.sns_listener']);
    expect(resources['kubernetes_deployment_v1.sns_listener']).toHaveProperty(
      'lifecycle.ignore_changes',
      ['spec[0].replicas'],
    );
  });

  it('scales the Deployment between the two numbers, never to none', () => {
    expect(scaledObject).toMatchObject({
      apiVersion: 'keda.sh/v1alpha1',
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'file-processing-sns' },
        minReplicaCount: 1,
        maxReplicaCount: 9,
      },
    });
  });

  it('counts what waits as a role of its own, and checks who answers', () => {
    expect(scaledObject).toHaveProperty(
      'spec.triggers.0.metadata',
      expect.objectContaining({
        host: DATABASE.db_host,
        userName: 'file_processing_scaler',
        sslmode: 'verify-full',
        targetQueryValue: '50',
        query: expect.stringContaining('file_processing_queue.job'),
      }),
    );
  });

  it('takes the password from a Secret that neither plan nor state holds', () => {
    const authentication = customObjects.find(({ kind }) => kind === 'TriggerAuthentication');
    expect(authentication).toHaveProperty('spec.secretTargetRef', [
      { parameter: 'password', name: 'file-processing-scaler', key: 'password' },
    ]);
    expect(resources['kubernetes_secret_v1.scaler']).toMatchObject({
      metadata: { name: 'file-processing-scaler' },
      data_wo: { password: expect.stringContaining('scaler_password') },
    });
  });

  it('is not there without it being asked for', () => {
    expect(synthesizeWorkload(DATABASE).customObjects).toBeUndefined();
  });
});

describe('createPodDisruptionBudget', () => {
  it("lets one of the listener's pods go at a time", () => {
    const { resources } = synthesizeWorkload({ replicas: 2 });
    expect(resources['kubernetes_pod_disruption_budget_v1.sns_listener']).toHaveProperty('spec', {
      max_unavailable: '1',
      selector: { match_labels: { app: 'file-processing-sns' } },
    });
  });
});
