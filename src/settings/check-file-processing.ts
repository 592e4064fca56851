import { isIPv4 } from 'node:net';
import { topicIn } from '@file-processing/contract/arn.ts';
import {
  faultText,
  isListenerVariable,
  LISTENER_VARIABLES,
  PROXY_VARIABLES,
  readVariable,
  shortestRetentionDays,
} from '@file-processing/contract/listener-variables.ts';
import { areNear } from '@file-processing/contract/routing.ts';
import { readRulesLocation } from '@file-processing/contract/rule-set.ts';
import { BUCKET_NAME } from '@file-processing/contract/s3-object.ts';
import {
  bucketSetting,
  bucketsOf,
  newObjectPattern,
  ONE_BUCKET_VARIABLES,
  routingPlaces,
  trustedAccounts,
} from './buckets.ts';
import {
  arnFaults,
  type CrossFinding,
  checkFips,
  checkStateKey,
  checkTags,
  crossFindings,
  roleChecks,
  warnAccounts,
} from './check-foundation-network.ts';
import { checkNodes } from './check-nodes.ts';
import { checkNotices } from './check-notices.ts';
import { checkExistingNetwork } from './existing-network.ts';
import { trustsTokens } from './file-processing/cluster.ts';
import { DATABASE_JOB_NAMES, LISTENER_USER } from './file-processing/database.ts';
import { hasEndpoint, notifiesTopic, usesEventBridge } from './file-processing/delivery.ts';
import { nodeVariables } from './file-processing/nodes.ts';
import { CONSOLE_VARIABLES } from './file-processing/workload.ts';
import type { FileProcessingSettings } from './file-processing-variables.ts';
import { LONGEST_RETRY_SECONDS, totalRetrySeconds } from './http-retries.ts';
import { DEFAULT_KUBERNETES_VERSION, supportNotice } from './kubernetes-versions.ts';
import { MASTER_USER } from './postgres-on-demand-variables.ts';

type Name = keyof FileProcessingSettings & string;
type FileProcessingFinding = CrossFinding<Name>;

const DAY_SECONDS = 86_400;

/**
 * Faults between variables of `file_processing.tfvars`, but for those of `faulty` ones; `given` says which the
 * file names.
 */
export function checkFileProcessing(
  settings: FileProcessingSettings,
  given: ReadonlySet<string>,
  faulty: ReadonlySet<string> = new Set(),
): FileProcessingFinding[] {
  return crossFindings<FileProcessingSettings, Name>(
    [
      checkNodes,
      (valid) => checkReplicas(valid, given),
      (valid) => checkScaling(valid, given),
      (valid) => checkBuckets(valid, given),
      checkPrefixes,
      checkRules,
      checkNotices,
      checkConsole,
      checkTraces,
      checkRouting,
      checkRetries,
      checkRetention,
      checkEndpoint,
      checkTopic,
      checkNotification,
      checkIdentity,
      checkExternalId,
      (valid) => checkDatabase(valid, given),
      checkFips,
      checkStateKey,
      checkTags,
      checkEnvironment,
      checkProxy,
      checkAdministrators,
      ...ARN_VARIABLES.map((name) => (valid: FileProcessingSettings) => checkArn(valid, name)),
      checkExistingNetwork,
      (valid) => checkExistingCluster(valid, given),
      ...OF_OWN_CLUSTER.map(
        (name) => (valid: FileProcessingSettings) => checkOwnCluster(valid, given, name),
      ),
      checkKeysOfBuckets,
      checkKeysOfCopies,
      ...roleChecks<FileProcessingSettings>(
        ({ cluster_name }) => `${cluster_name}-file-processing-sa`,
      ),
    ],
    settings,
    faulty,
  );
}

