import { valueAt } from '../../../src/synthesized/model/model.ts';
import type { KubernetesObject } from '../../../src/synthesized/views/kubernetes-manifests.ts';
import type { Metric, ScalingRules, Selector } from '../readers/kubernetes-api.ts';
import {
  autoscalersOf,
  type Container,
  containersOf,
  leastReplicas,
  namespaceOf,
  objectNamed,
  objectsIn,
  objectsOf,
  ownReplicas,
  podCount,
  podsIn,
  podsSelected,
  quantity,
  rangeOf,
  selects,
  servingPods,
} from '../readers/pods.ts';
import { type Audited, type Faults, type Rule, rule, shown } from '../rule.ts';
import { termsOf } from './references.ts';

/** Metrics of an autoscaler; the older field for CPU is one too. */
function metricsOf(spec: {
  readonly metrics?: readonly Metric[];
  readonly targetCPUUtilizationPercentage?: number;
}): readonly Metric[] {
  if (spec.targetCPUUtilizationPercentage === undefined) return spec.metrics ?? [];
  const averageUtilization = Number(spec.targetCPUUtilizationPercentage);
  return [
    {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
    },
  ];
}

/** Where figures of other kinds than CPU and memory come from (Kubernetes documentation, "Horizontal Pod Autoscaling"). */
const METRIC_APIS: Readonly<Record<string, string>> = {
  Pods: 'custom.metrics.k8s.io',
  Object: 'custom.metrics.k8s.io',
  External: 'external.metrics.k8s.io',
};

/** Whether all that an autoscaler goes by is how much memory pods have taken. */
function isMemoryAlone(metrics: readonly Metric[]): boolean {
  const names = metrics.map(({ resource, containerResource }) =>
    String((resource ?? containerResource)?.name),
  );
  return names.length > 0 && names.every((name) => name === 'memory');
}

/** What keeps an autoscaler from going by a metric. */
function metricFaults(
  metric: Metric,
  containers: readonly Container[] | undefined,
  audited: Audited,
): Faults {
  const { model } = audited;
  const source = metric.resource ?? metric.containerResource;
  if (metric.type !== 'Resource' && metric.type !== 'ContainerResource') {
    const api = METRIC_APIS[metric.type ?? ''];
    return [
      api === undefined && `uses a metric of type ${shown(metric.type)}`,
      api !== undefined &&
        !objectsOf(audited, 'APIService').some(({ manifest }) => manifest.spec?.group === api) &&
        `uses a metric of type ${metric.type}, but nothing in the stack serves ${api}, so that it does not scale`,
    ];
  }
  if (source?.target === undefined) return [`its metric of type ${metric.type} names no target`];
  const { name = '', target } = source;
  const measured = (containers ?? [])
    .filter(({ init }) => !init)
    .filter((one) => metric.resource || one.name === metric.containerResource?.container);
  const percent = target.averageUtilization;
  // An amount for each pod is a percentage of what its containers request.
  const requested = measured.reduce(
    (sum, { spec }) => sum + (quantity(spec.resources?.requests?.[name]) ?? Number.NaN),
    0,
  );
  const amount = Math.round((100 * (quantity(target.averageValue) ?? Number.NaN)) / requested);
  const aim = percent ?? (Number.isNaN(amount) ? undefined : amount);
  const clusters = model.ofType('aws_eks_cluster');
  const servers = model
    .ofType('aws_eks_addon')
    .filter(({ attributes }) => attributes.addon_name === 'metrics-server');
  return [
    !['cpu', 'memory'].includes(name) &&
      `uses ${shown(name)}, but metrics-server measures only cpu and memory`,
    containers !== undefined &&
      measured.length === 0 &&
      `uses figures of ${metric.containerResource?.container}, which is not a container of its target`,
    ...measured
      .filter(
        ({ spec }) =>
          target.type === 'Utilization' && quantity(spec.resources?.requests?.[name]) === undefined,
      )
      .map((one) => `uses a percentage of ${name}, but container ${one.name} requests none`),
    target.type === 'Value' &&
      `targets a total value of ${name}, which the API accepts only for other metrics`,
    (target.type === 'Utilization') !== (percent !== undefined) &&
      `targets ${shown(percent)} % of ${name} with a target of type ${shown(target.type)}`,
    aim !== undefined &&
      (aim < 10 || aim > 95) &&
      `targets ${aim} % of ${name}; allowed are 10 to 95 %`,
    clusters.length > 0 &&
      servers.length === 0 &&
      'the cluster has no metrics-server add-on to tell it figures',
  ];
}

