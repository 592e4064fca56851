import { EksPodIdentityAssociation } from '@cdktf/provider-aws/lib/eks-pod-identity-association/index.js';
import { IamOpenidConnectProvider } from '@cdktf/provider-aws/lib/iam-openid-connect-provider/index.js';
import { IamPolicy } from '@cdktf/provider-aws/lib/iam-policy/index.js';
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js';
import { readRulesLocation } from '@file-processing/contract/rule-set.ts';
import { Fn, type ITerraformDependable, TerraformLocal, Token } from 'cdktf';
import { Construct } from 'constructs';
import {
  bucketAccess,
  confirmSubscriptions,
  connectToDatabase,
  fetchMessages,
  publishNotices,
  readRules,
  readSecret,
  sendMail,
} from '../policies/listener-policies.ts';
import { scaleNodes } from '../policies/node-scaling-policy.ts';
import { type PolicyStatement, policyJson } from '../policies/policy-document.ts';
import { STS_AUDIENCE, trustPodIdentity, trustServiceAccount } from '../policies/trust-policies.ts';
import { bucketsOf, routingPlaces } from '../settings/buckets.ts';
import { trustsPodIdentity, trustsTokens } from '../settings/file-processing/cluster.ts';
import { DATABASE_JOB_NAMES } from '../settings/file-processing/database.ts';
import { hasEndpoint } from '../settings/file-processing/delivery.ts';
import { sesIdentity } from '../settings/file-processing/notices.ts';
import {
  type FileProcessingSettings,
  fileProcessingVariables,
} from '../settings/file-processing-variables.ts';
import { SettingsError } from '../settings/finding.ts';
import { leaveBehind } from '../stack/addressed-stack.ts';
import { planVariable } from '../stack/plan-variable.ts';
import { pathOf, roleIdentity } from '../stack/role-identity.ts';
import type { ClusterAttributes } from './cluster.ts';
import { accessOf, bucketArn, type Context, regionalArn } from './context.ts';
import type { FoundDatabase } from './database-lookup.ts';
import type { DatabaseJobsProps } from './workload/database-jobs.ts';

/** Names that the chart of the Cluster Autoscaler gives, or is given, and its documentation uses. */
const AUTOSCALER = { namespace: 'kube-system', serviceAccount: 'cluster-autoscaler' };

/** What the role of the listener is made for. */
export interface IrsaProps {
  readonly context: Context;
  readonly cluster: Pick<ClusterAttributes, 'issuer' | 'name'>;
  readonly topicArn: string;
  /** What the listener takes messages from. */
  readonly queues: {
    /**
     * Its own queue, where there is one; and the dead-letter queues that belong to no source queue, out of which SQS
     * itself moves nothing (Amazon SQS API Reference, "StartMessageMoveTask").
     */
    readonly arns: readonly string[];
    readonly keyArn: string;
  };
}

/**
 * The IAM role of the listener's ServiceAccount, by IRSA or by EKS Pod Identity, and what it may do. The addresses are
 * those of the original's Terraform, so that its state and its import instructions still hold.
 */
export class Irsa extends Construct {
  readonly roleArn: string;
  /** OIDC provider that the roles trust; absent with `identity = "pod_identity"`. */
  readonly providerArn?: string;
  /** What gives new pods their role by EKS Pod Identity: a pod that starts before gets none. */
  readonly associations: ITerraformDependable[] = [];
  /** The right to receive messages; to confirm a subscription is part of it. */
  readonly deliveryRight: ITerraformDependable;

  readonly #context: Context;
  readonly #cluster: IrsaProps['cluster'];
  readonly #issuer?: { readonly arn: string; readonly issuer: string };
  readonly #role: IamRole;

