import type { Model } from '../../../src/synthesized/model/model.ts';
import { arnOf, canonical, OWN_ACCOUNT } from '../../policy/arn.ts';
import {
  type PlacedStatement,
  type PolicyKind,
  statementsAbout,
  statementsOf,
} from '../../policy/policies.ts';
import {
  includesAction,
  type PolicyStatement,
  requiredValues,
} from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, neighbours } from './attributes.ts';

/** Which services have business in which policy, and what they may do there. */
const SERVICES: Readonly<
  Record<string, readonly { readonly service: RegExp; readonly actions: readonly string[] }[]>
> = {
  topic: [{ service: /^s3\.amazonaws\.com$/, actions: ['sns:Publish'] }],
  queue: [{ service: /^sns\.amazonaws\.com$/, actions: ['sqs:SendMessage'] }],
  key: [
    {
      service: /^(s3|sns)\.amazonaws\.com$/,
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*', 'kms:GenerateDataKey'],
    },
    {
      service: /^logs\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/,
      actions: [
        ...['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'],
        ...['kms:DescribeKey', 'kms:Describe*'],
      ],
    },
  ],
};

const RESOURCE_POLICIES: readonly PolicyKind[] = ['topic', 'queue', 'key', 'repository'];

/** Who may use a topic, queue, key or repository. */
export const principalsAreNamed: Rule = rule({
  id: 'principals-are-named',
  title:
    'A topic, queue, key or repository is open to services with business there, and to nobody else',
  reason:
    'Principal * with Allow is the whole world; another account, or a service without business, is somebody whom nobody watches.',
  control: 'AC-3',
  severity: 'high',
  subjects: allowing,
  faults: ({ kind, statement }) => {
    const { sid, principals = [], notPrincipals } = statement;
    return [
      ...faultsOf([
        notPrincipals.length > 0,
        `${sid}: Allow with NotPrincipal is nearly everybody`,
      ]),
      ...principals.flatMap(({ type, value }) => {
        if (kind === 'key' && type === 'AWS' && isOwnRoot(value)) return [];
        if (type !== 'Service')
          return [`${sid}: ${type} ${value} may ${statement.actions.join(', ')}`];
        const known = SERVICES[kind]?.find(({ service }) => service.test(value));
        if (known === undefined) return [`${sid}: ${value} has no business here`];
        return statement.actions
          .filter((action) => !known.actions.includes(action))
          .map((action) => `${sid}: ${value} needs no ${action}`);
      }),
    ];
  },
});

/** A service acts for whoever asks it: the confused deputy (IAM User Guide). */
export const servicesAreBounded: Rule = rule({
  id: 'services-are-bounded',
  title: 'A service may act only for the one bucket, topic or log group of the stack',
  reason:
    "Every customer's bucket and topic calls by the same service; only aws:SourceArn, with aws:SourceAccount where the ARN holds no account, tells ours from theirs.",
  control: 'AC-4',
  severity: 'high',
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
    const withoutAccount = sources.some((source) => source.split(':')[4] === '');
    return faultsOf(
      [sources.length === 0, `${sid}: no condition on ${key}`],
      ...sources.map(
        (source) =>
          [
            !callers.has(source),
            `${sid}: ${source} is no bucket, topic or log group of the stack`,
          ] as const,
      ),
      [
        withoutAccount && !requiredValues(statement, 'aws:SourceAccount').includes(OWN_ACCOUNT),
        `${sid}: no condition on aws:SourceAccount; a bucket's name can pass to another account`,
      ],
    );
  },
});

/** Who asks without TLS is refused. */
export const refusesPlainHttp: Rule = rule({
  id: 'refuses-plain-http',
  title: 'Topics and queues refuse requests without TLS',
  reason: 'SNS and SQS also answer over plain HTTP; only a Deny on aws:SecureTransport stops it.',
  control: 'SC-8(1)',
  severity: 'high',
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
});

/** A Deny that holds too often shuts everybody out. */
export const refusalsAreBounded: Rule = rule({
  id: 'refusals-are-bounded',
  title: 'A policy refuses only what comes without TLS',
  reason: 'A Deny wins over every Allow: one that holds for TLS too stops every delivery.',
  control: 'AC-3',
  severity: 'high',
  subjects: ({ model }) =>
    statementsOf(model, 'identity', 'trust', ...RESOURCE_POLICIES).filter(
      ({ statement }) => statement.effect === 'Deny',
    ),
  faults: ({ statement }) =>
    isTlsRefusal(statement)
      ? []
      : [
          `${statement.sid} denies ${statement.actions.join(', ')} to more, or others, than callers without TLS`,
        ],
});

function isTlsRefusal({ effect, principals = [], conditions }: PolicyStatement): boolean {
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
  const made = neighbours(model, place, 'aws_sns_topic', 'aws_cloudwatch_log_group')
    .map((resource) => arnOf(stack, resource))
    .filter((arn) => arn !== undefined);
  const buckets = bucketsOf(model, stackName).map(
    (bucket) => `arn:${stack.partition}:s3:::${bucket}`,
  );
  const groups = neighbours(model, place, 'aws_cloudwatch_log_group').map(
    ({ attributes }) =>
      `arn:${stack.partition}:logs:${stack.region}:${OWN_ACCOUNT}:log-group:${canonical(stack, attributes.name)}`,
  );
  return new Set([...made, ...buckets, ...groups]);
}

/** Buckets that the stack reads or is told by. */
export function bucketsOf(model: Model, stackName: string): readonly string[] {
  const stack = model.stackOf({ stack: stackName });
  const told = neighbours(model, { stack: stackName }, 'aws_s3_bucket_notification').map(
    ({ attributes }) => canonical(stack, attributes.bucket),
  );
  if (told.length > 0) return told;
  return statementsOf(model, 'identity')
    .filter((placed) => placed.stack === stackName)
    .flatMap(({ statement }) => statement.resources)
    .flatMap((arn) => /^arn:[^:]+:s3:::([^/*]+)/.exec(arn)?.[1] ?? []);
}

/** Rules on who may use what. */
export const PRINCIPAL_RULES: readonly Rule[] = [
  principalsAreNamed,
  servicesAreBounded,
  refusesPlainHttp,
  refusalsAreBounded,
];
