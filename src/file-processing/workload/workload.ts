import type { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1/index.js';
import type { DeploymentV1Config } from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import type { ServiceV1Config } from '@cdktf/provider-kubernetes/lib/service-v1/index.js';
import type { ITerraformDependable, TerraformResource } from 'cdktf';
import { Construct } from 'constructs';
import { hasEndpoint } from '../../settings/file-processing/delivery.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import type { RuleTexts } from '../../settings/rules-folder.ts';
import { leaveBehind } from '../../stack/addressed-stack.ts';
import type { LightResource } from '../../stack/light-resource.ts';
import { type ConsoleSecret, createConsole } from './console.ts';
import { databaseCredentials } from './database-credentials.ts';
import { createDatabaseJobs, type DatabaseJobsProps } from './database-jobs.ts';
import { createDatabaseSecret } from './database-secret.ts';
import { createDeployment } from './deployment.ts';
import { createIngress } from './ingress.ts';
import { createJobs } from './jobs.ts';
import {
  COLLECTOR_SECRET_KEY,
  createConfigMap,
  createRules,
  listenerEnvironment,
} from './listener-environment.ts';
import { COLLECTOR_SECRET, DATABASE_SECRET, SCALER_SECRET } from './names.ts';
import { createNamespace } from './namespace.ts';
import { createNetworkPolicy } from './network-policy.ts';
import { listPodMonitor } from './pod-monitor.ts';
import { createReconciliation } from './reconciliation.ts';
import {
  createHorizontalPodAutoscaler,
  createPodDisruptionBudget,
  hasAutoscaler,
  listScaledObject,
  SCALER_SECRET_KEY,
  scalesByBacklog,
} from './scaling.ts';
import { createClusterService, createLoadBalancerService } from './service.ts';
import { createServiceAccount } from './service-account.ts';

/** What the Kubernetes objects of the stack need from its AWS resources. */
export interface WorkloadProps {
  readonly settings: FileProcessingSettings;
  /** Texts of a rule set's files; empty for none. */
  readonly rules: RuleTexts;
  /** Role that the pods assume. */
  readonly roleArn: string;
  readonly topicArn: string;
  /** Queue that the listener fetches from, where there is one. */
  readonly queueUrl?: string;
  /** Token of the image's variable; used only when `settings.image` is set. */
  readonly image: string;
  /** Token of the ephemeral variable with the password. */
  readonly dbPassword: string;
  /** Token of the variable that is raised with the password. */
  readonly dbPasswordRevision: string;
  /** Token of the ephemeral variable with the password that KEDA counts by; absent where it does not. */
  readonly scalerPassword?: string;
  /** Token of the variable that is raised with it. */
  readonly scalerPasswordRevision?: string;
  /** Tokens of the headers that the collector of traces asks for, and of their revision; absent where it asks for none. */
  readonly otlpHeaders?: { readonly value: string; readonly revision: string };
  /** Of the console, where people sign in to it by the settings. */
  readonly consoleSecret?: ConsoleSecret;
  /** What the Jobs that prepare the database need, with `database = "on_demand"`. */
  readonly databaseJobs?: DatabaseJobsProps;
  /**
   * Tags of the load balancer, which Kubernetes makes, so that the provider's default tags don't
   * reach it.
   *
   * @default settings.tags
   */
  readonly loadBalancerTags?: Readonly<Record<string, string>>;
  /**
   * What gives access to the cluster and lets pods run in it. Every object depends on all of it, so
   * that a destroy removes the objects while it still can.
   */
  readonly dependsOn: ITerraformDependable[];
}

/** The Kubernetes objects of the stack. */
export class Workload extends Construct {
  /** Absent as long as there is no image. */
  readonly deployment?: LightResource<DeploymentV1Config>;
  /** Absent where there is no endpoint. */
  readonly service?: LightResource<ServiceV1Config>;
  /** What must stand before SNS can have its subscription confirmed. */
  readonly dependables: ITerraformDependable[];
  /** Token of the host to point a name at, empty at first; absent where there is no endpoint. */
  readonly loadBalancerHostname?: string;

  constructor(scope: Construct, id: string, props: WorkloadProps) {
    super(scope, id);
    const { settings } = props;
    const at = (kind: string): Construct => new Construct(this, kind);

    const namespace = settings.create_namespace
      ? [createNamespace(at('namespace'), settings, props.dependsOn)]
      : [];
    // With it would go all that is in it, whoever looks after it from now on.
    if (!settings.create_namespace) leaveBehind(this, 'kubernetes_namespace_v1.ns');
    const dependsOn = [...props.dependsOn, ...namespace];

    const makesJobs = settings.job_runner === 'auto' && settings.image !== '';
    const serviceAccount = createServiceAccount(at('service-account'), settings, {
      id: 'sa',
      name: settings.service_account_name,
      roleArn: props.roleArn,
      ...(makesJobs && { jobImage: props.image }),
      dependsOn,
    });
    const configMap = createConfigMap(
      at('config-map'),
      settings.namespace,
      { ...settings.extra_environment, ...listenerEnvironment(settings, props) },
      dependsOn,
    );
    const hasRules = props.rules.size > 0;
    const rules = hasRules
      ? [createRules(at('rules'), settings.namespace, props.rules, dependsOn)]
      : [];
    const secret = databaseCredentials(settings)?.owned
      ? [
          createDatabaseSecret(at('secret'), {
            namespace: settings.namespace,
            dbPassword: props.dbPassword,
            dbPasswordRevision: props.dbPasswordRevision,
            dependsOn,
          }),
        ]
      : [];
    if (props.scalerPassword && settings.image !== '') {
      createDatabaseSecret(at('scaler-secret'), {
        ...{ id: 'scaler', name: SCALER_SECRET, key: SCALER_SECRET_KEY },
        missing:
          'scaler_password must be given with autoscaling = "backlog": set TF_VAR_scaler_password.',
        namespace: settings.namespace,
        dbPassword: props.scalerPassword,
        dbPasswordRevision: props.scalerPasswordRevision ?? '1',
        dependsOn,
      });
    }
    if (props.otlpHeaders) {
      secret.push(
        createDatabaseSecret(at('collector-secret'), {
          ...{ id: 'collector', name: COLLECTOR_SECRET, key: COLLECTOR_SECRET_KEY },
          missing:
            'otlp_headers must be given with otlp_headers_revision: set TF_VAR_otlp_headers.',
          namespace: settings.namespace,
          dbPassword: props.otlpHeaders.value,
          dbPasswordRevision: props.otlpHeaders.revision,
          dependsOn,
        }),
      );
    }
    if (settings.existing_secret_name === DATABASE_SECRET) {
      leaveBehind(this, 'kubernetes_secret_v1.database');
    }
    const networkPolicy = createNetworkPolicy(at('network-policy'), settings, dependsOn);

    const migration =
      props.databaseJobs &&
      createDatabaseJobs(at('database-jobs'), settings, {
        ...props.databaseJobs,
        image: props.image,
        dependsOn: [...dependsOn, ...props.databaseJobs.dependsOn, configMap, ...secret],
      });

    if (settings.image !== '') {
      const uses = [serviceAccount, configMap, ...secret];
      const jobs = makesJobs
        ? [createJobs(at('jobs'), settings, { image: props.image, dependsOn, uses })]
        : [];
      this.deployment = createDeployment(at('deployment'), settings, {
        image: props.image,
        mountsRules: hasRules,
        configChecksum: checksumOf(configMap),
        dbPasswordRevision: props.dbPasswordRevision,
        otlpHeadersRevision: props.otlpHeaders?.revision,
        dependsOn: [
          ...dependsOn,
          serviceAccount,
          configMap,
          ...rules,
          ...secret,
          ...jobs,
          networkPolicy,
          ...(migration ? [migration] : []),
        ],
      });
      // With a single pod there is nothing to ration: a drain must be free to take it.
      if (settings.replicas > 1) {
        createPodDisruptionBudget(at('pod-disruption-budget'), settings, dependsOn);
      }
      if (scalesByBacklog(settings)) {
        listScaledObject(this, settings);
      } else if (hasAutoscaler(settings)) {
        createHorizontalPodAutoscaler(at('autoscaler'), settings, [...dependsOn, this.deployment]);
      }
      if (settings.pod_monitor) listPodMonitor(this, settings);
      if (settings.console) {
        createConsole(at('console'), settings, {
          image: props.image,
          configChecksum: checksumOf(configMap),
          dbPasswordRevision: props.dbPasswordRevision,
          otlpHeadersRevision: props.otlpHeaders?.revision,
          secret: props.consoleSecret,
          // Whose pods bring the database's schema up to date.
          dependsOn: [...dependsOn, this.deployment],
        });
      }
      if (settings.reconciliation_schedule !== '') {
        createReconciliation(at('reconciliation'), settings, {
          image: props.image,
          dependsOn: [...dependsOn, this.deployment],
        });
      }
    }

    let ingress: TerraformResource | undefined;
    if (hasEndpoint(settings) && settings.ingress_class_name !== '') {
      this.service = createClusterService(at('service'), settings, dependsOn);
      ingress = createIngress(at('ingress'), settings, [...dependsOn, this.service]);
      this.loadBalancerHostname = hostnameOf(ingress);
    } else if (hasEndpoint(settings)) {
      const tags = props.loadBalancerTags ?? settings.tags;
      this.service = createLoadBalancerService(at('service'), settings, tags, dependsOn);
      this.loadBalancerHostname = hostnameOf(this.service);
    }

    this.dependables = [this.deployment, this.service, ingress].filter(
      (dependable) => dependable !== undefined,
    );
  }
}

/** Computed by Terraform, so that values that are known only at plan count. */
function checksumOf(configMap: ConfigMapV1): string {
  return `\${sha256(jsonencode(${configMap.fqn}.data))}`;
}

function hostnameOf(object: TerraformResource): string {
  return `\${try(${object.fqn}.status[0].load_balancer[0].ingress[0].hostname, "")}`;
}
