import { BOOTSTRAP, MIGRATE } from '@file-processing/contract/listener-interface.ts';
import type { VariableName } from '@file-processing/contract/listener-variables.ts';
import { isOfIdentity } from '@file-processing/contract/notices.ts';
import { readRoutingTargets } from '@file-processing/contract/routing.ts';
import { readRulesLocation } from '@file-processing/contract/rule-set.ts';
import { decodeKeyFilter } from '@file-processing/contract/s3-object.ts';
import {
  type Model,
  type Resource,
  type StackModel,
  valueAt,
} from '../../../src/synthesized/model/model.ts';
import {
  arnOf,
  canonical,
  OWN_ACCOUNT,
  policiesOf,
  statementsOf,
  statementsOfRole,
  topicsOfOthers,
} from '../../policy/policies.ts';
import {
  allows,
  matchesPattern,
  type PolicyStatement,
  parseJson,
  requiredValues,
} from '../../policy/policy-document.ts';
import { isOfOthers, isTakenFrom } from '../messaging/queues.ts';
import { bucketsIn, listenersOf, servers, takesDeliveries } from '../readers/listeners.ts';
import { isAutoscalerRole, itemsOf, listOf, neighbours, read } from '../readers/resources.ts';
import { type Audited, type Rule, rule } from '../rule.ts';
import { grants, type Need, needs } from './roles.ts';
import { roleOfServiceAccount } from './service-accounts.ts';
import actions from './workload-role.json' with { type: 'json' };

/** What the pods of a stack are for, as its notifications, subscriptions and ConfigMaps tell. */
interface Job {
  /** ARNs of buckets, and key prefixes in each with an event notification, or that a ConfigMap names. */
  readonly readPrefixes: ReadonlyMap<string, readonly string[]>;
  /** ARN of the prefix that the rule set is read from; undefined where it comes otherwise. */
  readonly rules: string | undefined;
  /** Undefined where no ConfigMap is there to tell. */
  readonly told: Told | undefined;
}

/** What a ConfigMap tells of the work of pods; texts are empty for none. */
interface Told {
  /** Key prefix that reports are written to. */
  readonly reportPrefix: string;
  /** Whether deliveries may be tagged. */
  readonly tags: boolean;
  /** ARNs of the prefixes that files may be copied to. */
  readonly targets: readonly string[];
  /** Whether reports may be deleted there. */
  readonly forgetsReports: boolean;
  readonly databaseUser: string;
  /** Topic that gets notices. */
  readonly topicArn: string;
  /** Sender of notices that go by SES. */
  readonly sender: string;
}

/** Reads of a stack what its pods are for; undefined where nothing tells. */
function jobOf(model: Model, stackName: string): Job | undefined {
  const stack = model.stackOf({ stack: stackName });
  const setting = (name: VariableName) => configured(model, stackName, name);
  const notified = neighbours(model, { stack: stackName }, 'aws_s3_bucket_notification').flatMap(
    (notification) =>
      listOf(read(model, notification).at('topic')).map((block) => ({
        name: canonical(stack, notification.attributes.bucket),
        prefix: decodeKeyFilter(String(valueAt(block, 'filter_prefix') ?? '')),
      })),
  );
  const buckets = bucketsIn(setting);
  const named = buckets.flatMap(({ name, prefixes }) =>
    ['', ...prefixes].map((prefix) => ({ name, prefix })),
  );
  const byBucket = Map.groupBy([...notified, ...named], ({ name }) => bucketArn(stack, name));
  // Without a ConfigMap only a notification says what in a bucket is read.
  const publishing = statementsOf(model, 'topic')
    .filter((placed) => placed.stack === stackName)
    .flatMap(({ statement }) => requiredValues(statement, 'aws:SourceArn'));
  // A topic of others tells nothing.
  const isTold = publishing.length > 0 && publishing.every((arn) => byBucket.has(arn));
  const isKnown = buckets.length > 0 || isTold;
  if (byBucket.size === 0 || !isKnown) return undefined;
  return {
    readPrefixes: new Map(
      [...byBucket].map(([arn, places]) => [
        arn,
        [...new Set(places.map(({ prefix }) => prefix))].filter(Boolean),
      ]),
    ),
    rules: rulesArn(stack, setting('RULES_LOCATION')),
    told: buckets.length === 0 ? undefined : toldBy(stack, setting),
  };
}

