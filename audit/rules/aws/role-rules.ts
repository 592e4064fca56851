import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import { arnOf, OWN_ACCOUNT } from '../../policy/arn.ts';
import { statementsOfRole } from '../../policy/policies.ts';
import {
  allows,
  conditionsOn,
  matchesPattern,
  type PolicyStatement,
} from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import { every, listOf, neighbours, read } from './attributes.ts';
import { type RoleKind, type RoleUse, usesOf } from './role-use.ts';

/** AWS's policies by the use of a role (Amazon EKS User Guide, "Cluster IAM role" and "Node IAM role"). */
const AWS_POLICIES: Readonly<Record<RoleKind, readonly string[]>> = {
  cluster: ['AmazonEKSClusterPolicy'],
  nodes: [
    'AmazonEKSWorkerNodePolicy',
    'AmazonEKS_CNI_Policy',
    'AmazonEC2ContainerRegistryReadOnly',
  ],
  'flow-log': [],
  topic: [],
  workload: [],
};

/** AWS's policies on roles. */
export const awsPoliciesOfRole: Rule = rule({
  id: 'aws-policies-of-role',
  title: 'A role has the policies of AWS that its use asks for, and no other',
  reason:
    'Nodes without one of their three policies never join; AdministratorAccess or AmazonS3FullAccess on a node is a right of every pod that reaches its metadata.',
  control: 'AC-6',
  severity: 'high',
  subjects: every('aws_iam_role'),
  faults: (role, { model }) => {
    const wanted = usesOf(model, role).flatMap(({ kind }) => AWS_POLICIES[kind]);
    const has = attachmentsOf(model, role).map(awsPolicyOf).filter(Boolean);
    return [
      ...wanted.filter((name) => !has.includes(name)).map((name) => `lacks ${name}`),
      ...has.filter((name) => !wanted.includes(name)).map((name) => `has ${name}`),
    ];
  },
});

/** Attachments whose role or policy is no resource of the stack. */
export const attachmentsConnect: Rule = rule({
  id: 'attachments-connect',
  title: 'Every attachment joins a role of the stack and a policy of the stack or of AWS',
  reason:
    "A policy of another account's making, or on a role of another stack, is a right that nobody here sees.",
  control: 'AC-6',
  severity: 'medium',
  subjects: every('aws_iam_role_policy_attachment', 'aws_iam_role_policy'),
  faults: (resource, { model }) => {
    const { target, text } = read(model, resource);
    const faults = target('role')?.type === 'aws_iam_role' ? [] : ['role is no role of the stack'];
    if (resource.type === 'aws_iam_role_policy') return faults;
    const own = target('policy_arn')?.type === 'aws_iam_policy';
    const byAws = /^arn:[^:]+:iam::aws:policy\//.test(text('policy_arn'));
    return own || byAws ? faults : [...faults, `policy_arn is ${text('policy_arn')}`];
  },
});

interface Need {
  readonly action: string;
  readonly on: string;
}

/** Actions that a role of a use may have beside those that it needs. */
const TOLERATED: Readonly<Record<RoleKind, readonly string[]>> = {
  cluster: [],
  nodes: [],
  'flow-log': ['logs:CreateLogGroup'],
  topic: [],
  workload: [],
};

/** Roles of services: their rights against what their resource needs. */
export const serviceRoleFits: Rule = rule({
  id: 'service-role-fits',
  title: 'The role of a service may do what its resource needs, and nothing else',
  reason:
    'A flow log, delivery log or cluster whose role lacks a right fails in silence; a right beyond that is there for whoever takes the service over.',
  control: 'AC-6',
  severity: 'high',
  subjects: ({ model }) =>
    model
      .ofType('aws_iam_role')
      .filter((role) => usesOf(model, role).some(({ kind }) => kind !== 'workload')),
  faults: (role, { model }) => {
    const uses = usesOf(model, role);
    const needs = uses.flatMap((use) => needsOf(model, use));
    const statements = statementsOfRole(model, role).map(({ statement }) => statement);
    const known = new Set([
      ...needs.map(({ action }) => action),
      ...uses.flatMap(({ kind }) => TOLERATED[kind]),
    ]);
    return [
      ...needs
        .filter(({ action, on }) => !grants(statements, action, on))
        .map(({ action, on }) => `may not ${action} on ${on}`),
      ...statements
        .filter(({ effect }) => effect === 'Allow')
        .flatMap(({ actions, sid }) =>
          actions
            .filter((action) => !known.has(action))
            .map((action) => `${sid}: needs no ${action}`),
        ),
      ...statements
        .filter(({ effect, conditions }) => effect === 'Allow' && conditions.length > 0)
        .map(({ sid }) => `${sid} has conditions that the service may not meet`),
      ...statements.flatMap(({ sid, effect, resources }) =>
        effect !== 'Allow'
          ? []
          : resources
              .filter(
                (pattern) =>
                  !needs.some(({ on }) =>
                    [pattern, `${pattern}:*`].some((form) => matchesPattern(form, on)),
                  ),
              )
              .map((pattern) => `${sid}: ${pattern} is nothing that it works with`),
      ),
    ];
  },
});

