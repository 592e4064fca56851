import { partitionOf } from '@file-processing/contract/partition.ts';
import type { Model } from '../../../src/synthesized/model/model.ts';
import {
  arnOf,
  canonical,
  OWN_ACCOUNT,
  type PlacedStatement,
  type Policy,
  type PolicyKind,
  policiesOf,
  statementsAbout,
  statementsOf,
  topicsOfOthers,
} from '../../policy/policies.ts';
import {
  includesAction,
  type PolicyCondition,
  type PolicyStatement,
  requiredValues,
} from '../../policy/policy-document.ts';
import { every, neighbours } from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';
import known from './policies.json' with { type: 'json' };
import { configured, toldBuckets, toldRules } from './workload-role.ts';

/** Actions that lead to more rights, or that destroy evidence or data. */
const ESCALATIONS = new RegExp(known.escalations.join('|'), 'i');

/** Keys of the account that somebody, or something, is in: narrower where it is that of the stack. */
const OWN_ACCOUNT_KEYS =
  /^(aws:(PrincipalAccount|ResourceAccount)|kms:CallerAccount|s3:ResourceAccount)$/i;

/** Keys of conditions that requests of these have. */
const KNOWN_KEYS = [...known.conditionKeys.map((key) => new RegExp(key, 'i')), OWN_ACCOUNT_KEYS];

/** Resources with a wildcard that are still bounded to one log group, folder, or by what IAM offers. */
const BOUNDED = known.boundedResources.map((form) => new RegExp(form));

/** Which services have business in which policy, and what they may do there. */
const SERVICES: Readonly<
  Record<string, readonly { readonly service: string; readonly actions: readonly string[] }[]>
> = known.services;

function allowed({ model }: { readonly model: Model }): readonly PlacedStatement[] {
  return statementsOf(model, 'identity', 'trust', 'topic', 'queue', 'key', 'repository').filter(
    ({ statement }) => statement.effect === 'Allow',
  );
}

/**
 * Deletes nothing but what the stack may write, unless its settings say that nothing is deleted: reports alone, as
 * `workload-role-allows-no-more` has it.
 */
function deletesReports(
  model: Model,
  action: string,
  { stack, statement }: PlacedStatement,
): boolean {
  const writable = statementsOf(model, 'identity')
    .filter((other) => other.stack === stack && other.statement.actions.includes('s3:PutObject'))
    .flatMap((other) => other.statement.resources);
  return (
    /^s3:DeleteObject(Version)?$/.test(action) &&
    configured(model, stack, 'FORGET_REPORTS') !== 'false' &&
    statement.resources.every((resource) => writable.includes(resource))
  );
}

/** Whose secret it may be, `workload-role-allows-no-more` says. */
function readsOneSecret(action: string, { resources }: PlacedStatement['statement']): boolean {
  return (
    action === 'secretsmanager:GetSecretValue' &&
    resources.every((resource) => !/[*?]/.test(resource.replaceAll(/\$\{[^}]*\}/g, '')))
  );
}

function isRootOnly({ principals = [] }: PlacedStatement['statement']): boolean {
  return principals.length === 1 && isOwnRoot(principals[0]?.value ?? '');
}

/** What a resource policy may be about; undefined for kinds without. */
function ownResources(model: Model, { kind, about }: Policy): readonly string[] | undefined {
  if (kind === 'key') return ['*'];
  if ((kind !== 'topic' && kind !== 'queue') || about === undefined) return undefined;
  const arn = arnOf(model.stackOf(about), about);
  return arn === undefined ? [`\${${about.address}.arn}`] : [arn];
}

function is({ key }: PolicyCondition, name: string): boolean {
  return key.toLowerCase() === name.toLowerCase();
}

function badWildcard(condition: PolicyCondition, value: string): boolean {
  if (!/[*?]/.test(value.replaceAll(/\$\{[^}]*\}/g, ''))) return false;
  if (is(condition, 's3:prefix')) {
    return condition.operator !== 'StringLike' || !/^[^*?]+\/\*$/.test(value);
  }
  // Objects of one bucket below a folder.
  if (is(condition, 'kms:EncryptionContext:aws:s3:arn')) {
    return (
      condition.operator !== 'StringLike' || !/^arn:[^*?]+:s3:::[^*?/]+\/[^*?]+\/\*$/.test(value)
    );
  }
  const oneOfMany = is(condition, 'aws:SourceArn') && condition.operator.startsWith('Arn');
  return !(oneOfMany && /^arn:[^:*?]+:ec2:[^:*?]+:<account>:vpc-flow-log\/\*$/.test(value));
}

