import { choice, flag, integer, text, textMap } from '../variable.ts';
import { DNS_LABEL, isDnsLabel } from './forms.ts';

const IMAGE =
  /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-][a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

const CPU = /^([1-9]\d*m|[1-9]\d*(\.\d{1,3})?|0\.\d{1,3})$/;
const MEMORY = /^[1-9]\d*(Mi|Gi)$/;

/** The image of the listener and its Kubernetes objects. */
export const workloadVariables = {
  create_repository: flag({
    description: 'Makes the ECR repository of the image. False for an image from elsewhere.',
    default: true,
    example: true,
  }),
  repository_name: text({
    description: 'Name of the ECR repository.',
    default: 'file-processing',
    example: 'file-processing',
    allowed:
      '2 to 256 lower-case letters, digits, dots, hyphens, underscores and slashes, starting with a letter',
    accepts: (value) =>
      /^[a-z][a-z0-9]*([._/-][a-z0-9]+)*$/.test(value) && value.length >= 2 && value.length <= 256,
  }),
  repository_keep_images: integer(1, 1000, {
    description:
      'Newest images that the repository keeps, beside those that have a tag deployed-* (what runs, by manage) or v* (releases).',
    default: 30,
    example: 30,
  }),
  image: text({
    description:
      'Image of the listener, best by digest. container_image.txt beside the tfvars file takes precedence. Empty deploys no listener yet.',
    default: '',
    example:
      '123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/file-processing@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    allowed: 'an image reference: [registry/]name[:tag][@sha256:digest]',
    pattern: IMAGE,
    unwise: (image) =>
      image === '' || image.includes('@sha256:')
        ? undefined
        : 'a tag can be moved to another image unnoticed; name the image by its digest (@sha256:…)',
    setAt: 'plan',
  }),

  manage_kubernetes: flag({
    description:
      'Deploys the Kubernetes objects too. False makes the AWS resources alone, for those who deploy the manifests by GitOps.',
    default: true,
    example: true,
  }),
  namespace: text({
    description: 'Kubernetes namespace.',
    default: 'file-processing',
    example: 'file-processing',
    allowed: `${DNS_LABEL}, and not one of Kubernetes' own (default, kube-*)`,
    accepts: (value) => isDnsLabel(value) && value !== 'default' && !value.startsWith('kube-'),
  }),
  create_namespace: flag({
    description: 'Makes the namespace. False expects it to be there.',
    default: true,
    example: true,
  }),
  service_account_name: text({
    description: 'ServiceAccount of the pods; the IAM role trusts this one alone.',
    default: 'file-processing-sa',
    example: 'file-processing-sa',
    allowed: DNS_LABEL,
    accepts: isDnsLabel,
  }),
  annotations: textMap({
    description: 'More annotations for the namespace and the ServiceAccount.',
    default: {},
    example: { team: 'etl' },
    allowed: 'a map of annotations, without eks.amazonaws.com/role-arn, which the stack sets',
    accepts: (annotations) => !('eks.amazonaws.com/role-arn' in annotations),
  }),
  replicas: integer(1, 100, {
    description: 'Pods of the listener; with an autoscaler the fewest.',
    default: 2,
    example: 2,
    unwise: (replicas) =>
      replicas === 1 ? 'a single pod cannot be moved to another node without a gap' : undefined,
  }),
  max_replicas: integer(1, 100, {
    description: 'Most pods. More than replicas makes an autoscaler, which then owns the number.',
    default: 6,
    example: 6,
  }),
  target_cpu_percent: integer(10, 95, {
    description: 'Share of the requested CPU at which the autoscaler adds pods.',
    unit: 'percent',
    default: 70,
    example: 70,
  }),
  cpu_request: text({
    description: 'CPU that a pod is sure to get.',
    default: '250m',
    example: '500m',
    allowed: 'CPUs or thousandths of one, such as 1 or 250m',
    accepts: (value) => CPU.test(value),
  }),
  memory_limit: text({
    description: 'Memory of a pod, requested and limit alike.',
    default: '512Mi',
    example: '1Gi',
    allowed: 'a whole number with Mi or Gi',
    accepts: (value) => MEMORY.test(value),
  }),
  worker_concurrency: integer(1, 32, {
    description: 'Files that one pod checks at a time.',
    default: 2,
    example: 2,
  }),
  sns_max_age_seconds: integer(60, 1_209_600, {
    description: 'Age from which the listener refuses a message, however well it is signed.',
    unit: 'seconds',
    default: 86_400,
    example: 86_400,
  }),
  log_level: choice(['debug', 'info', 'warn', 'error'], {
    description: 'From which level on the listener logs.',
    default: 'info',
    example: 'info',
  }),
};
