import { referencesIn } from '../../../src/synthesized/model/expression.ts';
import type { Model, Resource } from '../../../src/synthesized/model/model.ts';
import { OWN_ACCOUNT } from '../../policy/arn.ts';
import { policiesOf } from '../../policy/policies.ts';
import { type PolicyStatement, requiredValues } from '../../policy/policy-document.ts';
import { type Rule, rule } from '../rule.ts';
import { every, faultsOf, neighbours, read } from './attributes.ts';
import { type RoleUse, roleOfAccount, SERVICE_ACCOUNTS, subjectOf, usesOf } from './role-use.ts';

/** The audience of tokens for IAM (Amazon EKS User Guide, "IAM roles for service accounts"). */
const AUDIENCE = 'sts.amazonaws.com';

/** Roles of services. */
export const trustNamesItsService: Rule = rule({
  id: 'trust-names-its-service',
  title: 'A role trusts exactly the service that works with it, for exactly its resource',
  reason:
    'A role that trusts more can be taken by others; one that trusts less, or another service, stops what depends on it.',
  control: 'AC-3',
  severity: 'high',
  subjects: ({ model }) => model.ofType('aws_iam_role').filter((role) => !isFederated(model, role)),
  faults: (role, { model }) => {
    const uses = usesOf(model, role);
    const statements = trustOf(model, role);
    return [
      ...uses
        .filter((use) => !statements.some((statement) => serves(statement, use)))
        .map(({ by, service, source }) =>
          service === undefined
            ? `${by.address} is annotated with it, but it trusts no OIDC provider`
            : `does not let ${service} assume it for ${source ?? by.address} alone`,
        ),
      ...statements
        .filter((statement) => !uses.some((use) => serves(statement, use)))
        .map(
          ({ sid, principals = [] }) =>
            `${sid} trusts ${principals.map(({ value }) => value).join(', ')} for nothing that the stack has`,
        ),
    ];
  },
});

/** Roles of ServiceAccounts. */
export const trustNamesServiceAccount: Rule = rule({
  id: 'trust-names-service-account',
  title: 'A role for pods trusts one ServiceAccount of one cluster, with tokens for STS',
  reason:
    'Without sub every pod of the cluster gets the role, without aud tokens for others do, and with another name or operator nobody or anybody does.',
  control: 'AC-6',
  severity: 'high',
  subjects: ({ model }) => model.ofType('aws_iam_role').filter((role) => isFederated(model, role)),
  faults: (role, { model }) => {
    const accounts = neighbours(model, role, ...SERVICE_ACCOUNTS);
    const stack = model.stackOf(role);
    const annotated = accounts
      .filter((account) => stack.target(roleOfAccount(account)) === role)
      .map((account) => subjectOf(model, account));
    return [
      ...faultsOf([
        accounts.length > 0 && annotated.length === 0,
        'no ServiceAccount of the stack is annotated with it',
      ]),
      ...trustOf(model, role).flatMap((statement) => {
        const { sid, actions, principals = [], conditions } = statement;
        const issuer = issuerOf(model, role, statement);
        const keys = conditions.map(({ key }) => key.replace(/:(aud|sub)$/, ''));
        const valuesOf = (name: string) =>
          conditions
            .filter(({ operator, key }) => operator === 'StringEquals' && key.endsWith(`:${name}`))
            .flatMap(({ values }) => values);
        const subjects = valuesOf('sub');
        return faultsOf(
          [
            actions.join() !== 'sts:AssumeRoleWithWebIdentity',
            `${sid} allows ${actions.join(', ')}`,
          ],
          [
            principals.length !== 1 || principals[0]?.type !== 'Federated' || issuer === undefined,
            `${sid} trusts ${principals.map(({ value }) => value).join(', ')}, not the one OIDC provider of the cluster`,
          ],
          [
            issuer !== undefined && keys.some((key) => !issuer(key)),
            `${sid}: a condition is on ${keys.join(', ')}, not on the issuer of the trusted provider`,
          ],
          [
            valuesOf('aud').join() !== AUDIENCE,
            `${sid}: StringEquals on aud must be ${AUDIENCE}, not ${valuesOf('aud').join(', ') || 'missing'}`,
          ],
          [
            subjects.length === 0 ||
              subjects.some(
                (subject) => !/^system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+$/.test(subject),
              ),
            `${sid}: StringEquals on sub must name ServiceAccounts, not ${subjects.join(', ') || 'missing'}`,
          ],
          [
            annotated.length > 0 && [...annotated].sort().join() !== [...subjects].sort().join(),
            `${sid}: sub is ${subjects.join(', ')}, annotated with the role is ${annotated.join(', ')}`,
          ],
        );
      }),
    ];
  },
});

