import type { TerraformVariable } from 'cdktf';
import type { Construct } from 'constructs';
import { trustedAccounts } from '../settings/buckets.ts';
import {
  consoleSecretVariable,
  consoleSecretVariables,
} from '../settings/file-processing/workload.ts';
import {
  type FileProcessingSettings,
  fileProcessingVariables,
} from '../settings/file-processing-variables.ts';
import type { RuleTexts } from '../settings/rules-folder.ts';
import { AddressedStack } from '../stack/addressed-stack.ts';
import { configureAwsProvider, defaultTags } from '../stack/aws-provider.ts';
import { planVariable, secretVariable } from '../stack/plan-variable.ts';
import { templateLiteral } from '../stack/template-literal.ts';
import { configureTerraform } from '../stack/terraform-settings.ts';
import { AwsResources } from './aws-resources.ts';
import type { FoundDatabase } from './database-lookup.ts';
import { configureKubernetesProvider } from './kubernetes-provider.ts';
import { awsOutputs, makeOutputs } from './outputs.ts';
import type { ConsoleSecret } from './workload/console.ts';
import { scalesByBacklog } from './workload/scaling.ts';
import { Workload } from './workload/workload.ts';

/** What the stack is made from. */
export interface FileProcessingProps {
  /** Name of the environment, for tags and state. */
  readonly environment: string;
  readonly settings: FileProcessingSettings;
  /** Texts of a rule set's files, which become a ConfigMap. @default none */
  readonly rules?: RuleTexts;
  /** Looks up the database that `database = "on_demand"` is about; needed then. */
  readonly findDatabase?: (scope: Construct) => FoundDatabase;
}

/** The cluster, the way from the bucket to it, and the listener in it. Its network is found by name. */
export class FileProcessingStack extends AddressedStack {
  constructor(scope: Construct, id: string, props: FileProcessingProps) {
    super(scope, id);
    const { environment } = props;
    const database = this.#database(props);
    const settings = { ...templateLiteral(props.settings), ...database?.settings };
    const tags = defaultTags(environment, id, settings.tags);
    configureTerraform(this, environment, settings);
    configureAwsProvider(this, { ...settings, trusted_accounts: trustedAccounts(settings), tags });
    const image = planVariable(this, 'image', fileProcessingVariables.image, settings.image);

    const aws = new AwsResources(this, {
      settings,
      tags,
      ...(database && { masterSecret: database.masterSecret }),
    });
    const workload = settings.manage_kubernetes
      ? this.#workload(settings, tags, aws, image, props.rules)
      : undefined;
    aws.subscribe(workload?.dependables ?? []);
    makeOutputs(this, {
      ...awsOutputs(settings, aws),
      ...(workload && database && scalesByBacklog(settings)
        ? { database_host: [settings.db_host, 'Host of the database on demand'] as const }
        : {}),
      load_balancer_hostname: [
        workload?.loadBalancerHostname ?? '',
        'Host name of the load balancer; empty while there is none',
      ],
    });
  }

  #database({ settings, findDatabase }: FileProcessingProps): FoundDatabase | undefined {
    if (settings.database === 'external') return undefined;
    if (findDatabase === undefined) throw new Error('database = "on_demand" needs findDatabase');
    return findDatabase(this);
  }

  #workload(
    settings: FileProcessingSettings,
    loadBalancerTags: Readonly<Record<string, string>>,
    aws: AwsResources,
    image: TerraformVariable,
    rules: RuleTexts = new Map(),
  ): Workload {
    configureKubernetesProvider(this, settings, aws.cluster);
    return new Workload(this, 'workload', {
      settings,
      rules: templateLiteral(rules),
      loadBalancerTags,
      roleArn: aws.irsa.roleArn,
      topicArn: aws.topic.arn,
      ...(aws.queue && { queueUrl: aws.queue.resource.url }),
      image: image.stringValue,
      dbPassword: secretVariable(this, 'db_password', fileProcessingVariables.db_password)
        .stringValue,
      dbPasswordRevision: planVariable(
        this,
        'db_password_revision',
        fileProcessingVariables.db_password_revision,
        settings.db_password_revision,
      ).stringValue,
      ...(scalesByBacklog(settings) && {
        scalerPassword: secretVariable(
          this,
          'scaler_password',
          fileProcessingVariables.scaler_password,
        ).stringValue,
        scalerPasswordRevision: planVariable(
          this,
          'scaler_password_revision',
          fileProcessingVariables.scaler_password_revision,
          settings.scaler_password_revision,
        ).stringValue,
      }),
      ...(settings.otlp_headers_revision > 0 && {
        otlpHeaders: {
          value: secretVariable(this, 'otlp_headers', fileProcessingVariables.otlp_headers)
            .stringValue,
          revision: planVariable(
            this,
            'otlp_headers_revision',
            fileProcessingVariables.otlp_headers_revision,
            settings.otlp_headers_revision,
          ).stringValue,
        },
      }),
      ...(settings.console &&
        settings.image !== '' &&
        consoleSecretVariables(settings).length > 0 && {
          consoleSecret: this.#consoleSecret(settings),
        }),
      // Who fetches is ready before the subscription that the queue's takes the place of goes.
      dependsOn: [
        ...aws.clusterReady,
        ...aws.irsa.associations,
        ...(aws.queueSubscription ? [aws.queueSubscription] : []),
      ],
      ...(aws.databaseJobs && { databaseJobs: aws.databaseJobs }),
    });
  }

  /** What the Secret of the console holds, and the number that is raised with any of it. */
  #consoleSecret(settings: FileProcessingSettings): ConsoleSecret {
    const variables = fileProcessingVariables;
    const name = consoleSecretVariable(settings);
    const hasTokens = settings.console_tokens_revision > 0;
    const revisionOf = (of: 'console_secret_revision' | 'console_tokens_revision') =>
      planVariable(this, of, variables[of], settings[of]);
    const revisions = [
      ...(name === undefined ? [] : [revisionOf('console_secret_revision')]),
      ...(hasTokens ? [revisionOf('console_tokens_revision')] : []),
    ];
    return {
      values: {
        ...(name && {
          [name]: secretVariable(this, 'console_secret', variables.console_secret).stringValue,
        }),
        ...(hasTokens && {
          CONSOLE_TOKENS: secretVariable(this, 'console_tokens', variables.console_tokens)
            .stringValue,
        }),
      },
      // A Secret has one number, and the sum rises with either.
      revision: `\${${revisions.map(({ fqn }) => fqn).join(' + ')}}`,
    };
  }
}
