import { partitionOf } from '@file-processing/contract/partition.ts';
import type { Model } from '../../../src/synthesized/model/model.ts';
import { arnOf, OWN_ACCOUNT } from '../../policy/arn.ts';
import {
  type PlacedStatement,
  type Policy,
  policiesOf,
  statementsOf,
} from '../../policy/policies.ts';
import type { PolicyCondition } from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import { faultsOf } from './attributes.ts';

/** The form of a policy. */
export const policyWellFormed: Rule = rule({
  id: 'policy-well-formed',
  title:
    'Every policy can be read, has the current version, and its elements are those of its kind',
  reason:
    'IAM takes a policy of 2008, without its variables, and one whose statements speak of another resource; neither does what it says.',
  control: 'AC-3',
  severity: 'high',
  subjects: ({ model }) => policiesOf(model),
  faults: (policy, { model }) => {
    const { document, kind } = policy;
    if (document === undefined) return ['cannot be read: write it as JSON, without a function'];
    const { statements } = document;
    const sids = statements.map(({ sid }) => sid).filter(Boolean);
    return [
      ...faultsOf(
        [document.version !== '2012-10-17', `Version is ${document.version || 'missing'}`],
        [new Set(sids).size !== sids.length, `a Sid is there twice: ${sids.join(', ')}`],
        [!statements.some(({ effect }) => effect === 'Allow'), 'allows nothing'],
        [policy.about === undefined, 'what it is about is not in the stack'],
      ),
      ...statements.flatMap((statement) => {
        const { effect, principals, resources, notResources, actions, notActions } = statement;
        const name = statement.sid || 'a statement';
        const own = ownResources(model, policy);
        return [
          ...statement.unknownElements.map((element) => `${name}: IAM knows no element ${element}`),
          ...faultsOf(
            [!['Allow', 'Deny'].includes(effect), `${name}: Effect is ${effect || 'missing'}`],
            [actions.length + notActions.length === 0, `${name} has no Action`],
            [
              kind === 'identity' && resources.length + notResources.length === 0,
              `${name} has no Resource`,
            ],
            [kind === 'identity' && principals !== undefined, `${name} has a Principal`],
            [
              kind !== 'identity' && (principals?.length ?? 0) === 0,
              `${name} has no Principal${statement.notPrincipals.length > 0 ? ' but NotPrincipal' : ''}`,
            ],
            [
              own !== undefined &&
                !(resources.length > 0 && resources.every((r) => own.includes(r))),
              `${name}: Resource is ${resources.join(', ') || 'missing'}, not ${own?.[0]}`,
            ],
          ),
        ];
      }),
    ];
  },
});

/** Wildcards that AWS's own documentation of a key policy asks for. */
const ACTION_WILDCARDS = ['kms:ReEncrypt*', 'kms:GenerateDataKey*'];

/** What is allowed is named. */
export const actionsAreNamed: Rule = rule({
  id: 'actions-are-named',
  title: 'Every action that a policy allows is named',
  reason: 'A wildcard allows what AWS adds tomorrow, and NotAction allows all but a few.',
  control: 'AC-6',
  severity: 'high',
  subjects: allowed,
  faults: ({ kind, statement }) => [
    ...statement.actions
      .filter((action) => /[*?]/.test(action) && !ACTION_WILDCARDS.includes(action))
      .filter((action) => !(kind === 'key' && action === 'kms:*' && isRootOnly(statement)))
      .map((action) => `${statement.sid}: ${action} is a wildcard`),
    ...faultsOf([statement.notActions.length > 0, `${statement.sid}: NotAction with Allow`]),
  ],
});

