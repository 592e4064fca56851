import { isDeepStrictEqual } from 'node:util';
import { valueAt } from '../../../src/synthesized/model/model.ts';
import type {
  KubernetesObject,
  Manifest,
} from '../../../src/synthesized/views/kubernetes-manifests.ts';
import type { BindingSubject, Right } from '../readers/kubernetes-api.ts';
import { isConsole, type Listener, listenersIn } from '../readers/listeners.ts';
import {
  jobTemplatesOf,
  namespaceOf,
  objectNamed,
  objectsOf,
  type Pod,
  podsIn,
  servingPods,
} from '../readers/pods.ts';
import { type Audited, type Rule, rule, shown } from '../rule.ts';
import jobPolicy from './job-policy.json' with { type: 'json' };

/** Kinds whose right to be made is the right to run any image with any Secret of the namespace, by group. */
const RUNNING: Readonly<Record<string, readonly string[]>> = jobPolicy.running;

const { changing: CHANGING, limited: LIMITED, verbs: JOB_VERBS } = jobPolicy;

/** A ServiceAccount with a right to run something, by the binding that gives it. */
interface Runner {
  readonly stack: string;
  readonly address: string;
  readonly namespace: string;
  readonly account: string;
  readonly rights: readonly Right[];
}

function runsSomething({ apiGroups = [], resources = [], verbs = [] }: Right): boolean {
  return (
    verbs.some((verb) => CHANGING.includes(verb)) &&
    apiGroups.some((group) => resources.some((one) => RUNNING[group]?.includes(one)))
  );
}

/** Rights that each binding gives to each ServiceAccount. */
function runnersIn(audited: Audited): readonly Runner[] {
  return objectsOf(audited, 'RoleBinding', 'ClusterRoleBinding').flatMap((binding) => {
    const { roleRef, subjects = [] } = binding.manifest;
    const role = objectsOf(audited, roleRef?.kind ?? '').find(
      ({ manifest }) =>
        manifest.metadata.name === roleRef?.name &&
        (roleRef.kind !== 'Role' || manifest.metadata.namespace === namespaceOf(binding)),
    );
    const rights = (role?.manifest.rules ?? []) as readonly Right[];
    return (subjects as readonly BindingSubject[])
      .filter(({ kind }) => kind === 'ServiceAccount')
      .map(({ name = '', namespace }) => ({
        ...{ stack: binding.stack, address: binding.address, rights, account: name },
        namespace: namespace ?? namespaceOf(binding),
      }));
  });
}

/** Why a policy does not limit what a ServiceAccount may run; no fault means that it does. */
function policyFaults(
  { manifest }: KubernetesObject,
  { namespace, account }: Pick<Runner, 'namespace' | 'account'>,
  audited: Audited,
): readonly string[] {
  const { name } = manifest.metadata;
  const spec = manifest.spec ?? {};
  const bindings = objectsOf(audited, 'ValidatingAdmissionPolicyBinding').filter(
    (binding) => binding.manifest.spec?.policyName === name,
  );
  const user = JSON.stringify(`system:serviceaccount:${namespace}:${account}`);
  const conditions = (spec.matchConditions ?? []) as readonly { readonly expression: string }[];
  const [resources, ...others] = (spec.matchConstraints?.resourceRules ?? []) as readonly {
    readonly apiGroups?: readonly string[];
    readonly operations?: readonly string[];
    readonly resources?: readonly string[];
  }[];
  const expressions = expressionsOf(manifest);
  const text = expressions.join('\n');
  const faults = [
    spec.failurePolicy === 'Ignore' &&
      `${name} lets everything pass that it can't judge: failurePolicy is Ignore`,
    (conditions.length !== 1 ||
      conditions[0]?.expression !== `request.userInfo.username == ${user}`) &&
      `${name} must hold whenever the user is ${user}, and under no other condition`,
    (others.length > 0 ||
      !resources?.apiGroups?.includes('batch') ||
      !isDeepStrictEqual(resources.resources, ['jobs'])) &&
      `${name} must be about the jobs of batch`,
    !['CREATE', 'UPDATE'].every((one) => resources?.operations?.includes(one)) &&
      !resources?.operations?.includes('*') &&
      `${name} must be about CREATE and UPDATE`,
    ['objectSelector', 'excludeResourceRules'].some(
      (field) => !isEmptyObject(spec.matchConstraints?.[field]),
    ) && `${name} leaves some out by its matchConstraints`,
    !isDeepStrictEqual(spec.matchConstraints?.namespaceSelector, {
      matchLabels: { 'kubernetes.io/metadata.name': namespace },
    }) &&
      `${name} must be about the namespace ${namespace}, where the right is: its namespaceSelector names another one, or none`,
    spec.paramKind?.kind !== 'ServiceAccount' &&
      `${name} has parameters of the kind ${shown(spec.paramKind?.kind)}, must be ServiceAccount: API servers stop watching others`,
    ...LIMITED.filter(({ pattern }) => !new RegExp(pattern).test(text)).map(
      ({ what }) => `${name} does not limit ${what}`,
    ),
    // "A || true" holds whatever A is; the few alternatives that a policy needs are inside parentheses, or of has().
    ...expressions
      .filter((one) => /\|\|\s*true\b|\btrue\s*\|\||^\s*true\s*$/.test(one))
      .map((one) => `${name} has an expression that always holds: ${one.slice(0, 60)}`),
    bindings.length === 0 && `${name} has no binding, so that it is not in force`,
    ...bindings.flatMap((binding) => bindingFaults(binding, { namespace, account }, audited)),
  ];
  return faults.filter((fault) => fault !== false);
}

