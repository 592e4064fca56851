import { hasEndpoint } from '../../settings/file-processing/delivery.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { isKubernetes } from './stacks.ts';
import type { Output } from './terraform.ts';

/** The subscription that SNS makes only once its endpoint confirms it. */
export const HTTP_SUBSCRIPTION = 'aws_sns_topic_subscription.http';

/** The subscription of the queue that the listener fetches from. */
export const QUEUE_SUBSCRIPTION = 'aws_sns_topic_subscription.queue';

/** The queue that the listener fetches from. */
export const DELIVERY_QUEUE = 'aws_sqs_queue.deliveries';
/** Address of the queue of messages that were not taken. */
export const DEAD_LETTER_QUEUE = 'aws_sqs_queue.dead_letter';

/** A part of an apply with a plan of its own. */
export interface Phase {
  readonly title: string;
  /** Addresses that it is limited to; absent where it is the plain apply. */
  readonly targets?: readonly string[];
  /** It talks to the cluster's API. */
  readonly needsCluster: boolean;
  /** The endpoint of the subscription must answer before. */
  readonly needsEndpoint: boolean;
  /** The queue that the stack leaves must be empty before. */
  readonly needsEmptyQueue: boolean;
}

const PLAIN = { needsCluster: false, needsEndpoint: false, needsEmptyQueue: false };

/**
 * The phases in which a stack is applied, given what its state holds already: so an apply that was
 * interrupted goes on where it was. The last one is always the plain apply.
 *
 * @param wanted - addresses of everything that the stack manages
 * @param held - addresses of everything in the state
 */
export function phasesOf(wanted: readonly string[], held: readonly string[]): readonly Phase[] {
  const kubernetes = wanted.filter(isKubernetes);
  const lacks = (address: string) => !held.includes(address);
  const goes = (address: string) => held.includes(address) && !wanted.includes(address);
  const takesOver = goes(HTTP_SUBSCRIPTION) && wanted.includes(QUEUE_SUBSCRIPTION);
  const aws = [
    ...wanted.filter((address) => !isKubernetes(address) && address !== HTTP_SUBSCRIPTION),
    // What moves must be among the targets under its former address too.
    ...(takesOver ? [HTTP_SUBSCRIPTION] : []),
  ];
  const kubernetesToCome = kubernetes.length > 0 && kubernetes.every(lacks);
  const subscribes = wanted.includes(HTTP_SUBSCRIPTION) && lacks(HTTP_SUBSCRIPTION);
  const needsCluster = kubernetes.length > 0 || held.some(isKubernetes);

  const phases: Phase[] = [];
  if (kubernetesToCome && aws.some(lacks)) {
    phases.push({ ...PLAIN, title: 'AWS', targets: aws });
  }
  if (subscribes) {
    // What is there already as well: a load balancer without its certificate would not answer.
    const title = kubernetes.length > 0 ? 'Kubernetes' : 'AWS';
    phases.push({ ...PLAIN, title, targets: [...aws, ...kubernetes], needsCluster });
  }
  if (takesOver && lacks(QUEUE_SUBSCRIPTION)) {
    // Without what goes: Terraform can't put a subscription in another's place and delete what that depended on at once.
    phases.push({ ...PLAIN, title: 'queue', targets: [...aws, ...kubernetes], needsCluster });
  }
  if (goes(QUEUE_SUBSCRIPTION)) {
    // The listener goes on fetching until nothing waits any more.
    phases.push({ ...PLAIN, title: 'end of the subscription', targets: [QUEUE_SUBSCRIPTION] });
  }
  const title = subscribes
    ? 'subscription'
    : kubernetesToCome
      ? 'Kubernetes'
      : phases.length > 0
        ? 'the rest'
        : 'all';
  const needsEmptyQueue = goes(DELIVERY_QUEUE);
  return [...phases, { title, needsCluster, needsEndpoint: subscribes, needsEmptyQueue }];
}

/**
 * What is left for the operator after an apply: without an image there is no listener, and until there
 * is a URL for SNS to post to, nothing is delivered over HTTP.
 *
 * @returns `undefined` when nothing is
 */
export function nextStepOf(
  settings: FileProcessingSettings,
  outputs: Readonly<Record<string, Output>>,
): string | undefined {
  if (settings.manage_kubernetes && settings.image === '') {
    return 'npm run manage -- update-image builds the listener, pushes it and deploys it: there is no image yet';
  }
  if (!hasEndpoint(settings) || settings.sns_endpoint_url !== '') return undefined;
  const host = outputs.load_balancer_hostname?.value;
  const target =
    typeof host === 'string' && host !== ''
      ? `the load balancer ${host}`
      : 'the load balancer in front of the listener';
  return `point a name at ${target}, set sns_endpoint_url (and tls_certificate_arn) in file_processing.tfvars, and apply again: SNS subscribes the endpoint then`;
}
