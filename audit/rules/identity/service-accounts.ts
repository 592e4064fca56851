import type { Resource } from '../../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import { canonical, policiesOf } from '../../policy/policies.ts';
import { allows, requiredValues } from '../../policy/policy-document.ts';
import type { BindingSubject, Right } from '../readers/kubernetes-api.ts';
import { listenersIn } from '../readers/listeners.ts';
import { namespaceOf, objectNamed, objectsOf, type Pod, podsOf } from '../readers/pods.ts';
import { neighbours } from '../readers/resources.ts';
import { type Audited, type Rule, rule, shown } from '../rule.ts';
import { makesJobs } from '../workload/jobs.ts';
import { ROLE_ANNOTATION } from './roles.ts';

/** The ServiceAccount of a pod. */
function serviceAccountOf(audited: Audited, pod: Pod): KubernetesObject | undefined {
  return objectNamed(audited, pod.namespace, 'ServiceAccount', pod.spec.serviceAccountName);
}

/** What gives a pod its role by EKS Pod Identity; undefined where nothing does. */
export function associationOf({ model }: Audited, pod: Pod): Resource | undefined {
  const stack = model.stackOf(pod);
  return neighbours(model, pod, 'aws_eks_pod_identity_association').find(
    ({ attributes }) =>
      stack.resolve(attributes.namespace) === pod.namespace &&
      stack.resolve(attributes.service_account) === pod.spec.serviceAccountName,
  );
}

/** The IAM role of a pod, by IRSA or by pod identity; undefined where the stack makes none. */
export function roleOfServiceAccount(audited: Audited, pod: Pod): Resource | undefined {
  const account = serviceAccountOf(audited, pod);
  const stack = audited.model.stackOf(pod);
  const annotated = stack.target(account?.manifest.metadata.annotations?.[ROLE_ANNOTATION]);
  const role = annotated ?? stack.target(associationOf(audited, pod)?.attributes.role_arn);
  return role?.type === 'aws_iam_role' ? role : undefined;
}

/** ServiceAccounts with a role that no pod of a listener has: whoever uses them gets it all the same. */
function annotatedAccounts(audited: Audited) {
  const used = podsOf(audited)
    .filter((pod) => listenersIn(audited, pod).length > 0)
    .map((pod) => serviceAccountOf(audited, pod));
  return objectsOf(audited, 'ServiceAccount')
    .filter((object) => !used.includes(object))
    .flatMap((object) => {
      const { name, annotations } = object.manifest.metadata;
      const annotation = annotations?.[ROLE_ANNOTATION];
      const role = audited.model.stackOf(object).target(annotation);
      return annotation === undefined
        ? []
        : [
            {
              ...{ stack: object.stack, address: object.address, annotation, account: name },
              namespace: namespaceOf(object),
              role: role?.type === 'aws_iam_role' ? role : undefined,
            },
          ];
    });
}

function subjectsOf(manifest: Audited['objects'][number]['manifest']): readonly BindingSubject[] {
  return (manifest.subjects ?? []) as readonly BindingSubject[];
}

/** What any right on is a way into pods and nodes (Kubernetes documentation, "Role Based Access Control Good Practices"). */
const OPENING =
  /^(pods\/(exec|attach|portforward|ephemeralcontainers)|nodes\/proxy|serviceaccounts\/token)$/;

/** What bounds pods and people, or is what policies read: whoever changes it bounds nobody, or gains rights. */
const BOUNDING =
  /^(secrets|configmaps|serviceaccounts|namespaces|nodes|persistentvolumes|networkpolicies|(cluster)?role(binding)?s|certificatesigningrequests(\/\w+)?|signers|(validating|mutating)(webhookconfigurations|admissionpolic\w+)|customresourcedefinitions|apiservices)$/;

/** Verbs that change something. */
const CHANGING = /^(create|update|patch|delete|deletecollection|approve|sign)$/;

