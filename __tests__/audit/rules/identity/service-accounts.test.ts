import { ROLE_ANNOTATION } from '../../../../audit/rules/identity/roles.ts';
import { SERVICE_ACCOUNT_RULES } from '../../../../audit/rules/identity/service-accounts.ts';
import { describeRules } from '../../support/describe-rules.ts';
import {
  annotation,
  DEPLOYMENT,
  POD,
  SERVICE_ACCOUNT,
  TEMPLATE,
} from '../../support/kubernetes-paths.ts';
import {
  addObject,
  all,
  argumentOf,
  type Change,
  drop,
  set,
} from '../../support/kubernetes-plants.ts';
import type { Json } from '../../support/renamed-stack.ts';

const ROLE = 'kubernetes_role_v1';
const BINDING = 'kubernetes_role_binding_v1';
const account = (key: string, value: string): Change =>
  set(SERVICE_ACCOUNT, annotation(`eks.amazonaws.com/${key}`), value);
const role = (rule: Json): Change =>
  addObject(ROLE, 'role', {
    rule: [{ api_groups: [''], resources: ['configmaps'], verbs: ['get'], ...rule }],
  });

function template(key: string, value: string): Change {
  return set(
    DEPLOYMENT,
    [...TEMPLATE.split('.'), 'metadata', 'annotations', `eks.amazonaws.com/${key}`],
    value,
  );
}

/** The account gets the role whose trust policy holds a text. */
function roleOf(trust: RegExp): Change {
  return (json) => {
    const roles = (json.resource as Record<string, Record<string, Json>>).aws_iam_role ?? {};
    const [name] =
      Object.entries(roles).find(([, block]) => trust.test(String(block.assume_role_policy))) ?? [];
    if (name === undefined) throw new Error(`No role trusts ${trust}`);
    account('role-arn', `\${aws_iam_role.${name}.arn}`)(json);
  };
}

function trusted(pattern: RegExp, by: string): Change {
  return (json) => {
    const roles = (json.resource as Record<string, Record<string, Json>>).aws_iam_role ?? {};
    for (const block of Object.values(roles)) {
      block.assume_role_policy = String(block.assume_role_policy).replace(pattern, by);
    }
  };
}

function binding(role_ref: Json, subject: Json): Change {
  return all(role({}), (json) =>
    addObject(BINDING, 'bound', {
      role_ref: { api_group: 'rbac.authorization.k8s.io', kind: 'Role', name: 'role', ...role_ref },
      subject: [
        {
          kind: 'ServiceAccount',
          name: argumentOf(json, SERVICE_ACCOUNT, 'metadata.name'),
          namespace: argumentOf(json, SERVICE_ACCOUNT, 'metadata.namespace'),
          ...subject,
        },
      ],
    })(json),
  );
}