function expressionsOf({ spec }: Manifest): readonly string[] {
  const validations = (spec?.validations ?? []) as readonly { readonly expression: string }[];
  return validations.map(({ expression }) => String(expression));
}

/** What each policy of Jobs takes for the image: an annotation of their maker's ServiceAccount. */
function imagesAllowed(audited: Audited, account: KubernetesObject | undefined) {
  return objectsOf(audited, 'ValidatingAdmissionPolicy').flatMap(({ manifest }) => {
    const [, name] = /\.annotations\["([^"]+)"\]/.exec(expressionsOf(manifest).join('\n')) ?? [];
    return name === undefined ? [] : [account?.manifest.metadata.annotations?.[name]];
  });
}

function bindingFaults(
  { manifest }: KubernetesObject,
  { namespace, account }: Pick<Runner, 'namespace' | 'account'>,
  audited: Audited,
): readonly (string | false)[] {
  const { name } = manifest.metadata;
  const { validationActions, matchResources, paramRef } = manifest.spec ?? {};
  const params = objectNamed(audited, paramRef?.namespace ?? '', 'ServiceAccount', paramRef?.name);
  return [
    !isDeepStrictEqual(validationActions, ['Deny']) &&
      `the binding ${name} does not refuse: validationActions is ${shown(validationActions)}, must be Deny`,
    !isEmptyObject(matchResources) && `the binding ${name} leaves some out by matchResources`,
    params === undefined &&
      `the binding ${name} has no parameters: there is no ServiceAccount ${shown(paramRef?.name)}`,
    params !== undefined &&
      (paramRef?.name !== account || paramRef?.namespace !== namespace) &&
      `the binding ${name} reads the image from the ServiceAccount ${paramRef?.namespace}/${paramRef?.name}, must be ${namespace}/${account}`,
  ];
}

function isEmptyObject(value: unknown): boolean {
  return (
    value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
  );
}

/** Listeners that judge large files by Jobs. */
function makersIn(audited: Audited): readonly { readonly pod: Pod; readonly listener: Listener }[] {
  return servingPods(audited).flatMap((pod) =>
    listenersIn(audited, pod)
      .filter(
        (listener) =>
          !listener.init && !isConsole(listener) && listener.setting('JOB_RUNNER') === 'auto',
      )
      .map((listener) => ({ pod, listener })),
  );
}

/** Whether a pod makes Jobs, for which it needs a token of the cluster's API. */
export function makesJobs(audited: Audited, pod: Pod): boolean {
  return makersIn(audited).some((maker) => maker.pod === pod);
}

function secretsOf({ spec }: Pod): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []).sort();
}