const RESOURCE_POLICIES: readonly PolicyKind[] = ['topic', 'queue', 'key', 'repository'];

/** Whether a statement refuses what comes without TLS, and nothing else. */
export function isTlsRefusal({ effect, principals = [], conditions }: PolicyStatement): boolean {
  const [condition, ...others] = conditions;
  return (
    effect === 'Deny' &&
    // A policy of an identity has no principals: it refuses that identity alone.
    (principals.length === 0 || principals.some(({ type }) => type === '*')) &&
    others.length === 0 &&
    condition?.operator === 'Bool' &&
    condition.key.toLowerCase() === 'aws:securetransport' &&
    condition.values.join() === 'false'
  );
}

/** What every stack needs that delivers files: where nothing allows one any more, a Deny of it was a right. */
const NEEDED = ['sns:Publish', 'sqs:SendMessage', 's3:GetObject', 's3:PutObject', 'kms:Decrypt'];

/** TLS that S3, SNS and their callers have left behind: a refusal of it stops nobody who is up to date. */
function refusesOldTls({ effect, conditions }: PolicyStatement): boolean {
  const versions = conditions.filter(({ key }) => /:TlsVersion$/i.test(key));
  return (
    effect === 'Deny' &&
    versions.some(
      ({ operator, values }) =>
        /^NumericLessThan$/.test(operator) &&
        values.every((value) => ['1.2', '1.3'].includes(value)),
    )
  );
}

/** Whether a refusal leaves alone who is allowed: the services of AWS, or the roles of the account. */
function spares({ conditions }: PolicyStatement, allowed: PlacedStatement): boolean {
  const { principals = [] } = allowed.statement;
  const holds = (operators: RegExp, key: string, value: string) =>
    conditions.some(
      (condition) =>
        operators.test(condition.operator) &&
        is(condition, key) &&
        condition.values.join() === value,
    );
  return allowed.kind === 'identity'
    ? holds(/^StringNotEquals(IfExists)?$/, 'aws:PrincipalAccount', OWN_ACCOUNT)
    : principals.every(({ type }) => type === 'Service') &&
        holds(/^Bool(IfExists)?$/, 'aws:PrincipalIsAWSService', 'false');
}

/** Whether a request may be both refused by one statement and allowed by another; conditions are left out of it. */
function meet(refusal: PolicyStatement, allowed: PolicyStatement): boolean {
  const all = (list: readonly string[], others: readonly string[]) =>
    others.length > 0 || list.length === 0 ? ['*'] : list;
  const overlap = (one: readonly string[], other: readonly string[]) =>
    one.some((pattern) => other.some((text) => patternsMeet(pattern, text)));
  const lower = (list: readonly string[]) => list.map((text) => text.toLowerCase());
  return (
    overlap(
      lower(all(refusal.actions, refusal.notActions)),
      lower(all(allowed.actions, allowed.notActions)),
    ) &&
    overlap(
      all(refusal.resources, refusal.notResources),
      all(allowed.resources, allowed.notResources),
    )
  );
}

