import type { DeploymentV1Config } from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import { SecretV1 } from '@cdktf/provider-kubernetes/lib/secret-v1/index.js';
import type { ServiceV1Config } from '@cdktf/provider-kubernetes/lib/service-v1/index.js';
import { type ITerraformDependable, Token } from 'cdktf';
import { Construct } from 'constructs';
import {
  type ConsoleSecretVariable,
  consoleSecretVariables,
} from '../../settings/file-processing/workload.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { LightResource } from '../../stack/light-resource.ts';
import { consoleContainer, podSettings, podVolumes, VOLUMES } from './containers.ts';
import {
  type DeploymentProps,
  rolloutAnnotations,
  spread,
  TERMINATION_SECONDS,
} from './deployment.ts';
import { CONSOLE_FOLDER, type ListenerEnvironment } from './listener-environment.ts';
import { CONSOLE, CONSOLE_LABELS, CONSOLE_PORT, CONSOLE_SELECTOR, LABELS } from './names.ts';
import {
  consoleIngressRules,
  createNetworkPolicyOf,
  databaseEgressRules,
  providerRules,
} from './network-policy.ts';
import { createPodDisruptionBudget } from './scaling.ts';

/** Tokens of the ephemeral variables, by the listener's variables that they are for, and of the number that is raised with them. */
export interface ConsoleSecret {
  readonly values: Readonly<Partial<Record<ConsoleSecretVariable, string>>>;
  readonly revision: string;
}

/** What the console is made from, beside the settings. */
export interface ConsoleProps extends Omit<DeploymentProps, 'mountsRules'> {
  /** Undefined where nobody signs in, and no script comes in, by the settings. */
  readonly secret: ConsoleSecret | undefined;
}

/**
 * The console: a Deployment of its own, so that pages take nothing from the intake of messages and a fault of theirs ends
 * nothing else; behind a Service that is known in the cluster alone. Two pods, since sessions are in the database.
 */
export function createConsole(
  scope: Construct,
  settings: FileProcessingSettings,
  props: ConsoleProps,
): void {
  const { dependsOn } = props;
  const at = (kind: string) => new Construct(scope, kind);
  const policy = createNetworkPolicyOf(at('network-policy'), 'console', settings, {
    name: CONSOLE,
    app: CONSOLE,
    ingress: consoleIngressRules(settings),
    egress: [...databaseEgressRules(settings), ...providerRules(settings)],
    dependsOn,
  });
  const secret = props.secret && createSecret(at('secret'), settings, props.secret, dependsOn);
  new LightResource<DeploymentV1Config>(at('deployment'), 'console', 'kubernetes_deployment_v1', {
    metadata: { name: CONSOLE, namespace: settings.namespace, labels: LABELS },
    waitForRollout: true,
    timeouts: { create: '15m', update: '15m', delete: '10m' },
    spec: {
      replicas: '2',
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: CONSOLE_SELECTOR },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '0', maxSurge: '1' } },
      template: {
        metadata: {
          labels: CONSOLE_LABELS,
          annotations: {
            ...rolloutAnnotations(settings, props),
            ...(props.secret && { [revisionAnnotation(settings)]: props.secret.revision }),
          },
        },
        spec: {
          ...podSettings(settings),
          serviceAccountName: settings.service_account_name,
          terminationGracePeriodSeconds: TERMINATION_SECONDS,
          topologySpreadConstraint: spread(CONSOLE_SELECTOR),
          container: [consoleContainer(settings, props.image, consoleEnvironment(settings))],
          volume: [
            ...podVolumes(settings),
            ...(secret
              ? [{ name: VOLUMES.console, secret: { secretName: CONSOLE, defaultMode: '0440' } }]
              : []),
          ],
        },
      },
    },
    dependsOn: [...dependsOn, policy, ...(secret ? [secret] : [])],
  });
  createPodDisruptionBudget(at('pod-disruption-budget'), settings, dependsOn, {
    ...{ id: 'console', name: CONSOLE, selector: CONSOLE_SELECTOR },
  });
  new LightResource<ServiceV1Config>(at('service'), 'console', 'kubernetes_service_v1', {
    metadata: { name: CONSOLE, namespace: settings.namespace, labels: LABELS },
    waitForLoadBalancer: false,
    spec: {
      type: 'ClusterIP',
      selector: CONSOLE_SELECTOR,
      port: [{ name: 'http', port: 80, targetPort: CONSOLE_PORT.name, protocol: 'TCP' }],
    },
    dependsOn,
  });
}

/** Of a sum of two numbers the audit does not know that it is not a secret, where the name speaks of one. */
function revisionAnnotation({ console_tokens_revision }: FileProcessingSettings): string {
  return `file-processing/console-${console_tokens_revision > 0 ? 'revision' : 'secret-revision'}`;
}

function consoleEnvironment(settings: FileProcessingSettings): ListenerEnvironment {
  const secrets = consoleSecretVariables(settings);
  return {
    // Of the pod's network alone: the NetworkPolicy says who gets there.
    CONSOLE_HOST: '0.0.0.0',
    CONSOLE_PORT: `${CONSOLE_PORT.number}`,
    ...settings.console_variables,
    ...Object.fromEntries(secrets.map((name) => [`${name}_FILE`, `${CONSOLE_FOLDER}/${name}`])),
  };
}

/** What is asked of each secret when a plan is made. */
const CONDITIONS: Readonly<
  Record<
    ConsoleSecretVariable,
    { readonly condition: (value: string) => string; readonly errorMessage: string }
  >
> = {
  CONSOLE_OIDC_CLIENT_SECRET: ofSecret(),
  CONSOLE_PROXY_SECRET: ofSecret(),
  CONSOLE_TOKENS: {
    condition: (value) => `try(length(jsondecode(${value})) > 0, false)`,
    errorMessage:
      'console_tokens must be given, a JSON list as CONSOLE_TOKENS has it, where console_tokens_revision is not 0: set TF_VAR_console_tokens.',
  },
};

function ofSecret() {
  return {
    condition: (value: string) => `try(length(${value}) >= 32, false)`,
    errorMessage:
      'console_secret must be given, 32 characters or more, where people sign in to the console: set TF_VAR_console_secret.',
  };
}

/** As the Secret of the database: neither plan nor state holds it. */
function createSecret(
  scope: Construct,
  settings: FileProcessingSettings,
  { values, revision }: ConsoleSecret,
  dependsOn: ITerraformDependable[],
): SecretV1 {
  return new SecretV1(scope, 'console', {
    metadata: { name: CONSOLE, namespace: settings.namespace, labels: LABELS },
    type: 'Opaque',
    dataWo: { ...values },
    dataWoRevision: Token.asNumber(revision),
    lifecycle: {
      precondition: consoleSecretVariables(settings).map((name) => ({
        condition: `\${${CONDITIONS[name].condition(values[name] ?? '')}}`,
        errorMessage: CONDITIONS[name].errorMessage,
      })),
    },
    dependsOn,
  });
}
