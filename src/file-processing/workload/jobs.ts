import { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1/index.js';
import { JUDGE } from '@file-processing/contract/listener-interface.ts';
import type { ITerraformDependable } from 'cdktf';
import { Construct } from 'constructs';
import { nodeGroupsOf } from '../../settings/check-nodes.ts';
import { mebibytes } from '../../settings/file-processing/workload.ts';
import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { listCustomObject } from '../../stack/addressed-stack.ts';
import { endingContainer, podSettings, podVolumes, USER_ID } from './containers.ts';
import { JOB_TEMPLATE_FILE } from './listener-environment.ts';
import { CONFIG_MAP, IMAGE_ANNOTATION, JOB_LABELS, JOBS, LABELS } from './names.ts';
import { createNetworkPolicyOf, judgingEgressRules } from './network-policy.ts';

/** From the end of a Job until Kubernetes removes it, in seconds: long enough to look at its log. */
const TTL_SECONDS = 600;

/** Until a Job is ended as failed, in seconds, whatever the size of its file. */
const LONGEST_SECONDS = 24 * 3600;

/** Name of the container; its log is looked for by it. */
const CONTAINER = 'judge';

/** Variables that the listener sets for a Job beside the ConfigMap. */
const JOB_ENVIRONMENT = ['WORKER_CONCURRENCY', 'KEY_MEMORY_MIB', 'SCRATCH_MIB'];

/**
 * What the listener needs to have large files judged by Jobs: the template of a Job, what its pods may reach, and the right
 * to make Jobs. The right to make Jobs is the right to run any image with any Secret of the namespace, so the Role comes with
 * an admission policy that lets the listener's identity make only Jobs of this template. Terraform's provider has no type for
 * such a policy: all four are put in place at last, the policy before the right.
 *
 * @returns the ConfigMap with the template
 */
export function createJobs(
  scope: Construct,
  settings: FileProcessingSettings,
  props: {
    /** Token of the image. */
    readonly image: string;
    readonly dependsOn: ITerraformDependable[];
    /** What the pods of Jobs need beside. */
    readonly uses: ITerraformDependable[];
  },
): ConfigMapV1 {
  const { namespace, service_account_name: account } = settings;
  const networkPolicy = createNetworkPolicyOf(
    new Construct(scope, 'network-policy'),
    'jobs',
    settings,
    {
      name: JOBS,
      app: JOB_LABELS.app,
      egress: judgingEgressRules(settings),
      dependsOn: props.dependsOn,
    },
  );
  const template = new ConfigMapV1(scope, 'jobs', {
    metadata: { name: JOBS, namespace, labels: LABELS },
    data: { [JOB_TEMPLATE_FILE]: JSON.stringify(templateOf(settings, props.image)) },
    dependsOn: [...props.dependsOn, ...props.uses, networkPolicy],
  });
  const policy = `${JOBS}.${namespace}`;
  const labels = { ...LABELS, 'app.kubernetes.io/managed-by': 'manage' };
  listCustomObject(scope, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: policy, labels },
    spec: admission(settings),
  });
  listCustomObject(scope, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: policy, labels },
    spec: {
      policyName: policy,
      // API servers look for the parameters before they look at the user: without them nobody could make a Job, not even that
      // of a migration. Nobody escapes either: without its ServiceAccount the token of the listener is worth nothing.
      paramRef: { name: account, namespace, parameterNotFoundAction: 'Allow' },
      validationActions: ['Deny'],
    },
  });
  listCustomObject(scope, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: JOBS, namespace, labels },
    rules: [
      {
        apiGroups: ['batch'],
        resources: ['jobs'],
        verbs: ['create', 'get', 'list', 'watch', 'delete'],
      },
    ],
  });
  listCustomObject(scope, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: JOBS, namespace, labels },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: JOBS },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  });
  return template;
}

/** Where Jobs run: nodes with the labels of the group, whose taints they tolerate. */
function placeOf(settings: FileProcessingSettings) {
  const group = nodeGroupsOf(settings).find(({ name }) => name === settings.job_node_group);
  if (group === undefined) return { nodeSelector: {}, tolerations: [] };
  const tolerations = group.taints.map((taint) => {
    const [, key = '', value = '', effect = ''] = /^([^=]+)=([^:]*):(.+)$/.exec(taint) ?? [];
    return { key, operator: 'Equal', value, effect };
  });
  return { nodeSelector: group.labels, tolerations };
}

