import { TerraformOutput } from 'cdktf';
import { Construct } from 'constructs';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';
import type { AwsResources } from './aws-resources.ts';

/** The outputs of the AWS resources, by name: value and description. */
export function awsOutputs(
  settings: FileProcessingSettings,
  aws: AwsResources,
): Readonly<Record<string, readonly [value: string, description: string]>> {
  const { cluster, irsa, topic, deadLetterQueue, queue, repository } = aws;
  const { autoscalerRoleArn, databaseJobs, forBucketOwners } = aws;
  return {
    cluster_name: [cluster.name, 'Name of the EKS cluster'],
    cluster_endpoint: [cluster.endpoint, "URL of the cluster's API"],
    kubeconfig_command: [
      `aws eks update-kubeconfig --name ${settings.cluster_name} --region ${settings.aws_region}${settings.assume_role_arn && ` --role-arn ${settings.assume_role_arn}`}\${var.aws_profile == "" ? "" : " --profile \${var.aws_profile}"}`,
      'Command that points kubectl at the cluster',
    ],
    oidc_issuer: [cluster.issuer, "URL of the cluster's OIDC issuer"],
    oidc_provider_arn: [
      irsa.providerArn ?? '',
      'ARN of the IAM OIDC provider of the cluster; empty with identity = "pod_identity"',
    ],
    service_account_role_arn: [irsa.roleArn, "ARN of the role of the listener's ServiceAccount"],
    ...(autoscalerRoleArn && {
      cluster_autoscaler_role_arn: [
        autoscalerRoleArn,
        'ARN of the role of the Cluster Autoscaler, for the annotation of its ServiceAccount',
      ] as const,
    }),
    sns_topic_arn: [topic.arn, 'ARN of the topic that takes event notifications of the bucket'],
    dead_letter_queue_url: [
      deadLetterQueue.resource.url,
      'URL of the queue of messages that could not be delivered',
    ],
    queue_url: [
      queue?.resource.url ?? '',
      'URL of the queue that the listener fetches from; empty where there is none',
    ],
    repository_url: [
      repository?.resource.repositoryUrl ?? '',
      'URL of the image repository; empty with create_repository = false',
    ],
    image: ['${var.image}', 'Image of the listener; empty while none is deployed'],
    namespace: [settings.namespace, 'Kubernetes namespace'],
    ...(databaseJobs && {
      database_resource_id: [settings.db_resource_id, 'Resource id of the database on demand'],
      database_host: [settings.db_host, 'Host of the database on demand'],
      master_user_secret_arn: [
        databaseJobs.masterSecretArn,
        "ARN of the secret with the database's master user",
      ],
      database_bootstrap_role_arn: [
        databaseJobs.bootstrapRoleArn,
        'ARN of the role of the Job that makes the database',
      ],
      database_migrate_role_arn: [
        databaseJobs.migrateRoleArn,
        'ARN of the role of the Job that migrates the database',
      ],
    }),
    ...(forBucketOwners !== undefined && {
      for_bucket_owners: [
        forBucketOwners,
        'What other accounts have to set for their buckets, as JSON by bucket',
      ] as const,
    }),
    sns_endpoint_url: [settings.sns_endpoint_url, 'URL that SNS posts to; empty until it is set'],
  };
}

/** Makes Terraform outputs. */
export function makeOutputs(
  stack: Construct,
  outputs: Readonly<Record<string, readonly [value: string, description: string]>>,
): void {
  // An output may have the name of a variable, which is a child of the stack already.
  const scope = new Construct(stack, 'outputs');
  for (const [name, [value, description]] of Object.entries(outputs)) {
    new TerraformOutput(scope, name, { value, description });
  }
}