/** ServiceAccounts that ask for a role. */
export const serviceAccountRole: Rule = rule({
  id: 'service-account-role-trusts-it',
  title: 'The role that a ServiceAccount is annotated with is one for pods',
  reason:
    'With the role of the nodes or of the cluster, or none that exists, the pods get no credentials, or too many.',
  control: 'AC-6',
  severity: 'high',
  subjects: ({ model }) =>
    model.ofType(...SERVICE_ACCOUNTS).filter((account) => roleOfAccount(account) !== undefined),
  faults: (account, { model }) => {
    const role = model.stackOf(account).target(roleOfAccount(account));
    return faultsOf(
      [
        role?.type !== 'aws_iam_role',
        `annotated with ${String(roleOfAccount(account))}, which is no role of the stack`,
      ],
      [
        role?.type === 'aws_iam_role' && !isFederated(model, role),
        `annotated with ${role?.address}, which trusts no OIDC provider`,
      ],
    );
  },
});

/** The provider makes tokens of the cluster's pods good for STS. */
export const oidcProviderOfCluster: Rule = rule({
  id: 'oidc-provider-of-cluster',
  title: "The OIDC provider is the cluster's issuer, for STS alone",
  reason: 'Another issuer, or more audiences, lets somebody else make tokens that IAM takes.',
  control: 'IA-8(2)',
  severity: 'high',
  subjects: every('aws_iam_openid_connect_provider'),
  faults: (provider, { model }) => {
    const { target, text, list } = read(model, provider);
    return faultsOf(
      [
        target('url')?.type !== 'aws_eks_cluster' || !/oidc\[?.*issuer/.test(text('url')),
        `url must be the issuer of a cluster of the stack, not ${text('url')}`,
      ],
      [
        list('thumbprint_list').some(
          (thumbprint) => !/^([0-9a-f]{40}|\$\{.*\})$/s.test(String(thumbprint)),
        ),
        `thumbprint_list is ${list('thumbprint_list').join(', ')}: must be SHA-1 in hexadecimal`,
      ],
      [
        list('client_id_list').map(String).join() !== AUDIENCE,
        `client_id_list must be ${AUDIENCE} alone, not ${list('client_id_list').join(', ')}`,
      ],
    );
  },
});

function serves(statement: PolicyStatement, { service, source }: RoleUse): boolean {
  const { effect, actions, principals = [], conditions } = statement;
  const [principal, ...others] = principals;
  if (effect !== 'Allow' || actions.join() !== 'sts:AssumeRole' || others.length > 0) return false;
  if (service === undefined || principal?.type !== 'Service' || principal.value !== service)
    return false;
  if (source === undefined) return conditions.length === 0;
  return (
    requiredValues(statement, 'aws:SourceArn').join() === source &&
    requiredValues(statement, 'aws:SourceAccount').join() === OWN_ACCOUNT
  );
}

function isFederated(model: Model, role: Resource): boolean {
  return trustOf(model, role).some(({ principals = [] }) =>
    principals.some(({ type }) => type === 'Federated'),
  );
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

/** Rules on who may assume roles. */
export const TRUST_RULES: readonly Rule[] = [
  trustNamesItsService,
  trustNamesServiceAccount,
  serviceAccountRole,
  oidcProviderOfCluster,
];