/** What is allowed between the variables of `file_processing.tfvars`, or on a day, but unwise. */
export function warnFileProcessing(
  settings: FileProcessingSettings,
  secretsGiven: ReadonlySet<string>,
  now: Date,
): FileProcessingFinding[] {
  const warnings: FileProcessingFinding[] = warnAccounts({
    ...settings,
    trusted_accounts: trustedAccounts(settings),
  });
  const warn = (variable: FileProcessingFinding['variable'], message: string) =>
    warnings.push({ variable, message });
  const version = settings.kubernetes_version || DEFAULT_KUBERNETES_VERSION;
  const support = supportNotice(version, now);
  if (support && settings.create_cluster) {
    warn('kubernetes_version', `${version} ${support.message}`);
  }
  for (const [index, { account, createNotifications }] of bucketsOf(settings).entries()) {
    if (createNotifications) continue;
    const told = notifiesTopic(settings) ? 'the topic' : 'EventBridge';
    warn(
      bucketSetting(settings, index, 'create_notifications'),
      account === ''
        ? `is false: nothing tells ${told} about new objects until the bucket is configured otherwise`
        : `is false: nothing tells ${told} about new objects until account ${account} sends them, and lets the listener read them (npm run manage -- s3-configure-notifications --print)`,
    );
  }
  const ownsLoadBalancer = hasEndpoint(settings) && settings.ingress_class_name === '';
  if (
    settings.manage_kubernetes &&
    settings.create_cluster &&
    settings.cluster_endpoint_public_access_cidrs.length === 0 &&
    settings.cluster_endpoint_private_access_cidrs.length === 0
  ) {
    warn(
      'cluster_endpoint_public_access_cidrs',
      "is empty and cluster_endpoint_private_access_cidrs too: only the nodes reach the cluster's API, so nobody can deploy the Kubernetes objects; name the addresses that you deploy from",
    );
  }
  if (secretsGiven.has('db_password')) {
    warn(
      'db_password',
      'is not synthesized; give it to Terraform as TF_VAR_db_password, or this file as -var-file, and better keep it out of files',
    );
  }
  if (secretsGiven.has('otlp_headers') && settings.otlp_headers_revision === 0) {
    warn('otlp_headers', 'are sent to nobody: otlp_headers_revision is 0');
  }
  if (
    /^https:/i.test(settings.sns_endpoint_url) &&
    ownsLoadBalancer &&
    !settings.tls_certificate_arn
  ) {
    warn(
      'sns_endpoint_url',
      'is https, but the load balancer has no tls_certificate_arn and listens on port 80 only; something in front of it must end TLS',
    );
  }
  if (settings.access_logs_bucket && !settings.tls_certificate_arn) {
    warn(
      'access_logs_bucket',
      'stays empty: a network load balancer logs TLS listeners only (tls_certificate_arn)',
    );
  }
  if (!trustsTokens(settings) && settings.oidc_thumbprint) {
    warn('oidc_thumbprint', 'is not used: identity = "pod_identity" makes no OIDC provider');
  }
  if (settings.existing_oidc_provider_arn && settings.oidc_thumbprint) {
    warn(
      'oidc_thumbprint',
      'is not used: existing_oidc_provider_arn names a provider that others own',
    );
  }
  if (settings.db_iam_auth && settings.existing_secret_name) {
    warn('existing_secret_name', 'is not used: db_iam_auth needs no password');
  }
  if (settings.sns_max_age_seconds < LONGEST_RETRY_SECONDS) {
    warn(
      'sns_max_age_seconds',
      `${settings.sns_max_age_seconds} is less than the ${LONGEST_RETRY_SECONDS} seconds that SNS tries for: what it delivers at a late try is refused`,
    );
  }
  if (settings.sns_max_age_seconds > DAY_SECONDS) {
    warn(
      'sns_max_age_seconds',
      `${settings.sns_max_age_seconds} is more than a day: so long can a message be replayed by whoever has it`,
    );
  }
  if (isIPv4(settings.db_host)) {
    warn(
      'db_host',
      'is an address: its certificate can hardly be verified, which the listener insists on; name the host',
    );
  }
  if (
    settings.image &&
    settings.manage_kubernetes &&
    settings.database === 'external' &&
    !settings.db_host &&
    !settings.existing_secret_name
  ) {
    warn(
      'db_host',
      'is empty and existing_secret_name too: the listener has no database and will not become ready',
    );
  }
  return warnings;
}

/** What the stack can't decide of a cluster that others have made. */
const OF_OWN_CLUSTER: readonly Name[] = [
  ...(['vpc_id', 'private_subnet_ids', 'private_subnet_tags'] as const),
  ...(['kubernetes_version', 'cluster_support_type', 'addon_versions'] as const),
  ...(['cluster_endpoint_public_access_cidrs', 'cluster_endpoint_private_access_cidrs'] as const),
  'cluster_admin_arns',
  ...(Object.keys(nodeVariables) as (keyof typeof nodeVariables)[]),
];