/** Whether two patterns may match the same text, by what stands before their first wildcards; an expression may be anything. */
function patternsMeet(one: string, other: string): boolean {
  const starts = [one, other].map((text) => text.split(/[*?]|\$\{/)[0] ?? '');
  const [first = '', second = ''] = starts;
  if (first === one) return second === other ? one === other : one.startsWith(second);
  if (second === other) return other.startsWith(first);
  return first.startsWith(second) || second.startsWith(first);
}

function allowing({ model }: { readonly model: Model }): readonly PlacedStatement[] {
  return statementsOf(model, ...RESOURCE_POLICIES).filter(
    ({ statement }) => statement.effect === 'Allow',
  );
}

function isOwnRoot(value: string): boolean {
  return /^arn:[^:]+:iam::<account>:root$/.test(value);
}

/** ARNs of what makes services act for the stack. */
function callersOf(model: Model, stackName: string): ReadonlySet<string> {
  const stack = model.stackOf({ stack: stackName });
  const place = { stack: stackName };
  const types = ['aws_sns_topic', 'aws_cloudwatch_log_group', 'aws_cloudwatch_event_rule'];
  const made = neighbours(model, place, ...types)
    .map((resource) => arnOf(stack, resource))
    .filter((arn) => arn !== undefined);
  const buckets = bucketsOf(model, stackName).map(
    (bucket) => `arn:${stack.partition}:s3:::${bucket}`,
  );
  const groups = neighbours(model, place, 'aws_cloudwatch_log_group').map(
    ({ attributes }) =>
      `arn:${stack.partition}:logs:${stack.region}:${OWN_ACCOUNT}:log-group:${canonical(stack, attributes.name)}`,
  );
  const rules = toldRules(model, stackName).keys();
  return new Set([...made, ...topicsOfOthers(stack), ...buckets, ...groups, ...rules]);
}

/** Buckets that the stack reads or is told by. */
function bucketsOf(model: Model, stackName: string): readonly string[] {
  const stack = model.stackOf({ stack: stackName });
  const told = neighbours(model, { stack: stackName }, 'aws_s3_bucket_notification').map(
    ({ attributes }) => canonical(stack, attributes.bucket),
  );
  const configuredBuckets = [...toldBuckets(model, stackName).keys()].map((arn) =>
    arn.slice(arn.lastIndexOf(':') + 1),
  );
  const named = [...told, ...configuredBuckets];
  const isTold = ['S3_BUCKET', 'S3_BUCKETS'] as const;
  if (isTold.some((name) => configured(model, stackName, name) !== '')) return named;
  const read = statementsOf(model, 'identity')
    .filter((placed) => placed.stack === stackName)
    .flatMap(({ statement }) => statement.resources)
    .flatMap((arn) => /^arn:[^:]+:s3:::([^/*]+)/.exec(arn)?.[1] ?? []);
  return [...named, ...read];
}

/** The accounts of the buckets that a service acts for; that of the stack where none is named. */
function ownersOf(model: Model, stackName: string, statement: PolicyStatement) {
  const owners = new Map([...toldBuckets(model, stackName), ...toldRules(model, stackName)]);
  const sources = requiredValues(statement, 'aws:SourceArn');
  return [...new Set(sources.map((source) => owners.get(source) ?? OWN_ACCOUNT))];
}

/** Rules on policies, and on whom they let in. */
export const POLICY_RULES: readonly Rule[] = [
  rule({
    id: 'policy-well-formed',
    subjects: ({ model }) => policiesOf(model),
    faults: (policy, { model }) => {
      const { document, kind } = policy;
      if (document === undefined) return ['cannot be read: write it as JSON, without a function'];
      const { statements } = document;
      const sids = statements.map(({ sid }) => sid).filter(Boolean);
      return [
        document.version !== '2012-10-17' && `Version is ${document.version || 'missing'}`,
        new Set(sids).size !== sids.length && `a Sid is there twice: ${sids.join(', ')}`,
        // What may be pulled, policies of roles say.
        kind !== 'repository' &&
          !statements.some(({ effect }) => effect === 'Allow') &&
          'allows nothing',
        policy.about === undefined && 'its resource is not in the stack',
        ...statements.flatMap((statement) => {
          const { effect, principals, resources, notResources, actions, notActions } = statement;
          const name = statement.sid || 'a statement';
          const own = ownResources(model, policy);
          return [
            ...statement.unknownElements.map((element) => `${name}: IAM has no element ${element}`),
            !['Allow', 'Deny'].includes(effect) && `${name}: Effect is ${effect || 'missing'}`,
            actions.length + notActions.length === 0 && `${name} has no Action`,
            kind === 'identity' &&
              resources.length + notResources.length === 0 &&
              `${name} has no Resource`,
            kind === 'identity' && principals !== undefined && `${name} has a Principal`,
            kind !== 'identity' &&
              (principals?.length ?? 0) === 0 &&
              `${name} has no Principal${statement.notPrincipals.length > 0 ? ' but NotPrincipal' : ''}`,
            own !== undefined &&
              !(resources.length > 0 && resources.every((r) => own.includes(r))) &&
              `${name}: Resource is ${resources.join(', ') || 'missing'}, not ${own?.[0]}`,
          ];
        }),
      ];
    },
  }),
  rule({
    id: 'actions-are-named',
    subjects: allowed,
    faults: ({ kind, statement }) => [
      ...statement.actions
        .filter((action) => /[*?]/.test(action) && !known.actionWildcards.includes(action))
        .filter((action) => !(kind === 'key' && action === 'kms:*' && isRootOnly(statement)))
        .map((action) => `${statement.sid}: ${action} is a wildcard`),
      statement.notActions.length > 0 && `${statement.sid}: NotAction with Allow`,
    ],
  }),
  rule({
    id: 'resources-are-named',
    subjects: (audited) => allowed(audited).filter(({ kind }) => kind === 'identity'),
    faults: ({ statement }) => {
      // Amazon EC2 and its Auto Scaling name no resource for what describes; a tag bounds what changes.
      const onlyDescribes = statement.actions.every((action) =>
        /^(autoscaling|ec2):(Describe|GetInstanceTypes)/.test(action),
      );
      const bounded = statement.conditions.some(
        ({ key, operator }) => operator === 'StringEquals' && key.startsWith('aws:ResourceTag/'),
      );
      const onlyFindsLogGroups = statement.actions.every((a) => a === 'logs:DescribeLogGroups');
      return [
        ...statement.resources
          .filter((resource) => /[*?]/.test(resource))
          .filter((resource) => !BOUNDED.some((form) => form.test(resource)))
          .filter((resource) => !(resource === '*' && (onlyDescribes || bounded)))
          .filter((resource) => !(onlyFindsLogGroups && /:log-group:\*$/.test(resource)))
          .map((resource) => `${statement.sid}: ${resource} is a wildcard`),
        statement.notResources.length > 0 && `${statement.sid}: NotResource with Allow`,
      ];
    },
  }),
  rule({
    id: 'conditions-bind',
    subjects: ({ model }) =>
      statementsOf(model, 'identity', 'trust', 'topic', 'queue', 'key', 'repository').filter(
        // What a Deny refuses too much by is judged by another rule; what too little, by those on what it is there for.
        ({ statement }) => statement.conditions.length > 0 && statement.effect !== 'Deny',
      ),
    faults: ({ stack, statement }, { model }) =>
      statement.conditions.flatMap((condition) => {
        const { region } = model.stackOf({ stack });
        const name = `${statement.sid}: ${condition.operator} ${condition.key}`;
        return [
          !known.operators.includes(condition.operator) && `${name} does not bind`,
          (condition.values.length === 0 || condition.values.includes('')) &&
            `${name} has an empty value`,
          ...condition.values.map(
            (value) =>
              badWildcard(condition, value) && `${name} = ${value} matches too much or nothing`,
          ),
          ['aws:SourceAccount', 'aws:ResourceAccount'].some((key) => is(condition, key)) &&
            condition.values.join() !== OWN_ACCOUNT &&
            condition.values.join() !== ownersOf(model, stack, statement).join() &&
            `${name} is ${condition.values.join(', ')}, not the account of the stack or of the bucket`,
          OWN_ACCOUNT_KEYS.test(condition.key) &&
            !is(condition, 'aws:ResourceAccount') &&
            condition.values.join() !== OWN_ACCOUNT &&
            `${name} is ${condition.values.join(', ')}, not the account of the stack`,
          is(condition, 'aws:RequestedRegion') &&
            condition.values.join() !== region &&
            `${name} is ${condition.values.join(', ')}, not ${region}`,
          is(condition, 'aws:SecureTransport') &&
            condition.values.join() !== 'true' &&
            `${name} is ${condition.values.join(', ')}: nothing asks over plain HTTP`,
          is(condition, 'kms:ViaService') &&
            !condition.values.every((value) =>
              new RegExp(`^[a-z0-9-]+\\.${region}\\.${partitionOf(region).dnsSuffix}$`).test(value),
            ) &&
            `${name} is ${condition.values.join(', ')}, not a service of ${region}`,
          !KNOWN_KEYS.some((form) => form.test(condition.key)) &&
            `${name}: whether a request of these has this key is not known`,
        ];
      }),
  }),
  rule({
    id: 'no-escalation',
    subjects: (audited) => allowed(audited).filter(({ kind }) => kind === 'identity'),
    faults: (placed, { model }) =>
      placed.statement.actions
        .filter((action) => ESCALATIONS.test(action) && !readsOneSecret(action, placed.statement))
        .filter((action) => !deletesReports(model, action, placed))
        .map((action) => `${placed.statement.sid}: ${action}`),
  }),
  rule({
    id: 'principals-are-named',
    subjects: allowing,
    faults: ({ kind, statement }) => {
      const { sid, principals = [], notPrincipals } = statement;
      return [
        notPrincipals.length > 0 && `${sid}: Allow with NotPrincipal is nearly everybody`,
        ...principals.flatMap(({ type, value }) => {
          if (kind === 'key' && type === 'AWS' && isOwnRoot(value)) return [];
          if (type !== 'Service')
            return [`${sid}: ${type} ${value} may ${statement.actions.join(', ')}`];
          const expected = SERVICES[kind]?.find(({ service }) => new RegExp(service).test(value));
          if (expected === undefined) return [`${sid}: ${value} is not expected here`];
          return statement.actions
            .filter((action) => !expected.actions.includes(action))
            .map((action) => `${sid}: ${value} does not need ${action}`);
        }),
      ];
    },
  }),
  // A service acts for whoever asks it: the confused deputy (IAM User Guide).
  rule({
    id: 'services-are-bounded',
    subjects: (audited) =>
      allowing(audited).filter(({ statement }) =>
        statement.principals?.some(({ type }) => type === 'Service'),
      ),
    faults: ({ stack, statement }, { model }) => {
      const { sid, principals = [] } = statement;
      const forLogs = principals.some(({ value }) => value.startsWith('logs.'));
      const key = forLogs ? 'kms:EncryptionContext:aws:logs:arn' : 'aws:SourceArn';
      const sources = requiredValues(statement, key);
      const callers = callersOf(model, stack);
      // EventBridge's own example has both (Amazon EventBridge User Guide, "Amazon SQS permissions").
      const byRule = principals.some(({ value }) => value === 'events.amazonaws.com');
      const withoutAccount = sources.some((source) => source.split(':')[4] === '');
      return [
        sources.length === 0 && `${sid}: no condition on ${key}`,
        ...sources.map(
          (source) =>
            !callers.has(source) &&
            `${sid}: ${source} is not a bucket, topic, rule or log group of the stack`,
        ),
        (withoutAccount || byRule) &&
          requiredValues(statement, 'aws:SourceAccount').join() !==
            ownersOf(model, stack, statement).join() &&
          `${sid}: no condition on aws:SourceAccount that names who owns it; a bucket's name can pass to another account`,
      ];
    },
  }),
  rule({
    id: 'refuses-plain-http',
    subjects: every('aws_sns_topic', 'aws_sqs_queue'),
    faults: (resource, { model }) => {
      const actions =
        resource.type === 'aws_sns_topic'
          ? ['sns:Publish', 'sns:Subscribe']
          : ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'];
      const refusals = statementsAbout(model, resource).filter(isTlsRefusal);
      return actions
        .filter(
          (action) =>
            !refusals.some((statement) =>
              statement.actions.some((pattern) => includesAction(pattern, action)),
            ),
        )
        .map((action) => `no statement denies ${action} to everybody without TLS`);
    },
  }),
  rule({
    id: 'refusals-are-bounded',
    subjects: ({ model }) =>
      statementsOf(model, 'identity', 'trust', ...RESOURCE_POLICIES).filter(
        ({ statement }) => statement.effect === 'Deny',
      ),
    faults: ({ kind, stack, address, statement }, { model }) => {
      if (isTlsRefusal(statement) || refusesOldTls(statement)) return [];
      const allowances = statementsOf(model, 'identity', 'trust', ...RESOURCE_POLICIES).filter(
        (other) => other.stack === stack && other.statement.effect === 'Allow',
      );
      const isAllowed = (action: string) =>
        allowances.some((other) =>
          other.statement.actions.some((one) => includesAction(one, action)),
        );
      const missing = NEEDED.find(
        (action) =>
          statement.actions.some((one) => includesAction(one, action)) && !isAllowed(action),
      );
      if (missing !== undefined) {
        return [`${statement.sid} denies ${missing}, which the stack needs and nothing allows`];
      }
      const needed = allowances
        // Administrators of a key may all of it, and do without what is refused.
        .filter((other) => !(other.kind === 'key' && isRootOnly(other.statement)))
        // Who may take a role is refused by its own policy alone, and the like.
        .filter((other) =>
          [kind, other.kind].includes('trust') ? other.address === address : true,
        )
        .filter((other) => !spares(statement, other))
        .find((other) => meet(statement, other.statement));
      return needed === undefined
        ? []
        : [
            `${statement.sid} denies ${statement.actions.join(', ')}, not only without TLS, and ${needed.statement.sid || 'a statement'} allows some of it`,
          ];
    },
  }),
];