/** What the listener fills in for each judgement (JobTemplate in its job-runner.ts). */
function templateOf(settings: FileProcessingSettings, image: string) {
  const { nodeSelector, tolerations } = placeOf(settings);
  const { job_queue_name: queue } = settings;
  const { automountServiceAccountToken, enableServiceLinks, ...pod } = podSettings(settings);
  const { volumeMount, securityContext, ...container } = endingContainer(settings, {
    image,
    command: JUDGE,
  });
  return {
    mostScratchMib: mebibytes(settings.job_scratch_limit),
    job: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        labels: {
          ...JOB_LABELS,
          'app.kubernetes.io/managed-by': 'file-processing',
          ...(queue !== '' && { 'kueue.x-k8s.io/queue-name': queue }),
        },
      },
      spec: {
        ...(queue !== '' && { suspend: true }),
        ttlSecondsAfterFinished: TTL_SECONDS,
        // The listener says how long each may take; no Job of this template lasts for ever.
        activeDeadlineSeconds: LONGEST_SECONDS,
        template: {
          metadata: { labels: JOB_LABELS },
          spec: {
            ...pod,
            ...{ automountServiceAccountToken, enableServiceLinks },
            securityContext: inNumbers(pod.securityContext),
            serviceAccountName: settings.service_account_name,
            restartPolicy: 'Never',
            ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
            ...(tolerations.length > 0 && { tolerations }),
            containers: [
              {
                ...container,
                name: CONTAINER,
                securityContext: inNumbers(securityContext),
                volumeMounts: volumeMount,
              },
            ],
            volumes: podVolumes(settings).map(({ secret, ...volume }) => ({
              ...volume,
              ...(secret && {
                secret: {
                  ...secret,
                  defaultMode: Number.parseInt(String(secret.defaultMode), 8),
                },
              }),
            })),
          },
        },
      },
    },
  };
}

/** Users and groups are texts to Terraform, and numbers to Kubernetes. */
function inNumbers(context: object): object {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => [
      name,
      value === USER_ID ? Number(value) : value,
    ]),
  );
}

/**
 * Lets the listener's identity make only Jobs of the template. Whatever decides what runs, with which rights, and what it can
 * read, is compared; what a Job asks for of a node is the listener's to say, within the quota of the namespace.
 *
 * It is for one namespace, in which alone the listener has the right. Its parameters are of a kind that API servers watch for
 * themselves: they stop watching another one, such as ConfigMap, for good when its last policy loses its binding
 * (kubernetes/kubernetes#130887).
 */