function checkExistingCluster(
  { create_cluster, node_security_group_id }: FileProcessingSettings,
  given: ReadonlySet<string>,
): FileProcessingFinding[] {
  if (create_cluster && node_security_group_id !== '') {
    const message = 'must be empty with create_cluster = true: the nodes have that of the cluster';
    return [{ variable: 'node_security_group_id', message }];
  }
  if (create_cluster || given.has('cluster_name')) return [];
  return [{ variable: 'cluster_name', message: 'must be given with create_cluster = false' }];
}

function checkOwnCluster(
  settings: FileProcessingSettings,
  given: ReadonlySet<string>,
  variable: Name,
): FileProcessingFinding[] {
  if (settings.create_cluster || !given.has(variable) || isEmpty(settings[variable])) return [];
  const message = 'must be left out with create_cluster = false: the cluster belongs to others';
  return [{ variable, message }];
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
}

function checkReplicas(
  { replicas, max_replicas }: FileProcessingSettings,
  given: ReadonlySet<string>,
): FileProcessingFinding[] {
  if (!given.has('max_replicas') || max_replicas >= replicas) return [];
  return [
    {
      variable: 'max_replicas',
      message: `${max_replicas} must not be less than replicas ${replicas} (equal to it makes no autoscaler)`,
    },
  ];
}

/** Of autoscaling = "backlog" alone. */
const OF_BACKLOG: readonly Name[] = [
  'backlog_per_pod',
  'scaler_user',
  'scaler_password',
  'scaler_password_revision',
  'scaler_ssl_mode',
];

/** KEDA asks the database itself, so it has to know where that is. */
function checkScaling(
  settings: FileProcessingSettings,
  given: ReadonlySet<string>,
): FileProcessingFinding[] {
  const { autoscaling, database, db_host, db_migrator_user, scaler_user } = settings;
  const { replicas, max_replicas } = settings;
  if (autoscaling === 'cpu') {
    return OF_BACKLOG.filter((variable) => given.has(variable)).map((variable) => ({
      variable,
      message: 'is for autoscaling = "backlog" alone',
    }));
  }
  const users = [settings.db_user || LISTENER_USER, db_migrator_user, MASTER_USER];
  const faults: readonly (readonly [Name, boolean, string])[] = [
    [
      'db_host',
      database === 'external' && db_host === '',
      'must be given with autoscaling = "backlog": KEDA counts what waits in the database',
    ],
    [
      'scaler_user',
      users.includes(scaler_user),
      `${scaler_user} may do more than count what waits: name a role of its own`,
    ],
    [
      'max_replicas',
      max_replicas <= replicas,
      `must be more than replicas ${replicas} with autoscaling = "backlog"`,
    ],
    ['target_cpu_percent', given.has('target_cpu_percent'), 'is for autoscaling = "cpu" alone'],
  ];
  return faults
    .filter(([, isFault]) => isFault)
    .map(([variable, , message]) => ({ variable, message }));
}

/** A Secret that nobody reads would only be another place where it is. */
function checkTraces({
  otlp_endpoint: endpoint,
  otlp_headers_revision: revision,
}: FileProcessingSettings): FileProcessingFinding[] {
  if (endpoint !== '' || revision === 0) return [];
  const message = `${revision} is of no use without otlp_endpoint: leave it out, or name the collector`;
  return [{ variable: 'otlp_headers_revision', message }];
}

/** As the listener does at its start. */
const OF_CONSOLE = ['console_clients', 'console_variables'] as const;

/** Pods that the listener's program would refuse to start would never be ready. */
function checkConsole(settings: FileProcessingSettings): FileProcessingFinding[] {
  const { console: isServed, console_variables: given } = settings;
  const variable = 'console_variables' as const;
  if (!isServed) {
    return OF_CONSOLE.filter((name) => Object.keys(settings[name]).length > 0).map((name) => ({
      variable: name,
      message: 'must be empty without console',
    }));
  }
  const needed: readonly string[] = [
    ...(given.CONSOLE_OIDC_ISSUER === undefined
      ? []
      : ['CONSOLE_ORIGIN', 'CONSOLE_OIDC_CLIENT_ID', 'CONSOLE_GRANTS']),
    ...(given.CONSOLE_GRANTS === undefined ? [] : ['CONSOLE_ORIGIN']),
    ...(given.CONSOLE_OIDC_CLIENT_ID === undefined ? [] : ['CONSOLE_OIDC_ISSUER']),
  ];
  const missing = [...new Set(needed)].filter((name) => given[name] === undefined);
  return [
    ...CONSOLE_VARIABLES.flatMap((name) => {
      const value = given[name];
      if (value === undefined) return [];
      const read = readVariable(name, value);
      return 'fault' in read ? [{ variable, message: faultText(read.fault) }] : [];
    }),
    ...(missing.length > 0
      ? [{ variable, message: `must have ${missing.join(', ')} too, so that people can sign in` }]
      : []),
  ];
}