  constructor(scope: Construct, props: IrsaProps) {
    super(scope, 'irsa');
    const { context, cluster } = props;
    const { settings } = context;
    this.#context = context;
    this.#cluster = cluster;
    if (trustsTokens(settings)) {
      this.#issuer = this.#provider(cluster.issuer);
      this.providerArn = this.#issuer.arn;
    }
    this.#role = this.#roleOf(this, 'file_processing_sa', {
      name: 'file-processing-sa',
      what: 'Listener',
      serviceAccount: settings.service_account_name,
    });
    this.roleArn = this.#role.arn;

    const bucketStatements = [
      ...bucketAccess(accessOf(context, bucketsOf(settings), routingPlaces(settings))),
      ...rulesStatements(context),
    ];
    refuseTooLong(bucketStatements, settings);
    this.#grant('s3', 's3_attach', 'Reads deliveries and writes reports', bucketStatements);
    this.deliveryRight = this.#grant(
      'delivery',
      'delivery',
      'Receives messages',
      deliveryStatements(props),
    );
    const noticing = noticeStatements(context);
    if (noticing.length > 0) this.#grant('notices', 'notices', 'Sends notices', noticing);
    if (settings.db_iam_auth) {
      const user = `dbuser:${settings.db_resource_id}/${settings.db_user}`;
      const statements = connectToDatabase(regionalArn(context, 'rds-db', user));
      this.#grant('database', 'database', 'Signs in to the database', statements);
    }
  }

  /** The roles of the Jobs that prepare the database, each for one ServiceAccount and one thing. */
  forDatabaseJobs(masterSecret: FoundDatabase['masterSecret']): DatabaseJobsProps {
    const context = this.#context;
    const { settings, region, partition } = context;
    const bootstrap = this.#jobRole('bootstrap', 'Makes the database of the listener', [
      ...readSecret({
        secretArn: masterSecret.arn,
        keyArn: masterSecret.keyArn,
        secretsHost: `secretsmanager.${region}.${partition.dnsSuffix}`,
      }),
    ]);
    const user = `dbuser:${settings.db_resource_id}/${settings.db_migrator_user}`;
    const migrate = this.#jobRole('migrate', 'Migrates the database of the listener', [
      ...connectToDatabase(regionalArn(context, 'rds-db', user)),
    ]);
    return {
      masterSecretArn: masterSecret.arn,
      bootstrapRoleArn: bootstrap.arn,
      migrateRoleArn: migrate.arn,
      dependsOn: [bootstrap.right, migrate.right],
    };
  }

  /**
   * Makes the role of the Cluster Autoscaler, whose ServiceAccount its chart makes.
   *
   * @returns its ARN
   */
  forAutoscaler(): string {
    const { settings } = this.#context;
    const role = this.#roleOf(this, 'cluster_autoscaler', {
      name: 'cluster-autoscaler',
      what: 'Cluster Autoscaler',
      ...AUTOSCALER,
    });
    new IamRolePolicy(role, 'cluster_autoscaler', {
      name: 'scale-nodes',
      role: role.name,
      policy: policyJson(
        scaleNodes(
          settings.cluster_name,
          regionalArn(this.#context, 'eks', `nodegroup/${settings.cluster_name}/*/*`),
        ),
      ),
    });
    return role.arn;
  }

  #jobRole(
    job: 'bootstrap' | 'migrate',
    what: string,
    statements: readonly PolicyStatement[],
  ): { readonly arn: string; readonly right: ITerraformDependable } {
    const scope = new Construct(this, job);
    const id = `database_${job}`;
    const role = this.#roleOf(scope, id, {
      name: `database-${job}`,
      what,
      serviceAccount: DATABASE_JOB_NAMES[job],
    });
    const right = new IamRolePolicy(role, id, {
      name: job,
      role: role.name,
      policy: policyJson(statements),
    });
    return { arn: role.arn, right };
  }

  /** A role that the pods of one ServiceAccount assume. */
  #roleOf(
    scope: Construct,
    id: string,
    pods: {
      readonly name: string;
      readonly what: string;
      readonly serviceAccount: string;
      /** @default that of the listener */
      readonly namespace?: string;
    },
  ): IamRole {
    const { settings } = this.#context;
    const { namespace = settings.namespace } = pods;
    const role = new IamRole(scope, id, {
      ...roleIdentity(settings, `${settings.cluster_name}-${pods.name}`),
      description: `${pods.what} in namespace ${namespace} of ${settings.cluster_name}`,
      assumeRolePolicy: policyJson(this.#trustOf(namespace, pods.serviceAccount)),
    });
    if (settings.identity === 'pod_identity') {
      this.associations.push(
        new EksPodIdentityAssociation(new Construct(role, 'pods'), id, {
          clusterName: this.#cluster.name,
          namespace,
          serviceAccount: pods.serviceAccount,
          roleArn: role.arn,
        }),
      );
    }
    return role;
  }

  #trustOf(namespace: string, serviceAccount: string): readonly PolicyStatement[] {
    const context = this.#context;
    const { settings, account } = context;
    const clusterArn = regionalArn(context, 'eks', `cluster/${settings.cluster_name}`);
    return [
      ...(this.#issuer
        ? trustServiceAccount({
            providerArn: this.#issuer.arn,
            issuer: this.#issuer.issuer,
            namespace,
            serviceAccount,
          })
        : []),
      ...(trustsPodIdentity(settings)
        ? trustPodIdentity({ account, clusterArn, namespace, serviceAccount })
        : []),
    ];
  }

  #provider(issuerUrl: string): { readonly arn: string; readonly issuer: string } {
    const existing = this.#context.settings.existing_oidc_provider_arn;
    if (existing !== '') {
      // An issuer has one provider in an account: if the stack made it before, others take it over now.
      leaveBehind(this, 'aws_iam_openid_connect_provider.eks');
      return { arn: existing, issuer: existing.replace(/^.*:oidc-provider\//, '') };
    }
    planVariable(
      this,
      'oidc_thumbprint',
      fileProcessingVariables.oidc_thumbprint,
      this.#context.settings.oidc_thumbprint,
    );
    const provider = new IamOpenidConnectProvider(this, 'eks', {
      url: issuerUrl,
      clientIdList: [STS_AUDIENCE],
      thumbprintList: Token.asList('${var.oidc_thumbprint == "" ? null : [var.oidc_thumbprint]}'),
    });
    // A local, since a call with quotes inside would break the JSON of the trust policy for its readers.
    const issuer = new TerraformLocal(this, 'oidc_issuer', Fn.replace(issuerUrl, 'https://', ''));
    return { arn: provider.arn, issuer: issuer.asString };
  }

  #grant(
    policyName: string,
    attachmentName: string,
    description: string,
    statements: readonly PolicyStatement[],
  ): ITerraformDependable {
    const policy = new IamPolicy(this, `file_processing_${policyName}`, {
      name: `${this.#context.settings.cluster_name}-file-processing-${policyName}`,
      ...pathOf(this.#context.settings),
      description,
      policy: policyJson(statements),
    });
    return new IamRolePolicyAttachment(policy, `file_processing_${attachmentName}`, {
      role: this.#role.name,
      policyArn: policy.arn,
    });
  }
}