/** The API takes windows up to an hour and periods up to half of one. */
function behaviorFaults(
  behavior: Readonly<Record<string, ScalingRules>> = {},
  direction: string,
): Faults {
  const rules = behavior[direction] ?? {};
  const { selectPolicy, stabilizationWindowSeconds: window, policies = [] } = rules;
  return [
    selectPolicy === 'Disabled' && `${direction} is disabled`,
    direction === 'scaleDown' &&
      window !== undefined &&
      window < 60 &&
      `scaleDown looks back ${window} s only: pods come and go with each burst`,
    window !== undefined &&
      window > (direction === 'scaleUp' ? 300 : 3600) &&
      `${direction} waits ${window} s`,
    ...policies
      .filter(
        ({ value = 0, periodSeconds = 0 }) =>
          value < 1 || periodSeconds < 1 || periodSeconds > 1800,
      )
      .map(
        ({ value, periodSeconds }) =>
          `${direction} by ${shown(value)} in ${shown(periodSeconds)} s is not a policy`,
      ),
  ];
}

/** A trigger by which KEDA asks a PostgreSQL database. */
interface DatabaseTrigger extends KubernetesObject {
  readonly namespace: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly authenticationRef?: { readonly name?: string; readonly kind?: string };
}

/** Annotations by which people stop KEDA for a while (KEDA documentation, "Pause autoscaling"). */
const PAUSED = /^autoscaling\.keda\.sh\/paused/;

/** Seconds between two looks of KEDA: above, files wait longer than pods take to start. */
const LONGEST_POLL = 300;

/** More of what waits for each pod adds none, however much there is. */
const MOST_WAITING = 100_000;

/** What keeps a ScaledObject from following what waits, though KEDA takes it. */
function followingFaults(
  { metadata, spec = {} }: KubernetesObject['manifest'],
  [least, most]: readonly [number, number],
): Faults {
  const { fallback, pollingInterval = 30, advanced, triggers = [] } = spec;
  const { behavior } = advanced?.horizontalPodAutoscalerConfig ?? {};
  return [
    ...Object.keys(metadata.annotations ?? {})
      .filter((name) => PAUSED.test(name))
      .map((name) => `${name} stops it until somebody takes the annotation away`),
    fallback !== undefined &&
      !(fallback.replicas >= least && fallback.replicas <= most) &&
      `falls back to ${shown(fallback.replicas)} pods, outside ${least} to ${most}`,
    !(pollingInterval >= 1 && pollingInterval <= LONGEST_POLL) &&
      `looks every ${shown(pollingInterval)} s; that is at most ${LONGEST_POLL}`,
    ...(triggers as readonly DatabaseTrigger[])
      .map((trigger) => trigger.metadata?.targetQueryValue)
      .filter((target) => target !== undefined)
      .filter((target) => !(Number(target) >= 1 && Number(target) <= MOST_WAITING))
      .map((target) => `has a pod for each ${target} that wait; that is 1 to ${MOST_WAITING}`),
    ...['scaleUp', 'scaleDown'].flatMap((direction) => behaviorFaults(behavior, direction)),
  ];
}

interface SecretReference {
  readonly parameter?: string;
  readonly name?: string;
}

function databaseTriggers(audited: Audited): readonly DatabaseTrigger[] {
  return objectsOf(audited, 'ScaledObject', 'ScaledJob').flatMap((object) =>
    ((object.manifest.spec?.triggers ?? []) as readonly (DatabaseTrigger & { type?: string })[])
      .filter(({ type }) => type === 'postgresql')
      .map((trigger) => ({ ...trigger, ...object, namespace: namespaceOf(object) })),
  );
}

function passwordsOf(
  audited: Audited,
  { namespace, authenticationRef }: DatabaseTrigger,
): readonly SecretReference[] {
  const authentication = objectNamed(
    audited,
    namespace,
    'TriggerAuthentication',
    authenticationRef?.name,
  );
  const references = (authentication?.manifest.spec?.secretTargetRef ?? []) as SecretReference[];
  return references.filter(({ parameter }) => parameter === 'password');
}

/** Roles that the pods of a namespace sign in as. */
function usersIn({ manifest }: KubernetesObject): readonly string[] {
  const variables: readonly { name?: string; value?: string }[] =
    manifest.kind === 'ConfigMap'
      ? Object.entries((manifest.data ?? {}) as Record<string, string>).map(([name, value]) => ({
          name,
          value,
        }))
      : (manifest.spec?.template?.spec?.containers ?? []).flatMap(
          ({ env = [] }: { env?: readonly { name?: string; value?: string }[] }) => env,
        );
  return variables.flatMap(({ name, value }) =>
    ['DB_USER', 'DB_LISTENER_USER'].includes(name ?? '') && value ? [value] : [],
  );
}