function checkRetention({
  retention_days,
  sns_max_age_seconds,
}: FileProcessingSettings): FileProcessingFinding[] {
  const shortest = shortestRetentionDays(sns_max_age_seconds);
  if (retention_days >= shortest) return [];
  return [
    {
      variable: 'retention_days',
      message: `${retention_days} must not be less than ${shortest}: a message could be forgotten and then be taken a second time`,
    },
  ];
}

function checkBuckets(
  settings: FileProcessingSettings,
  given: ReadonlySet<string>,
): FileProcessingFinding[] {
  const { buckets, bucket_name } = settings;
  if (buckets.length === 0) {
    if (bucket_name !== '') return [];
    return [{ variable: 'bucket_name', message: `is required; must be ${BUCKET_NAME}` }];
  }
  const both = Object.entries(ONE_BUCKET_VARIABLES)
    .filter(([, variable]) => given.has(variable))
    .map(([attribute, variable]) => ({
      variable,
      message: `must not be given with buckets, each of which has its own ${attribute}`,
    }));
  const names = buckets.map(({ name }) => name);
  return [
    ...both,
    ...bucketsOf(settings).flatMap(({ name, account, createNotifications }, index) => {
      const findings: FileProcessingFinding[] = [];
      const first = names.indexOf(name);
      if (first < index) {
        findings.push({
          variable: bucketSetting(settings, index, 'name'),
          message: `${name} is that of buckets[${first}] too; give one entry all its prefixes`,
        });
      }
      if (account !== '' && createNotifications) {
        findings.push({
          variable: bucketSetting(settings, index, 'create_notifications'),
          message: `must be false: the bucket is of account ${account}, which alone configures it`,
        });
      }
      return findings;
    }),
  ];
}

function checkPrefixes(settings: FileProcessingSettings): FileProcessingFinding[] {
  const { report_prefix } = settings;
  if (report_prefix === '') return [];
  return bucketsOf(settings).flatMap(({ prefixes }, index) =>
    prefixes
      .filter((prefix) => report_prefix.startsWith(prefix) || prefix.startsWith(report_prefix))
      .map((prefix) => ({
        variable: 'report_prefix',
        message: `${report_prefix} must lie outside ${bucketSetting(settings, index, 'prefixes')} (${prefix}), or S3 would send an event notification for each report`,
      })),
  );
}

/** What is copied must look neither like a delivery nor like a report or a rule, and its bucket has one owner and one key. */
function checkRouting(settings: FileProcessingSettings): FileProcessingFinding[] {
  const { report_prefix, routing_targets } = settings;
  const rules = readRulesLocation(settings.rules_location);
  return routing_targets.flatMap((target, index): FileProcessingFinding[] => {
    const { bucket, prefix } = target;
    const others = [
      ...bucketsOf(settings).flatMap(({ name, prefixes }, at) => [
        ...prefixes.map((other) => ({
          bucket: name,
          prefix: other,
          where: `${bucketSetting(settings, at, 'prefixes')} (${other}), where clients deliver`,
        })),
        ...(report_prefix === ''
          ? []
          : [
              {
                bucket: name,
                prefix: report_prefix,
                where: `report_prefix (${report_prefix}), where reports are written`,
              },
            ]),
      ]),
      ...(rules !== undefined && 'bucket' in rules
        ? [{ ...rules, where: `rules_location (${rules.prefix}), where rules are read` }]
        : []),
    ];
    const findings = others
      .filter((other) => areNear({ bucket, prefix }, other))
      .map(
        ({ where }): FileProcessingFinding => ({
          variable: `routing_targets[${index}].prefix`,
          message: `${prefix} must lie outside ${where}`,
        }),
      );
    const places = routingPlaces(settings);
    const own = bucketsOf(settings).find(({ name }) => name === bucket);
    for (const attribute of ['account', 'keyArn'] as const) {
      const setting = attribute === 'account' ? 'account_id' : 'kms_key_arn';
      const first = places.find((place) => place.bucket === bucket);
      const expected = own?.[attribute] ?? first?.[attribute];
      if (places[index]?.[attribute] === expected) continue;
      findings.push({
        variable: `routing_targets[${index}].${setting}`,
        message: `must be ${expected || 'empty'}, as the bucket ${bucket} has it elsewhere in the settings`,
      });
    }
    return findings;
  });
}

