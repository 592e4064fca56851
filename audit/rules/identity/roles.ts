import { partitionOf } from '@file-processing/contract/partition.ts';
import { referencesIn } from '../../../src/synthesized/model/expression.ts';
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
  statementsOfRole,
} from '../../policy/policies.ts';
import {
  allows,
  conditionsOn,
  matchesPattern,
  type PolicyStatement,
  requiredValues,
} from '../../policy/policy-document.ts';
import {
  every,
  isAutoscalerRole,
  listOf,
  neighbours,
  read,
  referring,
} from '../readers/resources.ts';
import { type Rule, rule } from '../rule.ts';
import roles from './roles.json' with { type: 'json' };

/** One use of a role. */
interface RoleUse {
  /** What the role is for: a kind of roles.json, or pods with one ServiceAccount. */
  readonly kind: string;
  /** The cluster, node group, flow log, topic, instance of a database or ServiceAccount. */
  readonly by: Resource;
  /** Service that assumes the role; undefined for a workload. */
  readonly service?: string;
  /** What `aws:SourceArn` is when it does; undefined where the service gives none. */
  readonly source?: string;
  /** Tags of the session that EKS Pod Identity makes, for whom it makes it. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A use of a role by a service of AWS, in one row of roles.json. */
interface ServiceUse {
  readonly kind: string;
  readonly types: readonly string[];
  /** Pattern of the arguments that name the role. */
  readonly argument: string;
  readonly service: string;
  /** AWS's policies that it asks for. */
  readonly awsPolicies: readonly string[];
  /** Actions that the role may have beside those that it needs. */
  readonly tolerated: readonly string[];
}

const USES: readonly ServiceUse[] = roles.uses;

const useOf = (kind: string) => USES.find((use) => use.kind === kind);

/** Types of ServiceAccounts in the Kubernetes provider. */
const SERVICE_ACCOUNTS = ['kubernetes_service_account', 'kubernetes_service_account_v1'];

/** The annotation by which EKS gives pods a role (Amazon EKS User Guide, "IAM roles for service accounts"). */
export const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn';

/** Every use of a role in its stack. */
export function usesOf(model: Model, role: Resource): readonly RoleUse[] {
  const stack = model.stackOf(role);
  const refersTo = (value: unknown) => stack.target(value) === role;
  const suffix = partitionOf(stack.region).dnsSuffix;
  const byServices = USES.flatMap(({ kind, types, argument, service }) =>
    neighbours(model, role, ...types)
      .filter(({ attributes }) =>
        Object.entries(attributes).some(
          ([name, value]) => new RegExp(argument).test(name) && refersTo(value),
        ),
      )
      .map((by) => ({
        ...{ kind, by, service: service.replace('<suffix>', suffix) },
        source: sourceOf(model, kind, by),
      })),
  );
  const byPods = neighbours(model, role, ...SERVICE_ACCOUNTS)
    .filter((account) => refersTo(roleOfAccount(account)))
    .map((by) => ({ kind: 'workload' as const, by }));
  const byAssociations = neighbours(model, role, 'aws_eks_pod_identity_association')
    .filter(({ attributes }) => refersTo(attributes.role_arn))
    .map((by) => {
      const { text } = read(model, by);
      const tags = {
        'eks-cluster-arn': clusterArn(stack, text('cluster_name')),
        'kubernetes-namespace': text('namespace'),
        'kubernetes-service-account': text('service_account'),
      };
      return { kind: 'workload' as const, by, service: POD_IDENTITY, tags };
    });
  return [...byServices, ...byPods, ...byAssociations];
}

/** The service that gives pods a role (Amazon EKS User Guide, "EKS Pod Identity"). */
const POD_IDENTITY = 'pods.eks.amazonaws.com';

function clusterArn({ partition, region }: StackModel, name: string): string {
  return `arn:${partition}:eks:${region}:${OWN_ACCOUNT}:cluster/${name}`;
}

/**
 * What EKS Pod Identity may take a role for without an association: a ServiceAccount whose tokens it trusts, while
 * identity is switched.
 */
function duringSwitch(model: Model, role: Resource): readonly RoleUse[] {
  const stack = model.stackOf(role);
  const subjects = trustOf(model, role)
    .filter(isOfTokens)
    .flatMap(({ conditions }) => conditions.filter(({ key }) => key.endsWith(':sub')))
    .flatMap(({ values }) => values.map((subject) => subject.split(':')));
  return [...stack.resources, ...stack.data]
    .filter(({ type }) => type === 'aws_eks_cluster')
    .flatMap((by) =>
      subjects.map(([, , namespace = '', name = '']) => ({
        ...{ kind: 'workload' as const, by, service: POD_IDENTITY },
        tags: {
          'eks-cluster-arn': clusterArn(stack, canonical(stack, by.attributes.name)),
          'kubernetes-namespace': namespace,
          'kubernetes-service-account': name,
        },
      })),
    );
}

/** What a ServiceAccount is annotated with; undefined for none. */
function roleOfAccount({ attributes }: Resource): unknown {
  const annotations = valueAt(attributes, 'metadata.annotations');
  return typeof annotations === 'object' && annotations !== null
    ? (annotations as Readonly<Record<string, unknown>>)[ROLE_ANNOTATION]
    : undefined;
}

/** The subject of a ServiceAccount's tokens. */
function subjectOf(model: Model, account: Resource): string {
  const stack = model.stackOf(account);
  const text = (path: string) => canonical(stack, valueAt(account.attributes, path));
  return `system:serviceaccount:${text('metadata.namespace') || 'default'}:${text('metadata.name')}`;
}

/** What `aws:SourceArn` is when a service takes a role for a resource; undefined for nodes, for which EC2 gives none. */
function sourceOf(model: Model, kind: string, by: Resource): string | undefined {
  const stack = model.stackOf(by);
  const { region, partition } = stack;
  switch (kind) {
    case 'nodes':
      return undefined;
    case 'flow-log':
      return `arn:${partition}:ec2:${region}:${OWN_ACCOUNT}:vpc-flow-log/*`;
    case 'database': {
      const role = (instance: Resource) => stack.target(instance.attributes.monitoring_role_arn);
      const names = neighbours(model, by, ...(useOf(kind)?.types ?? []))
        .filter((instance) => role(instance) === role(by))
        .map(({ attributes }) => canonical(stack, attributes.identifier));
      return names.map((name) => `arn:${partition}:rds:${region}:${OWN_ACCOUNT}:db:${name}`).join();
    }
    default:
      return arnOf(stack, by) ?? '';
  }
}

/** An action that a role needs, on something. */
export interface Need {
  readonly action: string;
  readonly on: string;
}

/** Some actions that are needed on one thing. */
export function needs(on: string, ...actions: readonly string[]): readonly Need[] {
  return actions.map((action) => ({ action, on }));
}

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

/** Name of the policy of AWS that an attachment is of; empty for one of our own. */
function awsPolicyOf({ attributes }: Resource): string {
  return (
    /^arn:[^:]+:iam::aws:policy\/(?:.*\/)?([^/]+)$/.exec(String(attributes.policy_arn))?.[1] ?? ''
  );
}

function needsOf(model: Model, { kind, by }: RoleUse): readonly Need[] {
  const { text, target, stack } = read(model, by);
  if (kind === 'cluster') {
    const key = listOf(text('encryption_config.provider.key_arn')).map(String).filter(Boolean);
    return key.flatMap((on) =>
      needs(on, 'kms:Encrypt', 'kms:Decrypt', 'kms:ListGrants', 'kms:DescribeKey'),
    );
  }
  if (kind === 'flow-log') {
    const group = target('log_destination');
    const arn = (group && arnOf(stack, group)) ?? text('log_destination');
    return [
      ...needs(arn, 'logs:DescribeLogGroups', 'logs:DescribeLogStreams'),
      ...needs(`${arn}:log-stream:x`, 'logs:CreateLogStream', 'logs:PutLogEvents'),
    ];
  }
  if (kind === 'topic') {
    const base = `arn:${stack.partition}:logs:${stack.region}:${OWN_ACCOUNT}:log-group:${deliveryLog(model, by)}`;
    return [base, `${base}/Failure`].flatMap((arn) => [
      ...needs(arn, 'logs:CreateLogGroup', 'logs:PutMetricFilter', 'logs:PutRetentionPolicy'),
      ...needs(`${arn}:log-stream:x`, 'logs:CreateLogStream', 'logs:PutLogEvents'),
    ]);
  }
  return [];
}

/** Name of the log group that SNS writes how deliveries ended to (Amazon SNS Developer Guide). */
export function deliveryLog(model: Model, topic: Resource): string {
  const { stack, text } = read(model, topic);
  return `sns/${stack.region}/${OWN_ACCOUNT}/${text('name')}`;
}

/** The audience of tokens for IAM (Amazon EKS User Guide, "IAM roles for service accounts"). */
const AUDIENCE = 'sts.amazonaws.com';

function serves(statement: PolicyStatement, { service, source, tags }: RoleUse): boolean {
  const { effect, actions, principals = [], conditions } = statement;
  const [principal, ...others] = principals;
  const wanted = tags === undefined ? 'sts:AssumeRole' : 'sts:AssumeRole,sts:TagSession';
  if (effect !== 'Allow' || [...actions].sort().join() !== wanted || others.length > 0)
    return false;
  if (service === undefined || principal?.type !== 'Service' || principal.value !== service)
    return false;
  if (tags !== undefined) {
    return (
      requiredValues(statement, 'aws:SourceAccount').join() === OWN_ACCOUNT &&
      Object.entries(tags).every(
        ([tag, value]) => requiredValues(statement, `aws:RequestTag/${tag}`).join() === value,
      )
    );
  }
  if (source === undefined) return conditions.length === 0;
  return (
    requiredValues(statement, 'aws:SourceArn').join() === source &&
    requiredValues(statement, 'aws:SourceAccount').join() === OWN_ACCOUNT
  );
}

function isFederated(model: Model, role: Resource): boolean {
  return trustOf(model, role).some(isOfTokens);
}

/** Whether a statement is about tokens of an OIDC provider: another rule judges these. */
function isOfTokens({ principals = [] }: PolicyStatement): boolean {
  return principals.some(({ type }) => type === 'Federated');
}

function trustOf(model: Model, role: Resource): readonly PolicyStatement[] {
  return policiesOf(model)
    .filter(({ kind, holder }) => kind === 'trust' && holder === role)
    .flatMap(({ document }) => document?.statements ?? []);
}

/** Whether the start of a condition's key is the issuer of the trusted provider. */
function issuerOf(
  model: Model,
  role: Resource,
  { principals = [] }: PolicyStatement,
): ((key: string) => boolean) | undefined {
  const value = principals[0]?.value ?? '';
  const literal = /^arn:[^:]+:iam::[^:]+:oidc-provider\/(.+)$/.exec(value)?.[1];
  if (literal !== undefined) return (key) => key === literal;
  const stack = model.stackOf(role);
  const provider = stack.target(value);
  if (provider?.type !== 'aws_iam_openid_connect_provider') return undefined;
  const cluster = stack.target(provider.attributes.url)?.address;
  return (key) =>
    referencesIn(key).some(
      ({ address, attribute }) =>
        // The issuer is a URL; IAM names it without its scheme.
        (address === cluster && attribute.endsWith('issuer') && key.includes('"https://"')) ||
        (address === provider.address && attribute === 'url'),
    );
}

/** Rules on who may assume roles, and on what these may do. */
export const ROLE_RULES: readonly Rule[] = [
  rule({
    id: 'aws-policies-of-role',
    subjects: every('aws_iam_role'),
    faults: (role, { model }) => {
      const wanted = usesOf(model, role).flatMap(({ kind }) => useOf(kind)?.awsPolicies ?? []);
      const has = referring(model, role, 'aws_iam_role_policy_attachment', 'role')
        .map(awsPolicyOf)
        .filter(Boolean);
      return [
        ...wanted.filter((name) => !has.includes(name)).map((name) => `lacks ${name}`),
        ...has.filter((name) => !wanted.includes(name)).map((name) => `has ${name}`),
      ];
    },
  }),
  rule({
    id: 'attachments-connect',
    subjects: every('aws_iam_role_policy_attachment', 'aws_iam_role_policy'),
    faults: (resource, { model }) => {
      const { target, text } = read(model, resource);
      const faults =
        target('role')?.type === 'aws_iam_role' ? [] : ['role is not a role of the stack'];
      if (resource.type === 'aws_iam_role_policy') return faults;
      const own = target('policy_arn')?.type === 'aws_iam_policy';
      const byAws = /^arn:[^:]+:iam::aws:policy\//.test(text('policy_arn'));
      return own || byAws ? faults : [...faults, `policy_arn is ${text('policy_arn')}`];
    },
  }),
  rule({
    id: 'roles-have-one-boundary',
    subjects: every('aws_iam_role'),
    faults: (role, { model, settings }) => {
      const boundaryOf = (other: Resource) =>
        String(read(model, other).at('permissions_boundary') ?? '');
      const own = boundaryOf(role);
      const wanted = settings?.[role.stack]?.permissions_boundary_arn;
      const others = model.ofType('aws_iam_role').map(boundaryOf).filter(Boolean);
      return [
        wanted !== undefined &&
          wanted !== own &&
          `permissions_boundary is ${own || 'absent'}; permissions_boundary_arn of the settings is ${wanted || 'absent'}`,
        wanted === undefined &&
          others.some((boundary) => boundary !== own) &&
          `permissions_boundary is ${own || 'absent'}; other roles have ${[...new Set(others)].join(', ')}`,
        /^arn:[^:]+:iam::aws:policy\/AdministratorAccess$/.test(own) &&
          `permissions_boundary is ${own}, which allows everything`,
      ];
    },
  }),
  rule({
    id: 'service-role-allows-its-work',
    subjects: ({ model }) =>
      model
        .ofType('aws_iam_role')
        .filter((role) => usesOf(model, role).some(({ kind }) => kind !== 'workload')),
    faults: (role, { model }) => {
      const uses = usesOf(model, role);
      const needed = uses.flatMap((use) => needsOf(model, use));
      const statements = statementsOfRole(model, role).map(({ statement }) => statement);
      const known = new Set([
        ...needed.map(({ action }) => action),
        ...uses.flatMap(({ kind }) => useOf(kind)?.tolerated ?? []),
      ]);
      return [
        ...needed
          .filter(({ action, on }) => !grants(statements, action, on))
          .map(({ action, on }) => `may not ${action} on ${on}`),
        ...statements
          .filter(({ effect }) => effect === 'Allow')
          .flatMap(({ sid, actions, resources, conditions }) => [
            ...actions
              .filter((action) => !known.has(action))
              .map((action) => `${sid}: does not need ${action}`),
            conditions.some(({ key }) => !/^aws:ResourceAccount$/i.test(key)) &&
              `${sid} has conditions that the service may not meet`,
            ...resources
              .filter(
                (pattern) =>
                  !needed.some(({ on }) =>
                    [pattern, `${pattern}:*`].some((form) => matchesPattern(form, on)),
                  ),
              )
              .map((pattern) => `${sid}: ${pattern} is nothing that it works with`),
          ]),
      ];
    },
  }),
  rule({
    id: 'key-use-is-bounded',
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
  }),
  rule({
    id: 'trust-names-its-service',
    subjects: every('aws_iam_role'),
    faults: (role, { model }) => {
      const federated = isFederated(model, role);
      const uses = usesOf(model, role).filter(({ service }) => service !== undefined || !federated);
      const known = [...uses, ...(federated ? duringSwitch(model, role) : [])];
      const statements = trustOf(model, role).filter((statement) => !isOfTokens(statement));
      return [
        ...uses
          .filter((use) => !statements.some((statement) => serves(statement, use)))
          .map(({ by, service, source }) =>
            service === undefined
              ? `${by.address} is annotated with it, but it trusts no OIDC provider`
              : `does not allow ${service} to assume it for ${source ?? by.address} alone`,
          ),
        ...statements
          .filter(({ effect }) => effect !== 'Deny')
          .filter((statement) => !known.some((use) => serves(statement, use)))
          .map(
            ({ sid, principals = [] }) =>
              `${sid} trusts ${principals.map(({ value }) => value).join(', ')} for nothing that the stack has`,
          ),
      ];
    },
  }),
  rule({
    id: 'trust-names-service-account',
    subjects: ({ model }) =>
      model.ofType('aws_iam_role').filter((role) => isFederated(model, role)),
    faults: (role, { model }) => {
      const accounts = neighbours(model, role, ...SERVICE_ACCOUNTS);
      const stack = model.stackOf(role);
      const annotated = accounts
        .filter((account) => stack.target(roleOfAccount(account)) === role)
        .map((account) => subjectOf(model, account));
      return [
        accounts.length > 0 &&
          annotated.length === 0 &&
          !isAutoscalerRole(role) &&
          'no ServiceAccount of the stack is annotated with it',
        ...trustOf(model, role)
          .filter(isOfTokens)
          .flatMap((statement) => {
            const { sid, actions, principals = [], conditions } = statement;
            const issuer = issuerOf(model, role, statement);
            // What narrows any request says nothing of the issuer.
            const keys = conditions
              .map(({ key }) => key.replace(/:(aud|sub)$/, ''))
              .filter((key) => !/^aws:(RequestedRegion|SecureTransport)$/i.test(key));
            const valuesOf = (name: string) =>
              conditions
                .filter(
                  ({ operator, key }) => operator === 'StringEquals' && key.endsWith(`:${name}`),
                )
                .flatMap(({ values }) => values);
            const subjects = valuesOf('sub');
            return [
              actions.join() !== 'sts:AssumeRoleWithWebIdentity' &&
                `${sid} allows ${actions.join(', ')}`,
              (principals.length !== 1 ||
                principals[0]?.type !== 'Federated' ||
                issuer === undefined) &&
                `${sid} trusts ${principals.map(({ value }) => value).join(', ')}, not the one OIDC provider of the cluster`,
              issuer !== undefined &&
                keys.some((key) => !issuer(key)) &&
                `${sid}: a condition is on ${keys.join(', ')}, not on the issuer of the trusted provider`,
              valuesOf('aud').join() !== AUDIENCE &&
                `${sid}: StringEquals on aud must be ${AUDIENCE}, not ${valuesOf('aud').join(', ') || 'missing'}`,
              (subjects.length === 0 ||
                subjects.some(
                  (subject) => !/^system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+$/.test(subject),
                )) &&
                `${sid}: StringEquals on sub must name ServiceAccounts, not ${subjects.join(', ') || 'missing'}`,
              annotated.length > 0 &&
                [...annotated].sort().join() !== [...subjects].sort().join() &&
                `${sid}: sub is ${subjects.join(', ')}, annotated with the role is ${annotated.join(', ')}`,
            ];
          }),
      ];
    },
  }),
  rule({
    id: 'oidc-provider-of-cluster',
    subjects: every('aws_iam_openid_connect_provider'),
    faults: (provider, { model }) => {
      const { target, text, list } = read(model, provider);
      return [
        (target('url')?.type !== 'aws_eks_cluster' || !/oidc\[?.*issuer/.test(text('url'))) &&
          `url must be the issuer of a cluster of the stack, not ${text('url')}`,
        list('thumbprint_list').some(
          (thumbprint) => !/^([0-9a-f]{40}|\$\{.*\})$/s.test(String(thumbprint)),
        ) &&
          `thumbprint_list is ${list('thumbprint_list').join(', ')}: must be SHA-1 in hexadecimal`,
        list('client_id_list').map(String).join() !== AUDIENCE &&
          `client_id_list must be ${AUDIENCE} alone, not ${list('client_id_list').join(', ')}`,
      ];
    },
  }),
];
