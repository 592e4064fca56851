import { CONSOLE } from '@file-processing/contract/listener-interface.ts';
import { EXIT, OperationError } from '../operation-error.ts';

/** A Deployment, as far as a rollout goes (Kubernetes API, Deployment). */
export interface Deployment {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template: {
      readonly spec: {
        readonly serviceAccountName?: string;
        readonly containers: readonly {
          readonly image: string;
          readonly args?: readonly string[];
        }[];
      };
    };
  };
}

/**
 * The listener's Deployment: the one whose pods have the stack's ServiceAccount, whatever its name, and serve no pages.
 *
 * @param deployments - those of the stack's namespace
 * @throws OperationError when there is none, or more than one (EXIT.refused)
 */
export function listenerDeployment(
  deployments: readonly Deployment[],
  serviceAccount: string,
): Deployment {
  const [found, ...others] = deployments.filter(
    ({ spec: { template } }) =>
      template.spec.serviceAccountName === serviceAccount && !isConsole(template.spec.containers),
  );
  if (found === undefined) {
    throw new OperationError(`no Deployment has the ServiceAccount ${serviceAccount}`, {
      next: 'an environment without image deploys none: npm run manage -- update-image',
    });
  }
  if (others.length > 0) {
    const names = [found, ...others].map(({ metadata }) => metadata.name).join(', ');
    throw new OperationError(
      `several Deployments have the ServiceAccount ${serviceAccount}: ${names}`,
      {
        next: 'the IAM role is meant for the listener alone; give the others a ServiceAccount of their own',
        code: EXIT.refused,
      },
    );
  }
  return found;
}

/** Whether some containers serve pages: the console has the ServiceAccount of the listener. */
export function isConsole(containers: readonly { readonly args?: readonly string[] }[]): boolean {
  return containers.some(({ args = [] }) => args[0] === CONSOLE.command);
}

/** A label selector, as kubectl takes it. */
export function selectorOf({ spec }: Deployment): string {
  return Object.entries(spec.selector.matchLabels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/**
 * Whether every pod is of the newest version and available, and none is left of the one before: what
 * `kubectl rollout status` waits for. (With --watch=false it ends with 0 either way.)
 */
export function isRolledOut({ metadata, spec, status = {} }: Deployment): boolean {
  const {
    observedGeneration = 0,
    replicas = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
  } = status;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedReplicas >= (spec.replicas ?? 1) &&
    replicas <= updatedReplicas &&
    availableReplicas >= updatedReplicas
  );
}
