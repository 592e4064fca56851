import { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1/index.js';
import type { ITerraformDependable } from 'cdktf';
import type { Construct } from 'constructs';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { databaseCredentials } from './database-credentials.ts';
import { CONFIG_MAP, HTTP_PORT, LABELS, METRICS_PORT } from './names.ts';

/** How long the listener may take to drain after SIGTERM, in seconds. */
export const SHUTDOWN_SECONDS = 25;

/** Folder that the database's Secret is mounted at, one file a key. */
export const SECRETS_FOLDER = '/etc/file-processing/secrets';

/** What the listener's environment takes from other resources. */
export interface ListenerSources {
  /** ARN of the only topic whose messages are accepted. */
  readonly topicArn: string;
  /** Queue to fetch messages from, with `delivery = "sqs"`. */
  readonly queueUrl?: string;
}

/** The listener's environment: what is not set is left out. It holds no secret, only paths to them. */
export function listenerEnvironment(
  settings: FileProcessingSettings,
  { topicArn, queueUrl }: ListenerSources,
): Record<string, string> {
  const environment = {
    PORT: `${HTTP_PORT.number}`,
    METRICS_PORT: `${METRICS_PORT.number}`,
    LOG_LEVEL: settings.log_level,
    SHUTDOWN_SECONDS: `${SHUTDOWN_SECONDS}`,
    WORKER_CONCURRENCY: `${settings.worker_concurrency}`,
    AWS_REGION: settings.aws_region,
    S3_BUCKET: settings.bucket_name,
    S3_PREFIXES: settings.s3_prefixes.join(','),
    S3_SUFFIX: settings.s3_suffix,
    REPORT_PREFIX: settings.report_prefix,
    // The role may write below the prefix, and nowhere without one.
    WRITE_REPORTS: settings.report_prefix === '' ? 'false' : 'true',
    SNS_TOPIC_ARNS: topicArn,
    SNS_MAX_AGE_SECONDS: `${settings.sns_max_age_seconds}`,
    SQS_QUEUE_URL: queueUrl ?? '',
    ...databaseEnvironment(settings),
  };
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}

function databaseEnvironment(settings: FileProcessingSettings): Record<string, string> {
  const credentials = databaseCredentials(settings);
  return {
    ...(settings.db_host !== '' && {
      DB_HOST: settings.db_host,
      DB_PORT: `${settings.db_port}`,
      DB_NAME: settings.db_name,
      DB_USER: settings.db_user,
      // As libpq's sslmode: a password or an IAM token goes to nobody but the host's certificate.
      DB_SSL: 'verify-full',
    }),
    ...(settings.db_iam_auth && { DB_IAM_AUTH: 'true' }),
    ...(credentials && { [`${credentials.key}_FILE`]: `${SECRETS_FOLDER}/${credentials.key}` }),
  };
}

/** The listener's environment. */
export function createConfigMap(
  scope: Construct,
  namespace: string,
  environment: Readonly<Record<string, string>>,
  dependsOn: ITerraformDependable[],
): ConfigMapV1 {
  return new ConfigMapV1(scope, 'config', {
    metadata: { name: CONFIG_MAP, namespace, labels: LABELS },
    data: environment,
    dependsOn,
  });
}