/** Rules on who a pod is, to AWS and to the cluster. */
export const SERVICE_ACCOUNT_RULES: readonly Rule[] = [
  rule({
    id: 'pod-has-no-api-token',
    subjects: (audited) => [
      ...podsOf(audited).map((pod) => ({
        stack: pod.stack,
        address: pod.address,
        namespace: pod.namespace,
        account: pod.spec.serviceAccountName ?? 'default',
        mounts: pod.spec.automountServiceAccountToken,
        // A listener asks the API for Jobs, and for nothing else.
        asks: listenersIn(audited, pod).length === 0 || makesJobs(audited, pod),
      })),
      ...objectsOf(audited, 'ServiceAccount').map((object) => ({
        stack: object.stack,
        address: object.address,
        namespace: namespaceOf(object),
        account: object.manifest.metadata.name,
        mounts: object.manifest.automountServiceAccountToken as boolean | undefined,
        asks: true,
      })),
    ],
    faults: ({ namespace, account, mounts, asks }, audited) => {
      const bound = objectsOf(audited, 'RoleBinding', 'ClusterRoleBinding').some(({ manifest }) =>
        subjectsOf(manifest).some(
          (subject) =>
            subject.kind === 'ServiceAccount' &&
            subject.name === account &&
            (subject.namespace ?? namespace) === namespace,
        ),
      );
      return [
        mounts !== false &&
          !(bound && asks) &&
          `automountServiceAccountToken is ${shown(mounts)}, must be false`,
      ];
    },
  }),
  rule({
    id: 'service-account-has-its-role',
    subjects: (audited) => [
      ...podsOf(audited)
        .filter((pod) => listenersIn(audited, pod).length > 0)
        .map((pod) => ({
          ...pod,
          account: pod.spec.serviceAccountName,
          annotation: serviceAccountOf(audited, pod)?.manifest.metadata.annotations?.[
            ROLE_ANNOTATION
          ],
          role: roleOfServiceAccount(audited, pod),
        })),
      ...annotatedAccounts(audited),
    ],
    faults: ({ namespace, account, annotation, role }, audited) => {
      if (role === undefined) {
        return [
          annotation === undefined
            ? `its ServiceAccount has no ${ROLE_ANNOTATION}, and no association of EKS Pod Identity`
            : `its ServiceAccount has the role ${annotation}, which this stack does not make`,
        ];
      }
      // A role by pod identity trusts the service; which account gets it, the association says.
      if (annotation === undefined) return [];
      const subject = `system:serviceaccount:${namespace}:${account}`;
      const statements = (
        policiesOf(audited.model).find(({ holder, kind }) => holder === role && kind === 'trust')
          ?.document?.statements ?? []
      ).filter((statement) => allows(statement, 'sts:AssumeRoleWithWebIdentity'));
      const trusted = statements.flatMap((statement) =>
        statement.conditions
          .filter(({ key }) => key.endsWith(':sub'))
          .flatMap(({ key }) => requiredValues(statement, key)),
      );
      return [
        statements.length === 0 &&
          `${role.address} trusts no ServiceAccount (sts:AssumeRoleWithWebIdentity)`,
        statements.length > 0 &&
          !trusted.includes(subject) &&
          `${role.address} trusts ${trusted.join(', ') || 'nobody by name'}, not ${subject}`,
      ];
    },
  }),
  rule({
    id: 'role-is-injected',
    subjects: (audited) => [
      ...podsOf(audited).map(({ stack, address, annotations }) => ({
        stack,
        address,
        annotations,
      })),
      ...objectsOf(audited, 'ServiceAccount').map(({ stack, address, manifest }) => ({
        stack,
        address,
        annotations: manifest.metadata.annotations ?? {},
      })),
    ],
    faults: ({ annotations, stack }, { model }) => {
      const expiry = Number(annotations['eks.amazonaws.com/token-expiration'] ?? 86_400);
      const audience = annotations['eks.amazonaws.com/audience'];
      const clients = model
        .ofType('aws_iam_openid_connect_provider')
        .filter((provider) => provider.stack === stack)
        .flatMap(({ attributes }) => (attributes.client_id_list ?? []) as readonly string[])
        .map((client) => canonical(model.stackOf({ stack }), client));
      return [
        annotations['eks.amazonaws.com/skip-containers'] !== undefined &&
          'skip-containers leaves containers without the role',
        annotations['eks.amazonaws.com/sts-regional-endpoints'] === 'false' &&
          'sts-regional-endpoints is false: the token is asked for in another region',
        (expiry < 3600 || expiry > 86_400) &&
          `token-expiration is ${expiry} s, must be an hour to a day`,
        audience !== undefined &&
          !clients.includes(audience) &&
          `audience ${audience} is not one of the OIDC provider's (${clients.join(', ')})`,
      ];
    },
  }),
  rule({
    id: 'cluster-rights-are-narrow',
    subjects: (audited) => objectsOf(audited, 'Role', 'ClusterRole'),
    faults: ({ manifest }) =>
      ((manifest.rules ?? []) as readonly Right[]).flatMap(
        ({ apiGroups = [], resources = [], verbs = [], nonResourceURLs = [] }) => [
          [...apiGroups, ...resources, ...verbs, ...nonResourceURLs].includes('*') &&
            `allows * (${[...verbs, ...resources].join(', ')})`,
          resources.includes('secrets') &&
            verbs.some((verb) => /^(get|list|watch)$/.test(verb)) &&
            'reads Secrets',
          ...resources.filter((one) => OPENING.test(one)).map((one) => `allows ${one}`),
          ...(verbs.some((verb) => CHANGING.test(verb)) ? resources : [])
            .filter((one) => BOUNDING.test(one))
            .map((one) => `changes ${one}`),
          ...verbs
            .filter((verb) => /^(escalate|bind|impersonate)$/.test(verb))
            .map((verb) => `allows the verb ${verb}`),
        ],
      ),
  }),
  rule({
    id: 'binding-is-valid',
    subjects: (audited) => objectsOf(audited, 'RoleBinding', 'ClusterRoleBinding'),
    faults: (object, audited) => {
      const { roleRef = {} } = object.manifest;
      const builtIn = ['cluster-admin', 'admin', 'edit'].includes(roleRef.name);
      const roles = objectsOf(audited, roleRef.kind).map(({ manifest }) => manifest.metadata.name);
      return [
        builtIn && `gives the rights of ${roleRef.name}`,
        !builtIn &&
          roleRef.name !== 'view' &&
          !roles.includes(roleRef.name) &&
          `there is no ${roleRef.kind} ${roleRef.name}`,
        subjectsOf(object.manifest).length === 0 && 'gives rights to nobody',
        ...subjectsOf(object.manifest).flatMap(({ kind, name = '', namespace }) => {
          if (kind !== 'ServiceAccount') {
            return [
              kind === 'Group' && name.startsWith('system:') && `gives rights to the group ${name}`,
            ];
          }
          const home = namespace ?? namespaceOf(object);
          const there = objectNamed(audited, home, 'ServiceAccount', name) !== undefined;
          return [
            (!there || name === 'default') &&
              `gives rights to the ServiceAccount ${name}, which ${name === 'default' ? 'every pod may have' : 'does not exist'}`,
          ];
        }),
      ];
    },
  }),
];
