import { isArnOf, isRoleArn } from '@file-processing/contract/arn.ts';
import {
  BUCKET_NAME,
  isKeyPrefix,
  isKeySuffix,
  isOwnBucketName,
  KEY_PREFIX,
  KEY_SUFFIX,
} from '@file-processing/contract/s3-object.ts';
import { parseCidr } from './cidr.ts';
import { commonVariables, networkPrefix } from './common-variables.ts';
import { choice, flag, integer, type SettingsOf, text, textList, textMap } from './variable.ts';

/** Kubernetes versions that we know EKS to offer; another one is a warning, since regions differ. */
export const KNOWN_KUBERNETES_VERSIONS = ['1.32', '1.33', '1.34', '1.35'] as const;

const DNS_LABEL =
  '1 to 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit';
const isDnsLabel = (value: string): boolean => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value);

const isHostName = (value: string): boolean =>
  value.length <= 253 &&
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(value);

const IMAGE =
  /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-][a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

function isLimitedCidr(value: string): boolean {
  const cidr = parseCidr(value);
  return cidr !== undefined && cidr.prefix > 0;
}

/** Whether a text is an absolute http or https URL that SNS could deliver to. */
function isEndpointUrl(value: string): boolean {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { username, password, hash } = new URL(value);
  return username === '' && password === '' && hash === '';
}

const CPU = /^([1-9]\d*m|[1-9]\d*(\.\d{1,3})?|0\.\d{1,3})$/;
const MEMORY = /^[1-9]\d*(Mi|Gi)$/;

/** The variables of `file_processing.tfvars`. */
export const fileProcessingVariables = {
  ...commonVariables,

  foundation_name_prefix: text({
    description:
      'Prefix by which the network is found: the VPC <prefix>-vpc and its subnets <prefix>-private-*.',
    ...networkPrefix,
  }),
  vpc_id: text({
    description: 'VPC to use instead of looking one up by its name.',
    default: '',
    example: 'vpc-0a1b2c3d4e5f67890',
    allowed: 'the id of a VPC, such as vpc-0a1b2c3d4e5f67890',
    accepts: (value) => /^vpc-[0-9a-f]{8}([0-9a-f]{9})?$/.test(value),
  }),

  cluster_name: text({
    description: 'Name of the EKS cluster; names of roles and keys start with it.',
    default: 'file-processing-cluster',
    example: 'file-processing-cluster',
    allowed:
      '1 to 38 letters, digits and hyphens, starting with a letter (IAM role names, which append to it, end at 64)',
    accepts: (value) => /^[A-Za-z][A-Za-z0-9-]{0,37}$/.test(value),
  }),
  kubernetes_version: text({
    description: 'Kubernetes version of the cluster.',
    default: '1.34',
    example: '1.34',
    allowed: 'a minor version, such as 1.34',
    accepts: (value) => /^1\.[1-9]\d$/.test(value),
    unwise: (value) =>
      (KNOWN_KUBERNETES_VERSIONS as readonly string[]).includes(value)
        ? undefined
        : `not among the versions known here (${KNOWN_KUBERNETES_VERSIONS.join(', ')}); check that EKS offers it in the region, GovCloud lags behind`,
  }),
  cluster_endpoint_public_access_cidrs: textList({
    description:
      "Addresses that may reach the cluster's API from the internet. Empty keeps the endpoint private.",
    default: [],
    example: ['203.0.113.0/24'],
    allowed: 'a list of IPv4 blocks, none of them 0.0.0.0/0',
    accepts: (cidrs) => cidrs.length <= 40,
    acceptsItem: isLimitedCidr,
    unwise: (cidrs) =>
      cidrs.length === 0
        ? undefined
        : `the cluster's API can be reached from the internet by ${cidrs.join(', ')}`,
  }),
  cluster_endpoint_private_access_cidrs: textList({
    description:
      "Addresses inside the VPC, or connected to it, that may reach the cluster's private API beside the nodes: those of a bastion, a VPN, a CI runner.",
    default: [],
    example: ['10.0.0.0/24'],
    allowed: 'a list of IPv4 blocks, each once and none of them 0.0.0.0/0',
    accepts: (cidrs) => cidrs.length <= 40 && new Set(cidrs).size === cidrs.length,
    acceptsItem: isLimitedCidr,
  }),
  cluster_admin_arns: textList({
    description:
      'IAM roles that administer the cluster; the one that deploys must be among them. Empty makes the creator the administrator.',
    default: [],
    example: ['arn:aws-us-gov:iam::123456789012:role/etl-admin'],
    allowed:
      'a list of ARNs of IAM roles, each once (arn:…:iam::…:role/…; for somebody signed in by an assumed role, the role behind it)',
    accepts: (arns) => new Set(arns).size === arns.length,
    acceptsItem: isRoleArn,
  }),
  node_group_name: text({
    description: 'Name of the managed node group.',
    default: 'file-processing-nodes',
    example: 'file-processing-nodes',
    allowed: '1 to 63 letters, digits, hyphens and underscores, starting with a letter or digit',
    accepts: (value) => /^[A-Za-z0-9][\w-]{0,62}$/.test(value),
  }),
  node_instance_types: textList({
    description: 'Instance types of the nodes, in order of preference.',
    default: ['t3.medium'],
    example: ['m6i.large', 'm5.large'],
    allowed: 'a list of 1 to 20 instance types of x86-64, such as t3.medium',
    accepts: (types) => types.length >= 1 && types.length <= 20,
    acceptsItem: (value) => /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(value),
  }),
  node_min_size: integer(0, 450, {
    description: 'Fewest nodes.',
    default: 1,
    example: 2,
  }),
  node_desired_size: integer(0, 450, {
    description: 'Nodes at the first deploy; afterwards the number is left alone.',
    default: 2,
    example: 2,
  }),
  node_max_size: integer(1, 450, {
    description: 'Most nodes.',
    default: 3,
    example: 6,
  }),
  node_disk_size_gib: integer(20, 16384, {
    description: 'Size of the encrypted gp3 volume of a node.',
    unit: 'GiB',
    default: 50,
    example: 100,
  }),
  node_s3_access: flag({
    description:
      'Attaches AmazonS3FullAccess to the nodes, for debugging until the role of the ServiceAccount works. Turn it off again afterwards.',
    default: false,
    example: false,
    unwise: (on) =>
      on
        ? 'every pod on the nodes can read and write every bucket of the account; remove it once the role of the ServiceAccount is verified'
        : undefined,
  }),

  oidc_thumbprint: text({
    description:
      "SHA-1 thumbprint of the certificate of the cluster's OIDC issuer. Empty leaves it to AWS, which trusts its own issuers.",
    default: '',
    example: '0201a9f54320c2145814a507d7a3880c726eacd7',
    allowed: '40 hexadecimal digits in lower case, without colons',
    pattern: /^[0-9a-f]{40}$/,
    setAt: 'plan',
  }),
  existing_oidc_provider_arn: text({
    description:
      'OIDC provider of the cluster that others own; the stack then uses it and creates none. To manage an existing one, import it instead.',
    default: '',
    example:
      'arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.eks.us-gov-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF',
    allowed: 'the ARN of an IAM OIDC provider',
    accepts: isArnOf('iam', /^oidc-provider\/[\w./-]+$/),
  }),

  bucket_name: text({
    description: 'Bucket that the clients drop their files into. It must exist.',
    example: 'etl-ba-research-client-etl',
    allowed: BUCKET_NAME,
    accepts: isOwnBucketName,
  }),
  bucket_kms_key_arn: text({
    description: 'Key that the objects in the bucket are encrypted with, if it is one of KMS.',
    default: '',
    example:
      'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    allowed: 'the ARN of a KMS key',
    accepts: isArnOf('kms', /^key\/[\w-]+$/),
  }),
  s3_prefixes: textList({
    description:
      'Key prefixes of the files that are checked: they limit the event notifications and the read rights.',
    default: ['from_client/'],
    example: ['from_client/nm_albuquerque/'],
    allowed: `a list of 1 to 20, none inside another; each ${KEY_PREFIX}`,
    accepts: (prefixes) =>
      prefixes.length >= 1 &&
      prefixes.length <= 20 &&
      prefixes.every((one, i) => prefixes.every((other, j) => i === j || !one.startsWith(other))),
    acceptsItem: isKeyPrefix,
  }),
  s3_suffix: text({
    description:
      'Key suffix of the files that are checked. Empty takes every object below the prefixes.',
    default: '',
    example: '.csv',
    allowed: KEY_SUFFIX,
    accepts: isKeySuffix,
  }),
  report_prefix: text({
    description:
      'Folder in the bucket that reports are written to. Empty writes none and grants no right to.',
    default: 'data_quality_reports/',
    example: 'data_quality_reports/',
    allowed: `empty, or ${KEY_PREFIX}`,
    accepts: (value) => value === '' || isKeyPrefix(value),
  }),
  create_s3_notifications: flag({
    description:
      "Sends event notifications of new objects to the topic. The stack then owns the bucket's whole notification configuration and replaces what others set there.",
    default: false,
    example: true,
    unwise: (on) =>
      on
        ? undefined
        : 'nothing tells the topic about new objects until the bucket is configured otherwise',
  }),

  sns_topic_name: text({
    description: 'Name of the topic.',
    default: 'file-processing-topic',
    example: 'file-processing-topic',
    allowed:
      '1 to 68 letters, digits, hyphens and underscores (a FIFO topic takes no S3 notifications; names of queues append to it)',
    accepts: (value) => /^[\w-]{1,68}$/.test(value),
  }),
  delivery: choice(['http', 'sqs'], {
    description:
      'How the messages reach the listener: posted to a load balancer, or fetched from a queue, which needs no public endpoint and loses nothing while the listener is unavailable.',
    default: 'http',
    example: 'sqs',
  }),
  sns_endpoint_url: text({
    description:
      'URL that SNS posts to. Leave it empty on the first deploy: the load balancer must exist before a name can point at it.',
    default: '',
    example: 'https://files.example.gov/',
    allowed: 'an http or https URL without user name, password or fragment',
    accepts: isEndpointUrl,
    unwise: (url) =>
      /^http:/i.test(url)
        ? 'messages travel unencrypted; use https with tls_certificate_arn or an Ingress'
        : undefined,
  }),
  sns_retry_min_delay_seconds: integer(1, 3600, {
    description: 'Shortest wait between two attempts to deliver a message over HTTP.',
    unit: 'seconds',
    default: 5,
    example: 5,
  }),
  sns_retry_max_delay_seconds: integer(1, 3600, {
    description: 'Longest wait between two attempts to deliver a message over HTTP.',
    unit: 'seconds',
    default: 60,
    example: 60,
  }),
  sns_retries: integer(0, 100, {
    description:
      'Attempts after the first one. SNS gives up after an hour in all, so the waits must fit into 3600 seconds.',
    default: 65,
    example: 65,
  }),
  sns_max_receives_per_second: integer(0, 100_000, {
    description: 'Most deliveries a second to the endpoint; 0 sets no limit.',
    unit: 'messages a second',
    default: 0,
    example: 100,
  }),
  sns_confirmation_timeout_minutes: integer(1, 60, {
    description: 'How long a deploy waits for the endpoint to confirm its subscription.',
    unit: 'minutes',
    default: 5,
    example: 5,
  }),
  queue_visibility_timeout_seconds: integer(30, 43_200, {
    description:
      'How long a message fetched from the queue stays hidden before it is handed out again.',
    unit: 'seconds',
    default: 300,
    example: 300,
  }),
  queue_max_receive_count: integer(1, 1000, {
    description: 'Deliveries from the queue before a message goes to the dead-letter queue.',
    default: 5,
    example: 5,
  }),
  alarm_topic_arn: text({
    description: 'Topic that alarms go to. Empty makes alarms that notify nobody.',
    default: '',
    example: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:on-call',
    allowed: 'the ARN of an SNS topic',
    accepts: isArnOf('sns', /^[\w-]{1,256}$/),
    unwise: (arn) =>
      arn === '' ? 'the alarms on lost deliveries notify nobody; name a topic' : undefined,
  }),

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
    description: 'Newest images that the repository keeps.',
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

  tls_certificate_arn: text({
    description:
      'ACM certificate of the load balancer; with it, it listens on 443 with TLS instead of on 80.',
    default: '',
    example:
      'arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/0b1e6f4c-8a3d-4c0e-9a55-0f3a5d1b2c4d',
    allowed: 'the ARN of an ACM certificate',
    accepts: isArnOf('acm', /^certificate\/[\w-]+$/),
  }),
  access_logs_bucket: text({
    description:
      "Bucket of the load balancer's access logs (written for TLS listeners only). Empty writes none.",
    default: '',
    example: 'etl-access-logs',
    allowed: BUCKET_NAME,
    accepts: isOwnBucketName,
  }),
  ingress_class_name: text({
    description:
      'Class of an Ingress in place of the load balancer, for a cluster that has a controller for it.',
    default: '',
    example: 'alb',
    allowed: DNS_LABEL,
    accepts: isDnsLabel,
  }),
  ingress_host: text({
    description: 'Host of the Ingress. Empty takes it from sns_endpoint_url.',
    default: '',
    example: 'files.example.gov',
    allowed: 'a host name',
    accepts: isHostName,
  }),

  db_host: text({
    description:
      'Host of the PostgreSQL database. Empty where existing_secret_name holds the whole DATABASE_URL.',
    default: '',
    example: 'dev-postgres.abcdefghijkl.us-gov-west-1.rds.amazonaws.com',
    allowed: 'a host name or an IPv4 address',
    accepts: isHostName,
  }),
  db_port: integer(1, 65_535, {
    description: 'Port of the database.',
    default: 5432,
    example: 5432,
  }),
  db_name: text({
    description: 'Name of the database.',
    default: '',
    example: 'etl_db',
    allowed: '1 to 63 letters, digits, underscores and hyphens',
    accepts: (value) => /^[\w-]{1,63}$/.test(value),
  }),
  db_user: text({
    description: 'User of the database.',
    default: '',
    example: 'etl_user',
    allowed: '1 to 63 letters, digits, underscores, hyphens and dots',
    accepts: (value) => /^[\w.-]{1,63}$/.test(value),
  }),
  db_password: text({
    description:
      'Password of the database. Better not in a file: give it as TF_VAR_db_password. It never gets into the synthesized JSON, the plan or the state.',
    default: '',
    example: '',
    allowed: 'a string of at most 1024 characters',
    accepts: (value) => value.length <= 1024,
    sensitive: true,
  }),
  db_password_revision: integer(1, 1_000_000, {
    description:
      'Raise it by one whenever the password changes, so that the Secret is written again.',
    default: 1,
    example: 2,
    setAt: 'plan',
  }),
  existing_secret_name: text({
    description:
      'Kubernetes Secret that others make, in place of our own: with the key DB_PASSWORD, or DATABASE_URL where db_host is empty.',
    default: '',
    example: 'file-processing-database',
    allowed: DNS_LABEL,
    accepts: isDnsLabel,
  }),
  db_iam_auth: flag({
    description: 'Allows the pods to sign in to RDS as db_user by IAM (rds-db:connect).',
    default: false,
    example: true,
  }),
  db_resource_id: text({
    description: 'Resource id of the RDS instance or cluster that db_iam_auth is for.',
    default: '',
    example: 'db-ABCDEFGHIJKL01234',
    allowed: 'a resource id of RDS, such as db-ABCDEFGHIJKL01234 or cluster-ABCDEFGHIJKL01234',
    accepts: (value) => /^(db|cluster)-[A-Z0-9]+$/.test(value),
  }),
  db_security_group_id: text({
    description: 'Security group of the database; with it, the nodes are allowed in on db_port.',
    default: '',
    example: 'sg-0a1b2c3d4e5f67890',
    allowed: 'the id of a security group, such as sg-0a1b2c3d4e5f67890',
    accepts: (value) => /^sg-[0-9a-f]{8}([0-9a-f]{9})?$/.test(value),
  }),
};

/**
 * Checked settings of the file-processing stack, under the names of the tfvars file. A sensitive
 * value is not among them: `db_password` is always empty here.
 */
export type FileProcessingSettings = SettingsOf<typeof fileProcessingVariables>;
