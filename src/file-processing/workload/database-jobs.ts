import { createHash } from 'node:crypto';
import type { JobV1Config } from '@cdktf/provider-kubernetes/lib/job-v1/index.js';
import { BOOTSTRAP, MIGRATE } from '@file-processing/contract/listener-interface.ts';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { DATABASE_JOB_NAMES } from '../../settings/file-processing/database.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LightResource } from '../../stack/light-resource.ts';
import {
  configuredVolumes,
  endingContainer,
  jobFailurePolicy,
  podSettings,
  VOLUMES,
} from './containers.ts';
import { DATABASE_JOB_LABELS, DATABASE_JOBS, LABELS } from './names.ts';
import { createNetworkPolicyOf, databaseEgressRules } from './network-policy.ts';
import { createServiceAccount } from './service-account.ts';

/** What the Jobs need to know of a database that the stack postgres-on-demand made. */
export interface DatabaseJobsProps {
  /** Tokens of the roles of the two ServiceAccounts. */
  readonly bootstrapRoleArn: string;
  readonly migrateRoleArn: string;
  /** Secret with the master user's password. */
  readonly masterSecretArn: string;
  readonly dependsOn: ITerraformDependable[];
}

/** From the Job's start until it is stopped as failed, in seconds. */
const DEADLINE_SECONDS = 900;

/**
 * The Jobs that prepare the database, each with a ServiceAccount, and so with an IAM role and a role
 * of the database, of its own: one makes the database as its master user, one migrates it. The
 * listener's pods can do neither.
 *
 * A new image makes the migration's Job anew. Neither Job has a time to live: Terraform would
 * find it gone, and run it again at every apply.
 *
 * @returns the migration's Job, which the Deployment waits for; undefined while there is no image, and so only the
 *   ServiceAccounts that the two roles trust
 */
export function createDatabaseJobs(
  scope: Construct,
  settings: FileProcessingSettings,
  props: DatabaseJobsProps & {
    /** Token of the image; used only when `settings.image` is set. */
    readonly image: string;
  },
): LightResource<JobV1Config> | undefined {
  const { dependsOn } = props;
  const policy = createNetworkPolicyOf(scope, 'database_jobs', settings, {
    name: DATABASE_JOBS,
    app: DATABASE_JOB_LABELS.app,
    egress: databaseEgressRules(settings),
    dependsOn,
  });
  const bootstrap = createJob(scope, settings, {
    ...props,
    id: 'bootstrap',
    name: DATABASE_JOB_NAMES.bootstrap,
    serviceAccount: DATABASE_JOB_NAMES.bootstrap,
    roleArn: props.bootstrapRoleArn,
    command: BOOTSTRAP,
    environment: { DB_MASTER_SECRET_ARN: props.masterSecretArn },
    dependsOn: [...dependsOn, policy],
  });
  return createJob(scope, settings, {
    ...props,
    id: 'migrate',
    // Whoever applies manifests gets a new Job by a new name; Terraform replaces one that changes.
    name: `${DATABASE_JOB_NAMES.migrate}-${digestOf(settings.image)}`,
    serviceAccount: DATABASE_JOB_NAMES.migrate,
    roleArn: props.migrateRoleArn,
    command: MIGRATE.command,
    environment: {},
    dependsOn: [...dependsOn, policy, ...(bootstrap ? [bootstrap] : [])],
  });
}

interface JobProps {
  readonly image: string;
  readonly id: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly roleArn: string;
  readonly command: string;
  /** What the container is told beside the ConfigMap. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dependsOn: ITerraformDependable[];
}

function createJob(
  scope: Construct,
  settings: FileProcessingSettings,
  props: JobProps,
): LightResource<JobV1Config> | undefined {
  const at = new Construct(scope, props.id);
  const account = createServiceAccount(new Construct(at, 'service-account'), settings, {
    id: `database_${props.id}`,
    name: props.serviceAccount,
    roleArn: props.roleArn,
    dependsOn: props.dependsOn,
  });
  if (settings.image === '') return undefined;
  const container = endingContainer(settings, {
    image: props.image,
    command: props.command,
    environment: {
      ...props.environment,
      // In the ConfigMap as well, but a Job that has ended takes no notice of that.
      DB_SCHEMA: settings.db_schema,
      DB_USER: settings.db_migrator_user,
      DB_LISTENER_USER: settings.db_user,
    },
  });
  return new LightResource<JobV1Config>(at, `database_${props.id}`, 'kubernetes_job_v1', {
    metadata: { name: props.name, namespace: settings.namespace, labels: LABELS },
    waitForCompletion: true,
    timeouts: { create: '20m', update: '20m', delete: '5m' },
    spec: {
      backoffLimit: 6,
      activeDeadlineSeconds: DEADLINE_SECONDS,
      podFailurePolicy: jobFailurePolicy(container.name),
      template: {
        metadata: {
          labels: DATABASE_JOB_LABELS,
          // A database that a snapshot was restored into is another one, under the same name.
          annotations: { 'file-processing/database': settings.db_resource_id },
        },
        spec: {
          ...podSettings(settings),
          serviceAccountName: props.serviceAccount,
          restartPolicy: 'Never',
          container: [container],
          volume: [
            { name: VOLUMES.temporary, emptyDir: { sizeLimit: '256Mi' } },
            ...configuredVolumes(settings),
          ],
        },
      },
    },
    dependsOn: [...props.dependsOn, account],
  });
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
