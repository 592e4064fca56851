import type {
  DeploymentV1Config,
  DeploymentV1SpecTemplateSpecTopologySpreadConstraint,
} from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LightResource } from '../../stack/light-resource.ts';
import {
  jobsVolume,
  listenerContainer,
  migrateContainer,
  PRE_STOP_SECONDS,
  podSettings,
  podVolumes,
  rulesVolume,
} from './containers.ts';
import { databaseCredentials } from './database-credentials.ts';
import { SHUTDOWN_SECONDS } from './listener-environment.ts';
import { LABELS, LISTENER, POD_SELECTOR } from './names.ts';
import { hasAutoscaler } from './scaling.ts';

/** From the end of the listener's own drain to SIGKILL, in seconds. */
const MARGIN_SECONDS = 5;

/** From the end of a pod's service to SIGKILL, in seconds. */
export const TERMINATION_SECONDS = PRE_STOP_SECONDS + SHUTDOWN_SECONDS + MARGIN_SECONDS;

/** What the Deployment is made from, beside the settings. */
export interface DeploymentProps {
  /** Token of the image. */
  readonly image: string;
  /** Whether the ConfigMap of a rule set is there. */
  readonly mountsRules: boolean;
  /** Token of a text that changes with the listener's environment. */
  readonly configChecksum: string;
  /** Token of a number that is raised with the database's password. */
  readonly dbPasswordRevision: string;
  /** Token of a number that is raised with the headers that the collector asks for; undefined where it asks for none. */
  readonly otlpHeadersRevision: string | undefined;
  readonly dependsOn: ITerraformDependable[];
}

/** The listener's pods. */
export function createDeployment(
  scope: Construct,
  settings: FileProcessingSettings,
  props: DeploymentProps,
): LightResource<DeploymentV1Config> {
  return new LightResource<DeploymentV1Config>(scope, 'sns_listener', 'kubernetes_deployment_v1', {
    metadata: { name: LISTENER, namespace: settings.namespace, labels: LABELS },
    waitForRollout: true,
    timeouts: { create: '15m', update: '15m', delete: '10m' },
    spec: {
      replicas: `${settings.replicas}`,
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: POD_SELECTOR },
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: '0', maxSurge: '1' },
      },
      template: {
        metadata: { labels: LABELS, annotations: rolloutAnnotations(settings, props) },
        spec: {
          ...podSettings(settings),
          // Who makes Jobs has to ask the API server for them.
          ...(settings.job_runner === 'auto' && { automountServiceAccountToken: true }),
          serviceAccountName: settings.service_account_name,
          terminationGracePeriodSeconds: TERMINATION_SECONDS,
          topologySpreadConstraint: spread(POD_SELECTOR),
          // A database on demand is migrated by a Job: the listener's own role may not.
          ...(settings.database === 'external' && {
            initContainer: [migrateContainer(settings, props.image)],
          }),
          container: [listenerContainer(settings, props)],
          volume: [...podVolumes(settings), ...rulesVolume(props), ...jobsVolume(settings)],
        },
      },
    },
    ...(hasAutoscaler(settings) && { lifecycle: { ignoreChanges: ['spec[0].replicas'] } }),
    dependsOn: props.dependsOn,
  });
}

/** A change of the environment or of the password alone would not restart the pods; these do. */
export function rolloutAnnotations(
  settings: FileProcessingSettings,
  {
    configChecksum,
    dbPasswordRevision,
    otlpHeadersRevision,
  }: Pick<DeploymentProps, 'configChecksum' | 'dbPasswordRevision' | 'otlpHeadersRevision'>,
): Record<string, string> {
  return {
    'checksum/config': configChecksum,
    ...(databaseCredentials(settings) && {
      'file-processing/secret-revision': dbPasswordRevision,
    }),
    ...(otlpHeadersRevision && {
      'file-processing/collector-secret-revision': otlpHeadersRevision,
    }),
    // A pod takes its role when it starts.
    ...(settings.identity !== 'irsa' && { 'file-processing/identity': settings.identity }),
  };
}

/** Spreads each version's pods by itself over zones and nodes; a full zone is better than a pod that can't start. */
export function spread(
  matchLabels: Readonly<Record<string, string>>,
): DeploymentV1SpecTemplateSpecTopologySpreadConstraint[] {
  return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: [{ matchLabels }],
    matchLabelKeys: ['pod-template-hash'],
  }));
}