/** Whoever delivers could write rules, and reports and rules would be in each other's way. */
function checkRules(settings: FileProcessingSettings): FileProcessingFinding[] {
  const location = readRulesLocation(settings.rules_location);
  if (location === undefined || !('bucket' in location)) {
    const message = 'needs rules_location: it is the key of the objects there';
    return settings.rules_kms_key_arn === '' ? [] : [{ variable: 'rules_kms_key_arn', message }];
  }
  const { bucket, prefix } = location;
  const isNear = (other: string) =>
    other !== '' && (prefix.startsWith(other) || other.startsWith(prefix));
  return bucketsOf(settings).flatMap(({ name, prefixes }, index): FileProcessingFinding[] => {
    if (name !== bucket) return [];
    const others = [
      ...prefixes.map((other) => ({
        other,
        where: `${bucketSetting(settings, index, 'prefixes')} (${other}), where clients deliver`,
      })),
      {
        other: settings.report_prefix,
        where: `report_prefix (${settings.report_prefix}), which the listener writes`,
      },
    ];
    return others
      .filter(({ other }) => isNear(other))
      .map(({ where }) => ({
        variable: 'rules_location',
        message: `${prefix} must lie outside ${where}`,
      }));
  });
}

function checkRetries(settings: FileProcessingSettings): FileProcessingFinding[] {
  const { sns_retry_min_delay_seconds: min, sns_retry_max_delay_seconds: max } = settings;
  if (min > max) {
    return [
      {
        variable: 'sns_retry_min_delay_seconds',
        message: `${min} must not be more than sns_retry_max_delay_seconds ${max}`,
      },
    ];
  }
  const retries = settings.sns_retries;
  const total = totalRetrySeconds({ minDelaySeconds: min, maxDelaySeconds: max, retries });
  if (total <= LONGEST_RETRY_SECONDS) return [];
  return [
    {
      variable: 'sns_retries',
      message: `${retries} retries with waits of ${min} to ${max} seconds take ${total} seconds; must be at most ${LONGEST_RETRY_SECONDS} in all`,
    },
  ];
}

function checkEndpoint(settings: FileProcessingSettings): FileProcessingFinding[] {
  const findings: FileProcessingFinding[] = [];
  const refuse = (names: readonly Name[], message: string) => {
    for (const variable of names)
      if (settings[variable] !== '') findings.push({ variable, message });
  };
  if (!hasEndpoint(settings)) {
    refuse(
      [
        'sns_endpoint_url',
        'tls_certificate_arn',
        'access_logs_bucket',
        'load_balancer_class',
        'ingress_class_name',
        'ingress_host',
      ],
      'must be empty with delivery = "sqs", which has no endpoint; both_deliveries = true keeps it during a switch',
    );
    return findings;
  }
  if (settings.ingress_class_name !== '') {
    refuse(
      ['tls_certificate_arn', 'access_logs_bucket', 'load_balancer_class'],
      'must be empty with ingress_class_name: the Ingress takes the place of the load balancer',
    );
    if (settings.ingress_host === '' && settings.sns_endpoint_url === '') {
      findings.push({
        variable: 'ingress_host',
        message: 'must be given with ingress_class_name as long as sns_endpoint_url is empty',
      });
    }
  } else {
    refuse(['ingress_host'], 'must be empty without ingress_class_name');
  }
  if (settings.image === '' && settings.manage_kubernetes) {
    refuse(['sns_endpoint_url'], 'must be empty as long as image is: nothing could confirm it');
  }
  if (settings.tls_certificate_arn !== '' && /^http:/i.test(settings.sns_endpoint_url)) {
    findings.push({
      variable: 'sns_endpoint_url',
      message:
        'must be https with tls_certificate_arn: the load balancer then listens on port 443 only',
    });
  }
  return findings;
}