function admission(settings: FileProcessingSettings) {
  const { namespace, service_account_name: account, image_pull_secrets } = settings;
  const secrets = podVolumes(settings).flatMap(({ secret }) =>
    secret?.secretName ? [secret.secretName] : [],
  );
  const { nodeSelector, tolerations } = placeOf(settings);
  const user = `system:serviceaccount:${namespace}:${account}`;
  return {
    failurePolicy: 'Fail',
    paramKind: { apiVersion: 'v1', kind: 'ServiceAccount' },
    matchConstraints: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      resourceRules: [
        {
          apiGroups: ['batch'],
          apiVersions: ['*'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['jobs'],
        },
      ],
    },
    matchConditions: [
      { name: 'listener', expression: `request.userInfo.username == ${cel(user)}` },
    ],
    variables: [
      { name: 'pod', expression: 'object.spec.template.spec' },
      { name: 'labels', expression: 'object.spec.template.metadata.?labels.orValue({})' },
      { name: 'container', expression: 'object.spec.template.spec.containers[0]' },
    ],
    validations: [
      rule(
        'it has other containers',
        'variables.pod.containers.size() == 1',
        '!has(variables.pod.initContainers) || variables.pod.initContainers.size() == 0',
      ),
      rule(
        'it is of another image',
        `variables.container.image == params.metadata.annotations[${cel(IMAGE_ANNOTATION)}]`,
      ),
      rule(
        'it is of another ServiceAccount, or mounts its token',
        `variables.pod.?serviceAccountName.orValue('') == ${cel(account)}`,
        'variables.pod.?automountServiceAccountToken.orValue(true) == false',
      ),
      rule(
        'it has other volumes',
        `variables.pod.?volumes.orValue([]).all(volume, has(volume.emptyDir) || (has(volume.secret) && volume.secret.?secretName.orValue('') in ${cel(secrets)}))`,
        'variables.container.?volumeDevices.orValue([]).size() == 0',
      ),
      rule(
        'it has another security context',
        'variables.pod.?securityContext.runAsNonRoot.orValue(false)',
        `variables.pod.?securityContext.runAsUser.orValue(0) == ${USER_ID}`,
        `variables.pod.?securityContext.runAsGroup.orValue(0) == ${USER_ID}`,
        "variables.pod.?securityContext.seccompProfile.type.orValue('') == 'RuntimeDefault'",
        'variables.pod.?securityContext.supplementalGroups.orValue([]).size() == 0',
        'variables.pod.?securityContext.sysctls.orValue([]).size() == 0',
        'variables.container.?securityContext.runAsNonRoot.orValue(false)',
        `variables.container.?securityContext.runAsUser.orValue(0) == ${USER_ID}`,
        `variables.container.?securityContext.runAsGroup.orValue(0) == ${USER_ID}`,
        '!variables.container.?securityContext.privileged.orValue(false)',
        '!variables.container.?securityContext.allowPrivilegeEscalation.orValue(true)',
        'variables.container.?securityContext.readOnlyRootFilesystem.orValue(false)',
        "variables.container.?securityContext.capabilities.drop.orValue([]) == ['ALL']",
        'variables.container.?securityContext.capabilities.add.orValue([]).size() == 0',
        "variables.container.?securityContext.seccompProfile.type.orValue('') == 'RuntimeDefault'",
        // Left to the namespace's Pod Security Standard alone, they would be free in a namespace that has none.
        ...['pod', 'container'].flatMap((of) =>
          ['seLinuxOptions', 'appArmorProfile', 'windowsOptions'].map(
            (field) => `!variables.${of}.?securityContext.${field}.hasValue()`,
          ),
        ),
        '!variables.container.?securityContext.procMount.hasValue()',
      ),
      rule(
        'it shares something with its node, or chooses one',
        '!variables.pod.?hostNetwork.orValue(false)',
        '!variables.pod.?hostPID.orValue(false)',
        '!variables.pod.?hostIPC.orValue(false)',
        '!variables.pod.?shareProcessNamespace.orValue(false)',
        "variables.pod.?nodeName.orValue('') == ''",
        '!has(variables.pod.affinity)',
        'variables.container.?ports.orValue([]).size() == 0',
        `variables.pod.?nodeSelector.orValue({}) == ${cel(nodeSelector)}`,
        tolerations.length === 0
          ? 'variables.pod.?tolerations.orValue([]).size() == 0'
          : `variables.pod.?tolerations.orValue([]).all(one, ${tolerations.map(tolerated).join(' || ')})`,
        "variables.pod.?priorityClassName.orValue('') == ''",
        "variables.pod.?runtimeClassName.orValue('') == ''",
        "variables.pod.?schedulerName.orValue('default-scheduler') == 'default-scheduler'",
      ),
      rule(
        'its environment is another',
        `variables.container.?env.orValue([]).all(one, one.name in ${cel(JOB_ENVIRONMENT)} && !has(one.valueFrom))`,
        `variables.container.?envFrom.orValue([]).all(one, has(one.configMapRef) && one.configMapRef.name == ${cel(CONFIG_MAP)})`,
        `variables.pod.?imagePullSecrets.orValue([]).all(one, one.name in ${cel(image_pull_secrets)})`,
        'variables.pod.?hostAliases.orValue([]).size() == 0',
        '!has(variables.pod.dnsConfig)',
      ),
      rule(
        'it runs another command',
        'variables.container.?command.orValue([]).size() == 0',
        "variables.container.?workingDir.orValue('') == ''",
        'variables.container.?args.orValue([]).size() == 3',
        `variables.container.?args.orValue(['']).all(one, one.matches('^(${JUDGE}|[0-9a-f-]{36}|[0-9]{1,9})$'))`,
        `variables.container.args[0] == ${cel(JUDGE)}`,
        '!has(variables.container.lifecycle) && !has(variables.container.livenessProbe)',
        '!has(variables.container.readinessProbe) && !has(variables.container.startupProbe)',
      ),
      rule(
        // Injectors (of Vault, of service meshes) add containers and volumes to pods as annotations say.
        'its pods have annotations',
        'object.spec.template.metadata.?annotations.orValue({}).size() == 0',
      ),
      rule(
        'its pods would be taken for others',
        `variables.labels.all(name, name in ${cel([...Object.keys(JOB_LABELS), ...OF_THE_CONTROL_PLANE])})`,
        `variables.labels[?'app'].orValue('') == ${cel(JOB_LABELS.app)}`,
        'object.spec.?parallelism.orValue(1) == 1 && object.spec.?completions.orValue(1) == 1',
      ),
    ],
  };
}

/** Labels that the API server adds to the pods of a Job before a policy sees it. */
const OF_THE_CONTROL_PLANE = [
  ...['controller-uid', 'job-name'],
  ...['batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name'],
];

/** What must be true, all of it, and what is said where it is not. */
function rule(fault: string, ...conditions: readonly string[]) {
  const [only = ''] = conditions;
  return {
    expression: conditions.length === 1 ? only : conditions.map((one) => `(${one})`).join(' && '),
    message: `the listener may not make this Job: ${fault}`,
  };
}

function tolerated({ key, value, effect }: ReturnType<typeof placeOf>['tolerations'][number]) {
  return `(one.?key.orValue('') == ${cel(key)} && one.?value.orValue('') == ${cel(value)} && one.?effect.orValue('') == ${cel(effect)})`;
}

/** A literal of the Common Expression Language, in which those of JSON are valid. */
function cel(value: unknown): string {
  return JSON.stringify(value);
}