/** Resources with a wildcard that are still bounded to one log group, folder, or by what IAM offers. */
const BOUNDED: readonly RegExp[] = [
  /^arn:[^:*?]+:s3:::[^/*?]+\/[^*?]+\/\*$/,
  /^arn:[^:*?]+:logs:[^:*?]+:[^:*?]+:log-group:[^:*?]+:\*$/,
];

/** What it is allowed on is named. */
export const resourcesAreNamed: Rule = rule({
  id: 'resources-are-named',
  title: 'Every resource of an IAM policy is named',
  reason:
    'Each of these actions can be bounded to one ARN; a wildcard gives away all the account has.',
  control: 'AC-6',
  severity: 'high',
  subjects: (audited) => allowed(audited).filter(({ kind }) => kind === 'identity'),
  faults: ({ statement }) => {
    const onlyFindsLogGroups = statement.actions.every((a) => a === 'logs:DescribeLogGroups');
    return [
      ...statement.resources
        .filter((resource) => /[*?]/.test(resource))
        .filter((resource) => !BOUNDED.some((form) => form.test(resource)))
        .filter((resource) => !(onlyFindsLogGroups && /:log-group:\*$/.test(resource)))
        .map((resource) => `${statement.sid}: ${resource} is a wildcard`),
      ...faultsOf([statement.notResources.length > 0, `${statement.sid}: NotResource with Allow`]),
    ];
  },
});

const OPERATORS = [
  ...['StringEquals', 'StringLike', 'ArnEquals', 'ArnLike', 'Bool'],
  ...['NumericLessThanEquals', 'NumericEquals', 'DateLessThan', 'IpAddress'],
];

/** Conditions must be able to fail. */
export const conditionsBind: Rule = rule({
  id: 'conditions-bind',
  title: 'Every condition binds: it fails where the key is missing or has another value',
  reason:
    '…IfExists, Null, ForAllValues and Not… hold for a request that lacks the key, StringLike with * for every value, and a wildcard in StringEquals for none.',
  control: 'AC-3',
  severity: 'high',
  subjects: ({ model }) =>
    statementsOf(model, 'identity', 'trust', 'topic', 'queue', 'key', 'repository').filter(
      ({ statement }) => statement.conditions.length > 0,
    ),
  faults: ({ stack, statement }, { model }) =>
    statement.conditions.flatMap((condition) => {
      const { region } = model.stackOf({ stack });
      const name = `${statement.sid}: ${condition.operator} ${condition.key}`;
      return faultsOf(
        [!OPERATORS.includes(condition.operator), `${name} does not bind`],
        [
          condition.values.length === 0 || condition.values.includes(''),
          `${name} has an empty value`,
        ],
        ...condition.values.map(
          (value) =>
            [
              badWildcard(condition, value),
              `${name} = ${value} matches too much or nothing`,
            ] as const,
        ),
        [
          ['aws:SourceAccount', 'aws:ResourceAccount'].some((key) => is(condition, key)) &&
            condition.values.join() !== OWN_ACCOUNT,
          `${name} is ${condition.values.join(', ')}, not the account of the stack`,
        ],
        [
          is(condition, 'kms:ViaService') &&
            !condition.values.every((value) =>
              new RegExp(`^[a-z0-9-]+\\.${region}\\.${partitionOf(region).dnsSuffix}$`).test(value),
            ),
          `${name} is ${condition.values.join(', ')}, no service of ${region}`,
        ],
        [
          !KNOWN_KEYS.some((known) => known.test(condition.key)),
          `${name}: this key has not been reviewed`,
        ],
      );
    }),
});

const KNOWN_KEYS = [
  /^aws:(Source(Arn|Account)|ResourceAccount)$/i,
  /^aws:SecureTransport$/i,
  /^s3:prefix$/i,
  /^kms:ViaService$/i,
  /^kms:EncryptionContext:/i,
  /:(aud|sub)$/,
];

/** Actions that lead to more rights, or that destroy evidence or data. */
const ESCALATIONS =
  /^(iam|sts|organizations|account|cloudtrail|config):|^kms:(PutKeyPolicy|CreateGrant|ScheduleKeyDeletion|DisableKey)|^s3:(Delete|PutBucket|PutObjectAcl|BypassGovernance|PutLifecycle)|^sns:(AddPermission|SetTopicAttributes|DeleteTopic)|^sqs:(AddPermission|SetQueueAttributes|DeleteQueue|PurgeQueue)|^logs:(Delete|PutResourcePolicy)|^ecr:(Put|Delete|SetRepositoryPolicy)|^(ec2|eks|lambda|ssm|secretsmanager):/i;

/** No workload needs them. */
export const noEscalation: Rule = rule({
  id: 'no-escalation',
  title: 'No IAM policy allows to gain rights, run code elsewhere or destroy data',
  reason:
    'With iam:PassRole, sts:AssumeRole or a policy of its own making a role is whatever it wants to be.',
  control: 'AC-6(5)',
  severity: 'high',
  subjects: (audited) => allowed(audited).filter(({ kind }) => kind === 'identity'),
  faults: ({ statement }) =>
    statement.actions
      .filter((action) => ESCALATIONS.test(action))
      .map((action) => `${statement.sid}: ${action}`),
});

function allowed({ model }: { readonly model: Model }): readonly PlacedStatement[] {
  return statementsOf(model, 'identity', 'trust', 'topic', 'queue', 'key', 'repository').filter(
    ({ statement }) => statement.effect === 'Allow',
  );
}

function isRootOnly({ principals = [] }: PlacedStatement['statement']): boolean {
  return (
    principals.length === 1 && /^arn:[^:]+:iam::<account>:root$/.test(principals[0]?.value ?? '')
  );
}

/** What a resource policy may speak of; undefined for kinds without. */
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
  const oneOfMany = is(condition, 'aws:SourceArn') && condition.operator.startsWith('Arn');
  return !(oneOfMany && /^arn:[^:*?]+:ec2:[^:*?]+:<account>:vpc-flow-log\/\*$/.test(value));
}

/** Rules on every policy. */
export const POLICY_RULES: readonly Rule[] = [
  policyWellFormed,
  actionsAreNamed,
  resourcesAreNamed,
  conditionsBind,
  noEscalation,
];