/** The AWS CLI signs in to a cluster as a role, but has no option for an external id (aws-cli issue 5942). */
function checkExternalId(settings: FileProcessingSettings): FileProcessingFinding[] {
  const { assume_role_arn, assume_role_external_id, manage_kubernetes } = settings;
  if (assume_role_arn === '' || assume_role_external_id === '' || !manage_kubernetes) return [];
  return [
    {
      variable: 'assume_role_external_id',
      message:
        'must be empty with manage_kubernetes = true: aws eks get-token can give none; make a profile of the AWS CLI with role_arn and external_id, and name it in aws_profile in place of assume_role_arn',
    },
  ];
}

function checkIdentity(settings: FileProcessingSettings): FileProcessingFinding[] {
  if (trustsTokens(settings) || settings.existing_oidc_provider_arn === '') return [];
  return [
    {
      variable: 'existing_oidc_provider_arn',
      message:
        'must be empty with identity = "pod_identity", which needs no provider; both_identities = true keeps it during a switch',
    },
  ];
}

/** Characters of an event pattern, where no higher quota was asked for (Amazon EventBridge User Guide, "Quotas"). */
const LONGEST_PATTERN = 2048;

function checkNotification(settings: FileProcessingSettings): FileProcessingFinding[] {
  if (!usesEventBridge(settings)) return [];
  const { account_id, delivery, existing_topic_arn, sns_topic_name } = settings;
  const way =
    settings.notification === 'eventbridge'
      ? 'notification = "eventbridge"'
      : 'both_notifications = true';
  const owners = Map.groupBy(bucketsOf(settings), ({ account }) => account);
  const longest = Math.max(
    ...[...owners].map(
      ([owner, buckets]) => JSON.stringify(newObjectPattern(buckets, owner || account_id)).length,
    ),
  );
  const faults: readonly (readonly [Name, boolean, string])[] = [
    [
      'delivery',
      delivery !== 'sqs',
      `must be "sqs" with ${way}: EventBridge sends to the queue, and nothing else may be unsigned`,
    ],
    [
      'account_id',
      account_id === '',
      `must be given with ${way}: the listener takes events of buckets of that account alone`,
    ],
    [
      'existing_topic_arn',
      existing_topic_arn !== '' && !notifiesTopic(settings),
      `must be empty with ${way}, which needs no topic of others; both_notifications = true keeps it during a switch`,
    ],
    [
      'sns_topic_name',
      sns_topic_name.length > 52,
      `must have at most 52 characters with ${way}: the name of a rule begins with it`,
    ],
    [
      settings.buckets.length > 0 ? 'buckets' : 's3_prefixes',
      longest > LONGEST_PATTERN,
      `make an event pattern of ${longest} characters, EventBridge takes ${LONGEST_PATTERN}: name fewer prefixes, or the same ones for several buckets`,
    ],
  ];
  return faults
    .filter(([, isFaulty]) => isFaulty)
    .map(([variable, , message]) => ({ variable, message }));
}

/** To name the stack's own topic as one of others would destroy it. */
function checkTopic(settings: FileProcessingSettings): FileProcessingFinding[] {
  const { account_id, aws_region, existing_topic_arn, sns_topic_name } = settings;
  const own = topicIn(aws_region, account_id, sns_topic_name).arn;
  if (account_id === '' || existing_topic_arn !== own) return [];
  return [
    {
      variable: 'existing_topic_arn',
      message: `${own} is the topic that the stack makes without it; leave it out, or give sns_topic_name another name`,
    },
  ];
}

/** What the stack postgres-on-demand says of its database, or makes needless. */
const OF_EXTERNAL_DATABASES: readonly Name[] = [
  'db_host',
  'db_port',
  'db_name',
  'db_password',
  'db_password_revision',
  'db_iam_auth',
  'db_resource_id',
  'db_security_group_id',
  'existing_secret_name',
];

function checkEnvironment({ extra_environment }: FileProcessingSettings): FileProcessingFinding[] {
  const owned = Object.keys(extra_environment).filter(isListenerVariable);
  if (owned.length === 0) return [];
  return [
    {
      variable: 'extra_environment',
      message: `${owned.join(', ')} must be left out: they are the listener's own, which settings fill. Its own are ${[...Object.keys(LISTENER_VARIABLES), ...PROXY_VARIABLES].join(', ')}`,
    },
  ];
}