function toldBy(stack: StackModel, setting: (name: VariableName) => string): Told {
  const targets = readRoutingTargets(setting('ROUTING_TARGETS')) ?? [];
  return {
    // Without the switch nothing is written, and a right to write is one too many.
    reportPrefix: setting('WRITE_REPORTS') === 'true' ? setting('REPORT_PREFIX') : '',
    tags: setting('ROUTING_TAGS') === 'true',
    targets: targets.map(({ bucket, prefix }) => `${bucketArn(stack, bucket)}/${prefix}`),
    forgetsReports: setting('FORGET_REPORTS') === 'true',
    databaseUser: setting('DB_IAM_AUTH') === 'true' ? setting('DB_USER') : '',
    topicArn: setting('NOTICE_TOPIC_ARN'),
    sender: setting('NOTICE_EMAIL') === 'ses' ? setting('NOTICE_EMAIL_FROM') : '',
  };
}

function bucketArn({ partition }: { readonly partition: string }, name: string): string {
  return `arn:${partition}:s3:::${name}`;
}

/** ARN of the prefix that RULES_LOCATION names; undefined for a folder, and for none. */
function rulesArn(
  { partition }: { readonly partition: string },
  location: string,
): string | undefined {
  const read = readRulesLocation(location);
  if (read === undefined || !('bucket' in read)) return undefined;
  return `arn:${partition}:s3:::${read.bucket}/${read.prefix}`;
}

/** What an output tells the owner of a bucket. */
interface OwnersPart {
  readonly account: string;
  readonly notifications?: unknown;
  readonly eventRule?: { readonly Name: string };
}

/** What the outputs of a stack tell owners of buckets, by the name of the bucket. */
function ownersParts({ json }: StackModel): readonly (readonly [string, OwnersPart])[] {
  return Object.values(json.output ?? {}).flatMap(({ value }) =>
    Object.entries<OwnersPart>(Object(parseJson(value))),
  );
}

/**
 * ARNs of the buckets that a ConfigMap names, or what the stack tells owners of buckets, with the accounts of those
 * that are not of the stack's.
 */
export function toldBuckets(
  model: Model,
  stackName: string,
): ReadonlyMap<string, string | undefined> {
  const stack = model.stackOf({ stack: stackName });
  const buckets = bucketsIn((name) => configured(model, stackName, name));
  const owned = ownersParts(stack)
    // Nothing is delivered to a bucket that is copied to alone.
    .filter(([, part]) => Object(part).notifications !== undefined);
  return new Map([
    ...owned.map(([name, { account }]) => [bucketArn(stack, name), account] as const),
    ...buckets.map(({ name, account }) => [bucketArn(stack, name), account] as const),
  ]);
}

/** ARNs of the rules of EventBridge that the stack tells owners of buckets to make, with their accounts. */
export function toldRules(model: Model, stackName: string): ReadonlyMap<string, string> {
  const stack = model.stackOf({ stack: stackName });
  const { partition, region } = stack;
  return new Map(
    ownersParts(stack).flatMap(([, part]) => {
      const { account, eventRule } = Object(part) as Partial<OwnersPart>;
      if (account === undefined || eventRule === undefined) return [];
      return [[`arn:${partition}:events:${region}:${account}:rule/${eventRule.Name}`, account]];
    }),
  );
}

/** A variable of the listener's environment; empty where no ConfigMap has it. */
export function configured(model: Model, stackName: string, name: VariableName): string {
  const stack = model.stackOf({ stack: stackName });
  return (
    neighbours(model, { stack: stackName }, 'kubernetes_config_map', 'kubernetes_config_map_v1')
      .map(({ attributes }) => canonical(stack, valueAt(attributes.data, name)))
      .find((value) => value !== '') ?? ''
  );
}