/** Characters of a managed policy, where white space does not count (IAM User Guide, "IAM and AWS STS quotas"). */
const LONGEST_POLICY = 6144;

/** None where the rule set is applied by hand. */
function rulesStatements(context: Context): readonly PolicyStatement[] {
  const location = readRulesLocation(context.settings.rules_location);
  if (location === undefined || !('bucket' in location)) return [];
  const { region, partition, settings } = context;
  return readRules({
    bucketArn: bucketArn(context, location.bucket),
    prefix: location.prefix,
    keyArn: settings.rules_kms_key_arn,
    s3Host: `s3.${region}.${partition.dnsSuffix}`,
  });
}

/** None where notices have no way out by AWS. */
function noticeStatements(context: Context): readonly PolicyStatement[] {
  const { settings, partition } = context;
  const { notice_topic_arn: topicArn, notice_topic_kms_key_arn: keyArn } = settings;
  const snsHost = `sns.${topicArn.split(':')[3]}.${partition.dnsSuffix}`;
  return [
    ...(topicArn === '' ? [] : publishNotices({ topicArn, keyArn, snsHost })),
    ...(settings.notice_email === 'ses'
      ? sendMail({
          identityArn: regionalArn(context, 'ses', `identity/${sesIdentity(settings)}`),
          from: settings.notice_email_from,
        })
      : []),
  ];
}

/** @throws SettingsError where buckets and prefixes together are too long for one policy */
function refuseTooLong(
  statements: readonly PolicyStatement[],
  { buckets }: FileProcessingSettings,
): void {
  const { length } = policyJson(statements).replaceAll(/\s/g, '');
  if (length <= LONGEST_POLICY) return;
  const message = `the listener's policy on its buckets would have ${length} characters, and IAM takes ${LONGEST_POLICY}: name fewer or shorter prefixes, the same for several buckets where that is possible, or fewer buckets`;
  const variable = buckets.length > 0 ? 'buckets' : 's3_prefixes';
  throw new SettingsError([{ file: 'file_processing.tfvars', variable, message }]);
}

function deliveryStatements({ context, topicArn, queues }: IrsaProps): readonly PolicyStatement[] {
  const { region, partition } = context;
  return [
    ...(hasEndpoint(context.settings) ? confirmSubscriptions(topicArn) : []),
    ...fetchMessages({
      queueArns: queues.arns,
      keyArn: queues.keyArn,
      sqsHost: `sqs.${region}.${partition.dnsSuffix}`,
    }),
  ];
}