function checkProxy({ http_proxy, no_proxy }: FileProcessingSettings): FileProcessingFinding[] {
  if (no_proxy.length === 0 || http_proxy !== '') return [];
  return [{ variable: 'no_proxy', message: 'must be empty without http_proxy' }];
}

function checkDatabase(
  settings: FileProcessingSettings,
  given: ReadonlySet<string>,
): FileProcessingFinding[] {
  if (settings.database === 'on_demand') {
    return [
      ...OF_EXTERNAL_DATABASES.filter((variable) => given.has(variable)).map((variable) => ({
        variable,
        message: 'is for a database of your own; leave it out with database = "on_demand"',
      })),
      ...checkDatabaseJobs(settings),
    ];
  }
  const findings: FileProcessingFinding[] = given.has('db_migrator_user')
    ? [{ variable: 'db_migrator_user', message: 'is for database = "on_demand" alone' }]
    : [];
  const need = (names: readonly Name[], reason: string) => {
    for (const variable of names) {
      if (settings[variable] === '')
        findings.push({ variable, message: `must be given ${reason}` });
    }
  };
  if (settings.db_host !== '') need(['db_name', 'db_user'], 'with db_host');
  if (settings.db_iam_auth) need(['db_host', 'db_user', 'db_resource_id'], 'with db_iam_auth');
  if (settings.db_security_group_id !== '') need(['db_host'], 'with db_security_group_id');
  return findings;
}

/** A listener that could sign in as the one who migrates, or assume its role, would be that one. */
function checkDatabaseJobs(settings: FileProcessingSettings): FileProcessingFinding[] {
  const { db_user, db_migrator_user, service_account_name } = settings;
  const findings: FileProcessingFinding[] = [];
  const listener = db_user || LISTENER_USER;
  if (db_user === MASTER_USER) {
    findings.push({
      variable: 'db_user',
      message: `${db_user} administers the database: name another user`,
    });
  }
  if ([listener, MASTER_USER].includes(db_migrator_user)) {
    const whose = db_migrator_user === MASTER_USER ? 'administers the database' : 'is db_user too';
    findings.push({
      variable: 'db_migrator_user',
      message: `${db_migrator_user} ${whose}: name another user`,
    });
  }
  if (Object.values<string>(DATABASE_JOB_NAMES).includes(service_account_name)) {
    const message = `${service_account_name} is the ServiceAccount of a Job that prepares the database`;
    findings.push({ variable: 'service_account_name', message });
  }
  return findings;
}

const ARN_VARIABLES = [
  'existing_oidc_provider_arn',
  'alarm_topic_arn',
  'existing_topic_arn',
  'tls_certificate_arn',
  'volume_kms_key_arn',
  'rules_kms_key_arn',
  'notice_topic_arn',
  'notice_topic_kms_key_arn',
] as const;
/** The listener publishes notices in the region of their topic; all else is of use in its own region alone. */
const IN_ANY_REGION: readonly string[] = ['notice_topic_arn', 'notice_topic_kms_key_arn'];

function checkArn(
  settings: FileProcessingSettings,
  name: (typeof ARN_VARIABLES)[number],
): FileProcessingFinding[] {
  return arnFaults('aws_region', settings.aws_region, [[name, settings[name]]], IN_ANY_REGION);
}

function checkAdministrators({
  aws_region,
  cluster_admin_arns,
}: FileProcessingSettings): FileProcessingFinding[] {
  const arns = cluster_admin_arns.map((arn) => ['cluster_admin_arns', arn] as const);
  return arnFaults('aws_region', aws_region, arns);
}

function checkKeysOfBuckets(settings: FileProcessingSettings): FileProcessingFinding[] {
  const arns = bucketsOf(settings).map(
    ({ keyArn }, index) => [bucketSetting(settings, index, 'kms_key_arn'), keyArn] as const,
  );
  return arnFaults('aws_region', settings.aws_region, arns);
}

function checkKeysOfCopies({
  aws_region,
  routing_targets,
}: FileProcessingSettings): FileProcessingFinding[] {
  const arns = routing_targets.map(
    ({ kms_key_arn }, index) => [`routing_targets[${index}].kms_key_arn`, kms_key_arn] as const,
  );
  return arnFaults('aws_region', aws_region, arns);
}