const ZONE = 'topology.kubernetes.io/zone';
const NODE = 'kubernetes.io/hostname';
const REPLICAS_PATH = /^spec(\[0\])?\.replicas$/;

/** Kinds that say how many pods they want. */
const replicated = (audited: Audited) =>
  servingPods(audited).filter(({ kind }) => kind !== 'DaemonSet');

/** Rules on how many pods there are, and where. */
export const AVAILABILITY_RULES: readonly Rule[] = [
  rule({
    id: 'workload-has-two-pods',
    subjects: replicated,
    faults: (pod, audited) => {
      const own = ownReplicas(pod);
      const least = leastReplicas(audited, pod);
      return [
        own < 2 && `starts with ${own} pod${own === 1 ? '' : 's'}`,
        own >= 2 && least < 2 && `its autoscaler may leave ${least}`,
      ];
    },
  }),
  rule({
    id: 'replicas-have-one-owner',
    subjects: replicated,
    faults: (pod, audited) => {
      const scalers = autoscalersOf(audited, pod);
      const resource = audited.model.stackOf(pod).at(pod.address);
      const ignored = valueAt(resource?.attributes, 'lifecycle.ignore_changes');
      const ignores = Array.isArray(ignored) && ignored.some((path) => REPLICAS_PATH.test(path));
      const given = pod.manifest.spec?.replicas !== undefined;
      return [
        scalers.length > 1 &&
          `${scalers.length} autoscalers act on it: ${scalers.map(({ address }) => address).join(', ')}`,
        scalers.length > 0 &&
          given &&
          !ignores &&
          'an autoscaler acts on it, and each apply sets its replicas back (ignore_changes lacks spec[0].replicas)',
        scalers.length === 0 && ignores && 'its replicas are ignored, and no autoscaler owns them',
      ];
    },
  }),
  rule({
    id: 'autoscaler-can-act',
    subjects: (audited) => objectsOf(audited, 'HorizontalPodAutoscaler'),
    faults: (object, audited) => {
      const spec = object.manifest.spec ?? {};
      const { kind, name, apiVersion } = spec.scaleTargetRef ?? {};
      const target = podsIn(audited, namespaceOf(object)).find(
        (pod) => pod.kind === kind && pod.name === name,
      );
      const least = Number(spec.minReplicas ?? 1);
      const most = Number(spec.maxReplicas ?? 0);
      const metrics = metricsOf(spec);
      return [
        target === undefined && `there is no ${kind} ${name} in namespace ${namespaceOf(object)}`,
        target !== undefined &&
          apiVersion !== target.manifest.apiVersion &&
          `its target's apiVersion is ${shown(apiVersion)}; that of a ${kind} is ${target?.manifest.apiVersion}`,
        most <= least && `its maximum ${most} is not more than its minimum ${least}`,
        target !== undefined &&
          (ownReplicas(target) > most || ownReplicas(target) < least) &&
          `its target starts with ${target && ownReplicas(target)} pods, outside ${least} to ${most}`,
        metrics.length === 0 && 'has no metric',
        isMemoryAlone(metrics) &&
          'uses memory alone: a process keeps the memory that it once needed, so that pods are added while it is idle, and none while work waits for CPU',
        ...metrics.flatMap((metric) =>
          metricFaults(metric, target && containersOf(target), audited),
        ),
        ...['scaleUp', 'scaleDown'].flatMap((direction) =>
          behaviorFaults(spec.behavior, direction),
        ),
      ];
    },
  }),
  rule({
    id: 'scaled-object-can-act',
    subjects: (audited) => objectsOf(audited, 'ScaledObject'),
    faults: (object, audited) => {
      const { scaleTargetRef, triggers = [], idleReplicaCount } = object.manifest.spec ?? {};
      const { kind = 'Deployment', name } = scaleTargetRef ?? {};
      const isThere = podsIn(audited, namespaceOf(object)).some(
        (pod) => pod.kind === kind && pod.name === name,
      );
      const [least, most] = rangeOf(object);
      return [
        !isThere && `there is no ${kind} ${name} in namespace ${namespaceOf(object)}`,
        least < 1 && `may leave ${least} pods`,
        idleReplicaCount !== undefined && `leaves ${idleReplicaCount} pods while nothing waits`,
        most <= least && `its maximum ${most} is not more than its minimum ${least}`,
        triggers.length === 0 && 'has no trigger',
        ...followingFaults(object.manifest, [least, most]),
      ];
    },
  }),
  rule({
    id: 'scaler-only-counts',
    subjects: (audited) => databaseTriggers(audited),
    faults: (trigger, audited) => {
      const { metadata = {}, namespace } = trigger;
      const users = objectsIn(audited, namespace, 'ConfigMap', 'Job').flatMap(usersIn);
      const passwords = passwordsOf(audited, trigger);
      return [
        metadata.userName === undefined && 'names no role',
        users.includes(metadata.userName ?? '') &&
          `signs in as ${metadata.userName}, who may do more than count`,
        !/^SELECT\b[^;]*$/i.test(metadata.query ?? '') && 'its query is not one SELECT',
        !/\bFROM\b/i.test(metadata.query ?? '') && 'its query counts no rows of a table',
        ['password', 'connection'].some((name) => name in metadata) && 'holds its password',
        passwords.length === 0 && 'takes no password from a Secret by a TriggerAuthentication',
        ...passwords
          .filter(({ name }) => objectNamed(audited, namespace, 'Secret', name) === undefined)
          .map(({ name }) => `takes its password from the Secret ${name}, which is not there`),
      ];
    },
  }),
  rule({
    id: 'scaler-knows-its-database',
    subjects: (audited) => databaseTriggers(audited),
    faults: ({ metadata = {} }) => [
      metadata.sslmode !== 'verify-full' &&
        `sslmode is ${shown(metadata.sslmode)}; scaler_ssl_mode = "verify-full" checks it`,
    ],
  }),
  rule({
    id: 'workload-has-one-budget',
    subjects: (audited) => replicated(audited).filter((pod) => leastReplicas(audited, pod) > 1),
    faults: (pod, audited) => {
      const budgets = objectsIn(audited, pod.namespace, 'PodDisruptionBudget').filter(
        ({ manifest }) => selects(manifest.spec?.selector as Selector, pod.labels),
      );
      return [
        budgets.length === 0 && 'no disruption budget covers its pods',
        budgets.length > 1 &&
          `${budgets.length} budgets cover its pods, so none can be evicted: ${budgets.map(({ address }) => address).join(', ')}`,
      ];
    },
  }),
  rule({
    id: 'budget-allows-a-drain',
    subjects: (audited) => objectsOf(audited, 'PodDisruptionBudget'),
    faults: (object, audited) => {
      const { selector, maxUnavailable, minAvailable } = object.manifest.spec ?? {};
      const pods = podsSelected(audited, namespaceOf(object), selector);
      if ((maxUnavailable === undefined) === (minAvailable === undefined)) {
        return ['must have either maxUnavailable or minAvailable'];
      }
      return pods.flatMap((pod) => {
        const replicas = leastReplicas(audited, pod);
        const kept = podCount(minAvailable, replicas, 'up');
        const allowed =
          kept === undefined ? podCount(maxUnavailable, replicas, 'up') : replicas - kept;
        const text = `${minAvailable === undefined ? `maxUnavailable ${maxUnavailable}` : `minAvailable ${minAvailable}`} of ${replicas} pods`;
        return [
          allowed === undefined && `${text} is neither a number nor a percentage`,
          allowed !== undefined && allowed < 1 && `${text} allows no eviction`,
          allowed !== undefined &&
            replicas > 1 &&
            allowed >= replicas &&
            `${text} allows all to be evicted at once`,
        ];
      });
    },
  }),
  rule({
    id: 'pods-are-spread',
    subjects: (audited) => replicated(audited).filter((pod) => leastReplicas(audited, pod) > 1),
    faults: ({ spec, kind }) => {
      const constraints = spec.topologySpreadConstraints ?? [];
      const avoided = termsOf(spec.affinity?.podAntiAffinity).map(({ topologyKey }) => topologyKey);
      const covered = [...constraints.map(({ topologyKey }) => topologyKey), ...avoided];
      return [
        !covered.includes(ZONE) && `nothing spreads its pods over zones (${ZONE})`,
        !covered.includes(NODE) && `nothing spreads its pods over nodes (${NODE})`,
        ...constraints.flatMap(({ topologyKey, maxSkew = 1, matchLabelKeys = [] }) => [
          maxSkew < 1 && `the spread over ${topologyKey} has maxSkew ${maxSkew}, must be 1`,
          maxSkew > 1 &&
            `the spread over ${topologyKey} allows one place to have ${maxSkew} pods more than another`,
          kind === 'Deployment' &&
            !matchLabelKeys.includes('pod-template-hash') &&
            `the spread over ${topologyKey} counts the old version's pods too (matchLabelKeys lacks pod-template-hash)`,
        ]),
      ];
    },
  }),
];