const { about: _, ...actionsOfListener } = actions;
const { reading: READING, listing: LISTING, taking: TAKING, deleting: DELETING } = actions;
const { copying: COPYING, tagging: TAGGING } = actions;

/** Whatever the role may be for. */
const ACTIONS: readonly string[] = Object.values(actionsOfListener).flat();

/** Below the report prefix; where it is not known, below any key prefix without an event notification. */
function mayWrite(job: Job | undefined, resource: string): boolean {
  if (job === undefined) return true;
  const reportPrefix = job.told?.reportPrefix;
  return [...job.readPrefixes].some(([bucket, prefixes]) => {
    if (reportPrefix !== undefined)
      return reportPrefix !== '' && resource === `${bucket}/${reportPrefix}*`;
    const folder = resource.slice(`${bucket}/`.length).replace(/\*$/, '');
    return (
      resource.startsWith(`${bucket}/`) &&
      folder.endsWith('/') &&
      !prefixes.some((prefix) => prefix.startsWith(folder) || folder.startsWith(prefix))
    );
  });
}

/** Where files are copied to; where no ConfigMap is there to tell, any folder that {@link mayWrite} allows or of another bucket. */
function isTarget(job: Job | undefined, resource: string): boolean {
  if (job?.told !== undefined) {
    return job.told.targets.some((target) => resource === `${target}*`);
  }
  if (job === undefined || mayWrite(job, resource)) return true;
  const [bucket = ''] = resource.split('/');
  return !job.readPrefixes.has(bucket) && /^arn:[^:]+:s3:::[^/*]+\/[^*]+\/\*$/.test(resource);
}

/** Whether the role may do that with tags, or with what is left of an upload. */
function mayTag(job: Job | undefined, action: string, resource: string): boolean {
  const isRead = [...(job?.readPrefixes ?? [])].some(([bucket, prefixes]) =>
    prefixes.some((prefix) => resource === `${bucket}/${prefix}*`),
  );
  // Without a ConfigMap and without an event notification nothing says what is read.
  if (TAGGING.includes(action) && (job === undefined || isRead)) return job?.told?.tags !== false;
  return COPYING.includes(action) && isTarget(job, resource);
}

/** The prefix of the rule set; where no ConfigMap is there to tell, any folder. */
function mayReadRules(job: Job | undefined, resource: string): boolean {
  if (job?.rules !== undefined) return resource === `${job.rules}*`;
  const isUnknown = job?.told === undefined;
  return isUnknown && /^arn:[^:]+:s3:::[^/*]+\/[^*]+\/\*$/.test(resource);
}

function workloadRoles({ model }: { readonly model: Model }): readonly Resource[] {
  const federated = policiesOf(model).filter(
    ({ kind, document }) =>
      kind === 'trust' &&
      document?.statements.some(({ principals = [] }) =>
        principals.some(({ type }) => type === 'Federated'),
      ),
  );
  return federated.map(({ holder }) => holder).filter((role) => !isAutoscalerRole(role));
}

function storageNeeds(model: Model, { stack }: Resource, { readPrefixes, rules, told }: Job) {
  const forgetting = told?.forgetsReports ? DELETING : [];
  return [
    ...[...readPrefixes].flatMap(([bucket, prefixes]) => [
      ...needs(bucket, ...LISTING),
      ...prefixes.flatMap((prefix) =>
        needs(`${bucket}/${prefix}x`, ...READING, ...(told?.tags ? TAGGING : [])),
      ),
      ...(told?.reportPrefix
        ? needs(`${bucket}/${told.reportPrefix}x`, 's3:PutObject', ...forgetting)
        : []),
    ]),
    ...(told?.targets ?? []).flatMap((target) => needs(`${target}x`, ...COPYING, ...forgetting)),
    ...(rules ? needs(`${rules}x`, 's3:GetObject') : []),
    ...(told?.topicArn ? needs(told.topicArn, 'sns:Publish') : []),
    ...(told?.databaseUser
      ? needs(databaseArn(model, stack, told.databaseUser), 'rds-db:connect')
      : []),
  ];
}

/** Identity of SES that a resource is; undefined for any other, and for several. */
function identityOf(resource: string): string | undefined {
  return /^arn:[^:]+:ses:[^:]+:[^:]+:identity\/([^*]+)$/.exec(resource)?.[1];
}

/** A right to send is one to send as the sender of the settings, by an identity that the sender belongs to. */
function mailFaults(statement: PolicyStatement, job: Job | undefined): readonly string[] {
  if (!statement.actions.includes('ses:SendEmail')) return [];
  const senders = requiredValues(statement, 'ses:FromAddress');
  const sender = job?.told?.sender;
  return [
    ...(senders.length === 0 ? ['sends e-mail without a condition on ses:FromAddress'] : []),
    ...senders
      .filter((one) => sender !== undefined && one !== sender)
      .map((one) => `sends e-mail as ${one}, more than it works with`),
    ...statement.resources
      .filter((resource) => {
        const identity = identityOf(resource);
        return identity === undefined || senders.some((one) => !isOfIdentity(one, identity));
      })
      .map((resource) => `ses:SendEmail on ${resource} is more than it works with`),
  ].map((fault) => `${statement.sid}: ${fault}`);
}

/** Whether mail of a sender may go out by SES. */
function maySend(statements: readonly PolicyStatement[], sender: string): boolean {
  return statements.some(
    (statement) =>
      allows(statement, 'ses:SendEmail') &&
      requiredValues(statement, 'ses:FromAddress').every((one) => one === sender) &&
      statement.resources.some((resource) => isOfIdentity(sender, identityOf(resource) ?? '?')),
  );
}

const PREPARATION = /^(secretsmanager:GetSecretValue|rds-db:connect|kms:Decrypt)$/;

/** What a role is for whose pods only prepare the database, by their commands; undefined for any other role. */
function preparationNeeds(audited: Audited, role: Resource): readonly Need[] | undefined {
  const stack = audited.model.stackOf(role);
  const pods = listenersOf(audited).filter(
    ({ pod }) => roleOfServiceAccount(audited, pod) === role,
  );
  const prepared = pods.map(({ spec, setting }): readonly Need[] | undefined => {
    const user = setting('DB_USER') ?? '';
    const secret = canonical(stack, setting('DB_MASTER_SECRET_ARN'));
    if (spec.args?.[0] === BOOTSTRAP) return needs(secret, 'secretsmanager:GetSecretValue');
    if (spec.args?.[0] !== MIGRATE.command) return undefined;
    return needs(databaseArn(audited.model, role.stack, user), 'rds-db:connect');
  });
  // Others deploy the pods, or there is no image yet: what the role may do has to say what it is for.
  if (!listenersOf(audited).some((listener) => listener.stack === role.stack)) {
    const own = statementsOfRole(audited.model, role).flatMap(({ statement }) =>
      statement.resources.flatMap((on) => needs(on, ...statement.actions)),
    );
    const prepares = own.every(
      ({ action, on }) =>
        PREPARATION.test(action) && !on.replaceAll(/\$\{[^}]*\}/g, '').includes('*'),
    );
    return prepares && own.length > 0
      ? own.filter(({ action }) => action !== 'kms:Decrypt')
      : undefined;
  }
  if (prepared.length === 0 || prepared.includes(undefined)) return undefined;
  return prepared.flatMap((need) => need ?? []);
}

/** Rights beyond those: the key of the secret may be used by way of Secrets Manager. */
function preparationFaults(
  statements: readonly PolicyStatement[],
  known: readonly Need[],
): readonly string[] {
  return statements.flatMap((statement) => {
    const byService = requiredValues(statement, 'kms:ViaService');
    const isKey = byService.length > 0 && byService.every((host) => /^secretsmanager\./.test(host));
    return statement.actions.flatMap((action) =>
      statement.resources
        .filter(
          (resource) =>
            !known.some((need) => need.action === action && need.on === resource) &&
            !(action === 'kms:Decrypt' && isKey && !resource.includes('*')),
        )
        .map((resource) => `${statement.sid}: ${action} on ${resource} is more than it works with`),
    );
  });
}

/** What the settings of the listeners with a role call for. */
function listenerNeeds(audited: Audited, role: Resource): readonly Need[] {
  const { model } = audited;
  const stack = model.stackOf(role);
  return servers(audited)
    .filter(({ pod }) => roleOfServiceAccount(audited, pod) === role)
    .flatMap((listener) => {
      const { setting } = listener;
      const queue = stack.target(setting('SQS_QUEUE_URL'));
      const topics = takesDeliveries(listener, audited) ? itemsOf(setting('SNS_TOPIC_ARNS')) : [];
      return [
        ...bucketsIn(setting).flatMap(({ name, prefixes }) => {
          const bucket = bucketArn(stack, canonical(stack, name));
          const reports = `${bucket}/${setting('REPORT_PREFIX')}x`;
          return [
            ...prefixes.flatMap((prefix) => needs(`${bucket}/${prefix}x`, 's3:GetObject')),
            ...(setting('WRITE_REPORTS') === 'true' ? needs(reports, 's3:PutObject') : []),
          ];
        }),
        ...topics.flatMap((arn) => needs(canonical(stack, arn), 'sns:ConfirmSubscription')),
        ...(queue
          ? needs(
              canonical(stack, `\${${queue.address}.arn}`),
              ...['sqs:ReceiveMessage', 'sqs:DeleteMessage'],
            )
          : []),
        ...(setting('DB_IAM_AUTH') === 'true'
          ? needs(databaseArn(model, role.stack, setting('DB_USER') ?? ''), 'rds-db:connect')
          : []),
      ];
    });
}

/** The resource id of a database is known to its policy alone, so any that a policy names will do. */
function databaseArn(model: Model, stackName: string, user: string): string {
  const { partition, region } = model.stackOf({ stack: stackName });
  const named = policiesOf(model)
    .filter(({ stack }) => stack === stackName)
    .flatMap(({ document }) => document?.statements ?? [])
    .flatMap(({ resources }) => resources)
    .map((resource) => /:dbuser:([^/]+)\//.exec(resource)?.[1])
    .find((id) => id !== undefined);
  return `arn:${partition}:rds-db:${region}:${OWN_ACCOUNT}:dbuser:${named ?? '?'}/${user}`;
}

function deliveryNeeds(model: Model, role: Resource) {
  const stack = model.stackOf(role);
  const subscriptions = neighbours(model, role, 'aws_sns_topic_subscription');
  const isPolled = subscriptions
    .filter(({ attributes }) => attributes.protocol === 'sqs')
    .map(({ attributes }) => stack.target(attributes.endpoint))
    .some((queue) => queue !== undefined && !isOfOthers(model, queue));
  const topics = [
    ...neighbours(model, role, 'aws_sns_topic').map((topic) => arnOf(stack, topic) ?? ''),
    ...topicsOfOthers(stack),
  ];
  const queues = neighbours(model, role, 'aws_sqs_queue').filter(
    (queue) => isTakenFrom(model, queue) && !isOfOthers(model, queue),
  );
  return [
    ...(isPolled ? [] : topics.flatMap((on) => needs(on, 'sns:ConfirmSubscription'))),
    ...queues.flatMap((queue) => {
      const key = canonical(stack, queue.attributes.kms_master_key_id);
      return [
        ...needs(arnOf(stack, queue) ?? '', ...TAKING),
        ...(key ? needs(key, 'kms:Decrypt') : []),
      ];
    }),
  ];
}

/** A user of one database, whose id is known or only Terraform knows. */
const DATABASE_USER = /:dbuser:(?:(?:db|cluster)-[A-Z0-9]+|\$\{[^}]+\})\/([\w.-]+)$/;

function lackingIn(
  statements: readonly PolicyStatement[],
  needed: readonly Need[],
): readonly string[] {
  const lacking = needed
    .filter(({ action, on }) => !grants(statements, action, on))
    .map(({ action, on }) => `may not ${action} on ${on}`);
  return [...new Set(lacking)];
}

/** A bucket of deliveries or of copies. */
function mayListBucket(job: Job | undefined, bucket: string): boolean {
  if (job?.readPrefixes.has(bucket) ?? true) return true;
  return job?.told?.targets.some((target) => target.startsWith(`${bucket}/`)) ?? true;
}

function mayList(statements: readonly PolicyStatement[], bucket: string, prefix: string): boolean {
  return LISTING.every((action) =>
    statements.some(
      (statement) =>
        allows(statement, action) &&
        statement.resources.includes(bucket) &&
        requiredValues(statement, 's3:prefix').some((pattern) => matchesPattern(pattern, prefix)),
    ),
  );
}

function listFaults(statement: PolicyStatement, job: Job | undefined): readonly string[] {
  const listing = LISTING.filter((action) => statement.actions.includes(action));
  if (listing.length === 0) return [];
  const patterns = requiredValues(statement, 's3:prefix');
  if (patterns.length === 0)
    return listing.map((action) => `${statement.sid}: ${action} without a condition on s3:prefix`);
  const readable = (pattern: string) =>
    statement.resources.every(
      (bucket) =>
        (job?.readPrefixes.get(bucket) ?? []).some((prefix) => pattern === `${prefix}*`) ||
        (job?.told?.forgetsReports !== false &&
          [mayWrite, isTarget].some((isWritten) => isWritten(job, `${bucket}/${pattern}`))),
    );
  return patterns
    .filter((pattern) => job && !readable(pattern))
    .map((pattern) => `${statement.sid}: lists ${pattern}, more than it reads`);
}

/** What the objects must be that a right on a key is for; S3 tells KMS, which calls it the context. */
const ENCRYPTED_OBJECT = 'kms:EncryptionContext:aws:s3:arn';

/** A right on the key of copies, or of the rule set, is for these alone. */
function objectKeyFaults(statement: PolicyStatement, job: Job | undefined): readonly string[] {
  const beyond = (places: readonly string[]) => {
    const allowed = places.flatMap((place) => [place.split('/')[0], `${place}*`]);
    return requiredValues(statement, ENCRYPTED_OBJECT).filter((one) => !allowed.includes(one));
  };
  const encrypts = job?.told && statement.actions.includes('kms:GenerateDataKey');
  const decrypts = job?.rules !== undefined && statement.actions.join() === 'kms:Decrypt';
  return [
    ...(encrypts ? beyond(job.told.targets) : []).map(
      (object) => `${statement.sid}: encrypts ${object}, more than copies`,
    ),
    ...(decrypts ? beyond([job.rules]) : []).map(
      (object) => `${statement.sid}: decrypts ${object}, more than the rule set`,
    ),
  ];
}

/** A right on the bucket's key is for reading, and for writing where there is a right to write. */
function keyFaults(
  statements: readonly PolicyStatement[],
  job: Job | undefined,
): readonly string[] {
  // Copies may have keys of their own, which are not for reading.
  const writes =
    job?.told?.reportPrefix !== '' &&
    statements.some((statement) => allows(statement, 's3:PutObject'));
  return (
    statements
      .filter((statement) =>
        requiredValues(statement, 'kms:ViaService').some((host) => host.startsWith('s3.')),
      )
      // Rules are never written.
      .filter((statement) => requiredValues(statement, ENCRYPTED_OBJECT).length === 0)
      .flatMap((statement) =>
        ['kms:Decrypt', ...(writes ? ['kms:GenerateDataKey'] : [])]
          .filter((action) => !allows(statement, action))
          .map((action) => `${statement.sid}: the bucket's key needs ${action} too`),
      )
  );
}

/** Rules on the role of pods. */
export const WORKLOAD_ROLE_RULES: readonly Rule[] = [
  rule({
    id: 'workload-role-allows-its-work',
    subjects: (audited) => [
      ...new Set([
        ...workloadRoles(audited),
        ...servers(audited).flatMap(({ pod }) => roleOfServiceAccount(audited, pod) ?? []),
      ]),
    ],
    faults: (role, audited) => {
      const { model } = audited;
      const job = jobOf(model, role.stack);
      const statements = statementsOfRole(model, role).map(({ statement }) => statement);
      const preparation = preparationNeeds(audited, role);
      if (preparation) return lackingIn(statements, preparation);
      const needed = [
        ...(job ? storageNeeds(model, role, job) : []),
        ...deliveryNeeds(model, role),
        ...listenerNeeds(audited, role),
      ];
      return [
        ...lackingIn(statements, needed),
        ...[...(job?.readPrefixes ?? [])].flatMap(([bucket, prefixes]) =>
          prefixes
            .filter((prefix) => !mayList(statements, bucket, prefix))
            .map((prefix) => `may not list ${bucket}/${prefix}`),
        ),
        ...keyFaults(statements, job),
        ...(job?.told?.sender && !maySend(statements, job.told.sender)
          ? [`may not ses:SendEmail as ${job.told.sender}`]
          : []),
      ];
    },
  }),
  rule({
    id: 'workload-role-allows-no-more',
    subjects: workloadRoles,
    faults: (role, audited) => {
      const { model } = audited;
      const preparation = preparationNeeds(audited, role);
      if (preparation) {
        const all = statementsOfRole(model, role).map(({ statement }) => statement);
        return preparationFaults(
          all.filter(({ effect }) => effect === 'Allow'),
          preparation,
        );
      }
      const job = jobOf(model, role.stack);
      const stack = model.stackOf(role);
      const reads = [...(job?.readPrefixes ?? [])].flatMap(([bucket, prefixes]) =>
        prefixes.map((prefix) => `${bucket}/${prefix}*`),
      );
      const own = [
        ...neighbours(model, role, 'aws_sns_topic', 'aws_sqs_queue')
          .filter((one) => one.type !== 'aws_sqs_queue' || isTakenFrom(model, one))
          .map((resource) => arnOf(stack, resource) ?? ''),
        ...topicsOfOthers(stack),
      ];
      const keys = neighbours(model, role, 'aws_kms_key').map(
        ({ address }) => `\${${address}.arn}`,
      );
      return statementsOfRole(model, role)
        .filter(({ statement }) => statement.effect === 'Allow')
        .flatMap(({ statement }) => {
          const { sid, actions, resources } = statement;
          const allowedOn = (action: string, resource: string): boolean => {
            if (action === 's3:GetObject' && mayReadRules(job, resource)) return true;
            if (/Tagging$|^s3:Abort/.test(action)) return mayTag(job, action, resource);
            if (/^s3:Get/.test(action)) return job === undefined || reads.includes(resource);
            const isWritten = mayWrite(job, resource) || isTarget(job, resource);
            if (/^s3:Put/.test(action)) return isWritten;
            if (/^s3:Delete/.test(action)) return isWritten && job?.told?.forgetsReports !== false;
            if (/^s3:List/.test(action)) return mayListBucket(job, resource);
            if (action === 'sns:Publish')
              return [undefined, resource].includes(job?.told?.topicArn);
            // As whom is another matter.
            if (action === 'ses:SendEmail') return true;
            if (/^(sns|sqs):/.test(action)) return own.includes(resource);
            if (/^kms:/.test(action))
              return keys.includes(resource) || /^arn:[^:]+:kms:[^*]+:key\/[\w-]+$/.test(resource);
            const user = DATABASE_USER.exec(resource)?.[1];
            return user !== undefined && [undefined, user].includes(job?.told?.databaseUser);
          };
          return [
            ...actions
              .filter((action) => !ACTIONS.includes(action))
              .map((action) => `${sid}: does not need ${action}`),
            ...actions
              .filter((action) => ACTIONS.includes(action))
              .flatMap((action) =>
                resources
                  .filter((resource) => !allowedOn(action, resource))
                  .map((resource) => `${sid}: ${action} on ${resource} is more than it works with`),
              ),
            ...listFaults(statement, job),
            ...mailFaults(statement, job),
            ...objectKeyFaults(statement, job),
          ];
        });
    },
  }),
];
