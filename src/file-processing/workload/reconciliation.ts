import type { CronJobV1Config } from '@cdktf/provider-kubernetes/lib/cron-job-v1/index.js';
import { BACKFILL } from '@file-processing/contract/listener-interface.ts';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LightResource } from '../../stack/light-resource.ts';
import { endingContainer, jobFailurePolicy, podSettings, podVolumes } from './containers.ts';
import { LABELS, RECONCILIATION, RECONCILIATION_LABELS } from './names.ts';
import { createNetworkPolicyOf, databaseEgressRules } from './network-policy.ts';

/** From a run's start until it is stopped as failed, in seconds: 10 million objects are listed in about an hour. */
const DEADLINE_SECONDS = 6 * 3600;

/** How late a run may start, after which the next one does its work, in seconds. */
const LATEST_START_SECONDS = 3600;

/**
 * Looks every day for objects since the installation that no message announced, and has them judged: a CronJob with
 * identity, settings and secrets of the listener, whose pods neither its Service nor its disruption budget counts.
 */
export function createReconciliation(
  scope: Construct,
  settings: FileProcessingSettings,
  props: {
    /** Token of the image. */
    readonly image: string;
    readonly dependsOn: ITerraformDependable[];
  },
): LightResource<CronJobV1Config> {
  const policy = createNetworkPolicyOf(
    new Construct(scope, 'network-policy'),
    'reconciliation',
    settings,
    {
      name: RECONCILIATION,
      app: RECONCILIATION_LABELS.app,
      egress: databaseEgressRules(settings),
      dependsOn: props.dependsOn,
    },
  );
  const container = endingContainer(settings, {
    image: props.image,
    command: BACKFILL.command,
    options: BACKFILL.reconciliation,
  });
  return new LightResource<CronJobV1Config>(scope, 'reconciliation', 'kubernetes_cron_job_v1', {
    metadata: { name: RECONCILIATION, namespace: settings.namespace, labels: LABELS },
    spec: {
      schedule: settings.reconciliation_schedule,
      timezone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: LATEST_START_SECONDS,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: { labels: RECONCILIATION_LABELS },
        spec: {
          backoffLimit: 3,
          activeDeadlineSeconds: DEADLINE_SECONDS,
          podFailurePolicy: jobFailurePolicy(container.name),
          template: {
            metadata: { labels: RECONCILIATION_LABELS },
            spec: {
              ...podSettings(settings),
              serviceAccountName: settings.service_account_name,
              restartPolicy: 'Never',
              container: [container],
              volume: podVolumes(settings),
            },
          },
        },
      },
    },
    dependsOn: [...props.dependsOn, policy],
  });
}
