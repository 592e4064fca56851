import { TerraformOutput, Testing } from 'cdktf';
import { scalesByBacklog } from '../../src/file-processing/workload/scaling.ts';
import { Workload } from '../../src/file-processing/workload/workload.ts';
import { CUSTOM_OBJECTS } from '../../src/settings/common-variables.ts';
import {
  type FileProcessingSettings,
  fileProcessingVariables,
} from '../../src/settings/file-processing-variables.ts';
import type { RuleTexts } from '../../src/settings/rules-folder.ts';
import { AddressedStack, type CustomObject } from '../../src/stack/addressed-stack.ts';
import { planVariable, secretVariable } from '../../src/stack/plan-variable.ts';
import type { TerraformJson } from '../../src/synthesized/synthesized-stack.ts';
import { fileProcessingSettings } from './settings.ts';

/** A digest, as a user would pin an image. */
export const IMAGE = `registry.example/file-processing@sha256:${'ab'.repeat(32)}`;
/** What the workload of the tests depends on. */
export const DEPENDENCIES = ['aws_eks_access_policy_association.admin', 'aws_eks_node_group.nodes'];
export const TOPIC_ARN = 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic';
export const QUEUE_URL = 'https://sqs.us-gov-west-1.amazonaws.com/123456789012/file-processing';
export const ROLE_ARN = 'arn:aws-us-gov:iam::123456789012:role/file-processing-sa';

/** What the Jobs that prepare a database on demand are made with. */
export const DATABASE_JOBS = {
  bootstrapRoleArn: 'arn:aws-us-gov:iam::123456789012:role/database-bootstrap',
  migrateRoleArn: 'arn:aws-us-gov:iam::123456789012:role/database-migrate',
  masterSecretArn:
    'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:rds!db-1-AbCdEf',
  dependsOn: [{ fqn: 'aws_iam_role_policy.database_bootstrap' }],
};

/** The synthesized Kubernetes objects of some settings. */
export interface SynthesizedWorkload {
  readonly workload: Workload;
  /** The stack as Terraform reads it. */
  readonly json: TerraformJson;
  /** An output with the host name that depends on what a subscription would wait for. */
  readonly output: Readonly<Record<string, unknown>> | undefined;
  /** Kubernetes objects that Terraform does not make; undefined where there are none. */
  readonly customObjects: readonly CustomObject[] | undefined;
  /** All resources by address. */
  readonly resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Synthesizes the workload of defaults with an image, except for the overrides. */
export function synthesizeWorkload(
  overrides: Partial<FileProcessingSettings> = {},
  loadBalancerTags?: Readonly<Record<string, string>>,
  rules: RuleTexts = new Map(),
): SynthesizedWorkload {
  const settings = fileProcessingSettings({ image: IMAGE, ...overrides });
  const stack = new AddressedStack(Testing.app(), 'file-processing');
  const workload = new Workload(stack, 'workload', {
    settings,
    rules,
    roleArn: ROLE_ARN,
    topicArn: TOPIC_ARN,
    ...(settings.delivery === 'sqs' && { queueUrl: QUEUE_URL }),
    image: planVariable(stack, 'image', fileProcessingVariables.image, settings.image).stringValue,
    dbPassword: secretVariable(stack, 'db_password', fileProcessingVariables.db_password)
      .stringValue,
    dbPasswordRevision: planVariable(
      stack,
      'db_password_revision',
      fileProcessingVariables.db_password_revision,
      settings.db_password_revision,
    ).stringValue,
    ...(scalesByBacklog(settings) && {
      scalerPassword: secretVariable(
        stack,
        'scaler_password',
        fileProcessingVariables.scaler_password,
      ).stringValue,
    }),
    ...(settings.otlp_headers_revision > 0 && {
      otlpHeaders: {
        value: secretVariable(stack, 'otlp_headers', fileProcessingVariables.otlp_headers)
          .stringValue,
        revision: planVariable(
          stack,
          'otlp_headers_revision',
          fileProcessingVariables.otlp_headers_revision,
          settings.otlp_headers_revision,
        ).stringValue,
      },
    }),
    ...(settings.database === 'on_demand' && { databaseJobs: DATABASE_JOBS }),
    ...(loadBalancerTags && { loadBalancerTags }),
    dependsOn: DEPENDENCIES.map((fqn) => ({ fqn })),
  });
  new TerraformOutput(stack, 'endpoint', {
    value: workload.loadBalancerHostname ?? '',
    dependsOn: workload.dependables,
  });
  const json = JSON.parse(Testing.synth(stack)) as {
    locals?: Record<string, readonly CustomObject[]>;
    resource: Record<string, Record<string, Record<string, unknown>>>;
    output: Record<string, Record<string, unknown>>;
  };
  const { resource, output, locals } = json;
  return {
    ...{ workload, json, resources: byAddress(resource), output: output.endpoint },
    customObjects: locals?.[CUSTOM_OBJECTS],
  };
}

function byAddress(resource: Record<string, Record<string, Record<string, unknown>>>) {
  return Object.fromEntries(
    Object.entries(resource).flatMap(([type, named]) =>
      Object.entries(named).map(([name, block]) => [`${type}.${name}`, block] as const),
    ),
  );
}

/** Settings that give the listener a database with a password of our own Secret. */
export const DATABASE = {
  db_host: 'db.example.gov',
  db_name: 'etl_db',
  db_user: 'etl_user',
} as const;