describeRules(SERVICE_ACCOUNT_RULES, {
  objects: {
    'pod-has-no-api-token': [
      ['a token of the pod', set(DEPLOYMENT, `${POD}.automount_service_account_token`, true)],
      ["the provider's default", drop(DEPLOYMENT, `${POD}.automount_service_account_token`)],
      ['a token of the account', set(SERVICE_ACCOUNT, 'automount_service_account_token', true)],
      ['no word of the account', drop(SERVICE_ACCOUNT, 'automount_service_account_token')],
    ],
    'service-account-has-its-role': [
      ['no role', drop(SERVICE_ACCOUNT, annotation(ROLE_ANNOTATION))],
      ['a role of another account', account('role-arn', 'arn:aws-us-gov:iam::210987654321:role/x')],
      ["the nodes' role", roleOf(/"Service":"ec2/)],
      ["the cluster's role", roleOf(/"Service":"eks\./)],
      ['a renamed account', set(SERVICE_ACCOUNT, 'metadata.name', 'renamed')],
      ['another account of the pod', set(DEPLOYMENT, `${POD}.service_account_name`, 'another')],
      [
        'another name of both, which no role trusts',
        all(
          set(SERVICE_ACCOUNT, 'metadata.name', 'renamed'),
          set(DEPLOYMENT, `${POD}.service_account_name`, 'renamed'),
        ),
      ],
      [
        'another account that is trusted',
        trusted(/serviceaccount:([^:]+):[^"]+/, 'serviceaccount:$1:other'),
      ],
      [
        'another namespace that is trusted',
        trusted(/serviceaccount:[^:]+:/, 'serviceaccount:other:'),
      ],
      ['no account by name', trusted(/:sub"/, ':azp"')],
    ],
    'role-is-injected': [
      ['a container without the role', template('skip-containers', 'any')],
      ['a token of another region', account('sts-regional-endpoints', 'false')],
      ['a token of a minute', account('token-expiration', '60')],
      ['another audience', account('audience', 'example.org')],
    ],
    'cluster-rights-are-narrow': [
      [
        'a container in a running pod',
        role({ api_groups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'] }),
      ],
      [
        'certificates for anybody',
        role({
          api_groups: ['certificates.k8s.io'],
          resources: ['certificatesigningrequests/approval'],
          verbs: ['update'],
        }),
      ],
      [
        'webhooks',
        role({
          api_groups: ['admissionregistration.k8s.io'],
          resources: ['mutatingwebhookconfigurations'],
          verbs: ['create'],
        }),
      ],
      [
        'policies of admission',
        role({
          api_groups: ['admissionregistration.k8s.io'],
          resources: ['validatingadmissionpolicies'],
          verbs: ['delete'],
        }),
      ],
      [
        'volumes on nodes',
        role({ api_groups: [''], resources: ['persistentvolumes'], verbs: ['create'] }),
      ],
      [
        'ConfigMaps that policies read',
        role({ api_groups: [''], resources: ['configmaps'], verbs: ['update'] }),
      ],
      [
        'Secrets that others read',
        role({ api_groups: [''], resources: ['secrets'], verbs: ['create'] }),
      ],
      [
        'network policies',
        role({
          api_groups: ['networking.k8s.io'],
          resources: ['networkpolicies'],
          verbs: ['delete'],
        }),
      ],
      [
        'rights',
        role({
          api_groups: ['rbac.authorization.k8s.io'],
          resources: ['rolebindings'],
          verbs: ['create'],
        }),
      ],
      [
        'labels of namespaces',
        role({ api_groups: [''], resources: ['namespaces'], verbs: ['patch'] }),
      ],

      ['every verb', role({ verbs: ['*'] })],
      ['every kind', role({ resources: ['*'] })],
      ['every group', role({ api_groups: ['*'] })],
      ['Secrets', role({ resources: ['secrets'] })],
      ['commands in pods', role({ resources: ['pods/exec'], verbs: ['create'] })],
      ['rights of others', role({ resources: ['users'], verbs: ['impersonate'] })],
      ['tokens', role({ resources: ['serviceaccounts/token'], verbs: ['create'] })],
    ],
    'binding-is-valid': [
      ['a role that is not there', binding({ kind: 'Role', name: 'nothing' }, {})],
      ['all rights', binding({ kind: 'ClusterRole', name: 'cluster-admin' }, {})],
      ['everybody', binding({}, { kind: 'Group', name: 'system:authenticated' })],
      ['nobody at all', binding({}, { kind: 'Group', name: 'system:unauthenticated' })],
      ['an account that is not there', binding({}, { name: 'nobody' })],
      ['the default account', binding({}, { name: 'default' })],
      ['another namespace', binding({}, { namespace: 'elsewhere' })],
      [
        'no subject',
        all(role({}), addObject(BINDING, 'bound', { role_ref: { kind: 'Role', name: 'role' } })),
      ],
    ],
  },
  plants: {
    'pod-has-no-api-token': [
      [
        'a token of pods that make no Jobs, of an account that may',
        ({ set }) =>
          set(
            'kubernetes_cron_job_v1',
            'spec.job_template.spec.template.spec.automount_service_account_token',
            true,
          ),
      ],
      [
        'a token of the console',
        ({ set }) =>
          set(
            'kubernetes_deployment_v1',
            'spec.template.spec.automount_service_account_token',
            true,
            /"console"/,
          ),
      ],
    ],
    'service-account-has-its-role': [
      [
        'a ServiceAccount with the role of the nodes',
        ({ set, address }) =>
          set('kubernetes_service_account_v1', 'metadata.annotations', {
            'eks.amazonaws.com/role-arn': `\${${address('aws_iam_role', /ec2.amazonaws.com/)}.arn}`,
          }),
      ],
      [
        'a ServiceAccount with a role from elsewhere',
        ({ set }) =>
          set('kubernetes_service_account_v1', 'metadata.annotations', {
            'eks.amazonaws.com/role-arn': 'arn:aws-us-gov:iam::123456789012:role/another',
          }),
      ],
    ],
  },
});