/** Rules on Jobs that a listener makes for large files. */
export const JOB_RULES: readonly Rule[] = [
  rule({
    id: 'right-to-run-is-limited',
    subjects: (audited) => runnersIn(audited).filter(({ rights }) => rights.some(runsSomething)),
    faults: (runner, audited) => {
      const policies = objectsOf(audited, 'ValidatingAdmissionPolicy').map((policy) =>
        policyFaults(policy, runner, audited),
      );
      if (policies.length === 0) {
        return [`no ValidatingAdmissionPolicy limits what ${runner.account} may run`];
      }
      if (policies.some((faults) => faults.length === 0)) return [];
      return policies.toSorted((one, other) => one.length - other.length)[0] ?? [];
    },
  }),
  rule({
    id: 'right-to-run-is-narrow',
    subjects: (audited) => runnersIn(audited).filter(({ rights }) => rights.some(runsSomething)),
    faults: ({ address, rights, namespace, account }, audited) => {
      const binding = audited.objects.find((object) => object.address === address);
      return [
        binding?.manifest.kind === 'ClusterRoleBinding' &&
          `${account} has the right in every namespace`,
        binding?.manifest.kind === 'RoleBinding' &&
          namespaceOf(binding) !== namespace &&
          `${account} of ${namespace} has the right in ${namespaceOf(binding)}`,
        ...rights
          .flatMap(({ apiGroups = [], resources = [], verbs = [] }) => [
            ...apiGroups.filter((one) => one !== 'batch').map((one) => `group ${shown(one)}`),
            ...resources.filter((one) => one !== 'jobs').map((one) => `resource ${one}`),
            ...verbs.filter((one) => !JOB_VERBS.includes(one)).map((one) => `verb ${one}`),
          ])
          .map(
            (what) => `its Role has the ${what}; Jobs need ${JOB_VERBS.join(', ')} of jobs alone`,
          ),
      ];
    },
  }),
  rule({
    id: 'jobs-can-be-made',
    subjects: (audited) =>
      makersIn(audited).map(({ pod, listener }) => ({ ...pod, pod, listener })),
    faults: ({ pod, listener }, audited) => {
      const { setting, spec } = listener;
      const account = pod.spec.serviceAccountName;
      const mayMake = runnersIn(audited).some(
        (runner) =>
          runner.account === account &&
          runner.namespace === pod.namespace &&
          JOB_VERBS.every((verb) => runner.rights.some(({ verbs = [] }) => verbs.includes(verb))),
      );
      const file = setting('JOB_TEMPLATE') ?? '';
      const mount = (spec.volumeMounts ?? []).find(({ mountPath = '' }) =>
        file.startsWith(`${mountPath}/`),
      );
      const volume = pod.spec.volumes?.find(({ name }) => name === mount?.name);
      const template = jobTemplatesOf(audited).find(
        ({ manifest }) => manifest.metadata.name === volume?.configMap?.name,
      );
      return [
        !mayMake && `no RoleBinding lets ${account} make, list and delete Jobs of ${pod.namespace}`,
        pod.spec.automountServiceAccountToken !== true &&
          'automountServiceAccountToken must be true: without a token the API server refuses it',
        template === undefined &&
          `JOB_TEMPLATE is ${shown(file)}, where no ConfigMap with the template of a Job is mounted`,
      ];
    },
  }),
  rule({
    id: 'job-template-is-the-listener',
    subjects: (audited) => jobTemplatesOf(audited),
    faults: ({ job, manifest, stack, address }, audited) => {
      const namespace = manifest.metadata.namespace ?? '';
      const template = podsIn(audited, namespace).find(
        (pod) => pod.stack === stack && pod.address === address && pod.kind === 'Job',
      );
      const maker = makersIn(audited).find(({ pod }) => pod.namespace === namespace);
      if (template === undefined || maker === undefined) {
        return ['no listener of its namespace makes Jobs (JOB_RUNNER is not auto)'];
      }
      const { pod, listener } = maker;
      const [container, ...others] = template.spec.containers ?? [];
      const differs = (one: unknown, other: unknown) => !isDeepStrictEqual(one, other);
      const account = objectNamed(
        audited,
        namespace,
        'ServiceAccount',
        pod.spec.serviceAccountName,
      );
      return [
        others.length > 0 && `it has ${others.length + 1} containers, and must have one`,
        ...jobPolicy.sameContainer
          .filter((name) => differs(valueAt(container, name), valueAt(listener.spec, name)))
          .map((name) => `${name} of its container is not that of ${pod.name}`),
        ...jobPolicy.samePod
          .filter((name) => differs(valueAt(template.spec, name), valueAt(pod.spec, name)))
          .map((name) => `${name} of its pods is not that of ${pod.name}`),
        differs(secretsOf(template), secretsOf(pod)) &&
          `its Secrets are ${shown(secretsOf(template))}, those of ${pod.name} are ${shown(secretsOf(pod))}`,
        template.spec.automountServiceAccountToken !== false &&
          'its pods carry a token for the API, and need none',
        ...imagesAllowed(audited, account)
          .filter((image) => image !== container?.image)
          .map(
            (image) =>
              `the image that policies read is ${shown(image)}, that of the template is ${shown(container?.image)}`,
          ),
        job.spec?.ttlSecondsAfterFinished === undefined &&
          'has no ttlSecondsAfterFinished, so that every Job stays for ever',
      ];
    },
  }),
];
