/** Types and paths of the Kubernetes half, short, for tables of plants. */

export const DEPLOYMENT = 'kubernetes_deployment_v1';
export const CONFIG_MAP = 'kubernetes_config_map_v1';
export const SECRET = 'kubernetes_secret_v1';
export const SERVICE = 'kubernetes_service_v1';
export const SERVICE_ACCOUNT = 'kubernetes_service_account_v1';
export const NAMESPACE = 'kubernetes_namespace_v1';
export const POLICY = 'kubernetes_network_policy_v1';
export const BUDGET = 'kubernetes_pod_disruption_budget_v1';
export const AUTOSCALER = 'kubernetes_horizontal_pod_autoscaler_v2';
export const CRON_JOB = 'kubernetes_cron_job_v1';
export const INGRESS = 'kubernetes_ingress_v1';

/** The pod template of the Deployment. */
export const TEMPLATE = 'spec.template';
/** The pod of the Deployment. */
export const POD = `${TEMPLATE}.spec`;
/** The container that serves. */
export const MAIN = `${POD}.container.0`;
/** The container that migrates. */
export const INIT = `${POD}.init_container.0`;

/** Path of an annotation, whose key may have dots. */
export function annotation(key: string): readonly string[] {
  return ['metadata', 'annotations', key];
}

/** Path of an annotation of the network load balancer. */
export function nlb(key: string): readonly string[] {
  return annotation(`service.beta.kubernetes.io/aws-load-balancer-${key}`);
}

/** Path of an annotation of the AWS Load Balancer Controller. */
export function alb(key: string): readonly string[] {
  return annotation(`alb.ingress.kubernetes.io/${key}`);
}