/** Whether one of the statements allows an action on something. */
export function grants(
  statements: readonly PolicyStatement[],
  action: string,
  on: string,
): boolean {
  return statements.some(
    (statement) =>
      allows(statement, action) &&
      statement.resources.some((pattern) => matchesPattern(pattern, on)),
  );
}

/** Statements that allow use of a key must say through which service, or for what. */
export const keyUseIsBounded: Rule = rule({
  id: 'key-use-is-bounded',
  title: 'Pods use a key only through the service whose data it encrypts',
  reason: 'Without kms:ViaService the role decrypts whatever anybody encrypted with the key.',
  control: 'AC-4',
  severity: 'medium',
  subjects: ({ model }) =>
    model
      .ofType('aws_iam_role')
      .filter((role) => usesOf(model, role).every(({ kind }) => kind === 'workload'))
      .flatMap((role) => statementsOfRole(model, role))
      .filter(({ statement }) => statement.effect === 'Allow')
      .filter(({ statement }) => statement.actions.some((action) => /^kms:/i.test(action))),
  faults: ({ statement }) =>
    conditionsOn(statement, 'kms:ViaService').length > 0 ||
    statement.conditions.some(({ key }) => key.startsWith('kms:EncryptionContext:'))
      ? []
      : [`${statement.sid}: no condition on kms:ViaService or kms:EncryptionContext`],
});

function attachmentsOf(model: Model, role: Resource): readonly Resource[] {
  const stack = model.stackOf(role);
  return neighbours(model, role, 'aws_iam_role_policy_attachment').filter(
    ({ attributes }) => stack.target(attributes.role) === role,
  );
}

/** Name of the policy of AWS that an attachment is of; empty for one of our own. */
function awsPolicyOf({ attributes }: Resource): string {
  return (
    /^arn:[^:]+:iam::aws:policy\/(?:.*\/)?([^/]+)$/.exec(String(attributes.policy_arn))?.[1] ?? ''
  );
}

function needsOf(model: Model, { kind, by }: RoleUse): readonly Need[] {
  const { text, target, stack } = read(model, by);
  const each = (on: string, ...actions: readonly string[]) =>
    actions.map((action) => ({ action, on }));
  if (kind === 'cluster') {
    const key = listOf(text('encryption_config.provider.key_arn')).map(String).filter(Boolean);
    return key.flatMap((on) =>
      each(on, 'kms:Encrypt', 'kms:Decrypt', 'kms:ListGrants', 'kms:DescribeKey'),
    );
  }
  if (kind === 'flow-log') {
    const group = target('log_destination');
    const arn = (group && arnOf(stack, group)) ?? text('log_destination');
    return [
      ...each(arn, 'logs:DescribeLogGroups', 'logs:DescribeLogStreams'),
      ...each(`${arn}:log-stream:x`, 'logs:CreateLogStream', 'logs:PutLogEvents'),
    ];
  }
  if (kind === 'topic') {
    const base = `arn:${stack.partition}:logs:${stack.region}:${OWN_ACCOUNT}:log-group:${deliveryLog(model, by)}`;
    return [base, `${base}/Failure`].flatMap((arn) => [
      ...each(arn, 'logs:CreateLogGroup', 'logs:PutMetricFilter', 'logs:PutRetentionPolicy'),
      ...each(`${arn}:log-stream:x`, 'logs:CreateLogStream', 'logs:PutLogEvents'),
    ]);
  }
  return [];
}

/** Name of the log group that SNS writes how deliveries ended to (Amazon SNS Developer Guide). */
export function deliveryLog(model: Model, topic: Resource): string {
  const { stack, text } = read(model, topic);
  return `sns/${stack.region}/${OWN_ACCOUNT}/${text('name')}`;
}

/** Rules on what roles may do. */
export const ROLE_RULES: readonly Rule[] = [
  awsPoliciesOfRole,
  attachmentsConnect,
  serviceRoleFits,
  keyUseIsBounded,
];
