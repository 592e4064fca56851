import type { Audited } from '../rule.ts';
import { shown, when } from './faults.ts';
import type { Container } from './pods.ts';
import { quantity } from './quantity.ts';

interface Metric {
  readonly type?: string;
  readonly resource?: MetricSource;
  readonly containerResource?: MetricSource & { readonly container?: string };
}

interface MetricSource {
  readonly name?: string;
  readonly target?: {
    readonly type?: string;
    readonly averageUtilization?: number;
    readonly averageValue?: string;
  };
}

/** Metrics of an autoscaler; the older field for CPU is one too. */
export function metricsOf(spec: {
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

/** What keeps an autoscaler from going by a metric. */
export function metricFaults(
  metric: Metric,
  containers: readonly Container[] | undefined,
  { model }: Audited,
): readonly string[] {
  const source = metric.resource ?? metric.containerResource;
  if (metric.type !== 'Resource' && metric.type !== 'ContainerResource') {
    return when(
      !['Pods', 'Object', 'External'].includes(metric.type ?? ''),
      `goes by a metric of type ${shown(metric.type)}`,
    );
  }
  if (source?.target === undefined) return [`its metric of type ${metric.type} names no target`];
  const { name = '', target } = source;
  const measured = (containers ?? [])
    .filter(({ init }) => !init)
    .filter((one) => metric.resource || one.name === metric.containerResource?.container);
  const percent = target.averageUtilization;
  const clusters = model.ofType('aws_eks_cluster');
  const servers = model
    .ofType('aws_eks_addon')
    .filter(({ attributes }) => attributes.addon_name === 'metrics-server');
  return [
    ...when(
      containers !== undefined && measured.length === 0,
      `goes by ${metric.containerResource?.container}, which is no container of its target`,
    ),
    ...measured
      .filter(
        ({ spec }) =>
          target.type === 'Utilization' && quantity(spec.resources?.requests?.[name]) === undefined,
      )
      .map((one) => `goes by a percentage of ${name}, and container ${one.name} requests none`),
    ...when(
      (target.type === 'Utilization') !== (percent !== undefined),
      `aims for ${shown(percent)} % of ${name} by a target of type ${shown(target.type)}`,
    ),
    ...when(
      percent !== undefined && (percent < 10 || percent > 95),
      `aims for ${percent} % of ${name}; that is 10 to 95`,
    ),
    ...when(
      clusters.length > 0 && servers.length === 0,
      'the cluster has no metrics-server add-on to tell it figures',
    ),
  ];
}

interface ScalingRules {
  readonly selectPolicy?: string;
  readonly stabilizationWindowSeconds?: number;
  readonly policies?: readonly {
    readonly type?: string;
    readonly value?: number;
    readonly periodSeconds?: number;
  }[];
}

/** The API takes windows up to an hour and periods up to half of one. */
export function behaviorFaults(
  behavior: Readonly<Record<string, ScalingRules>> = {},
  direction: string,
): readonly string[] {
  const rules = behavior[direction] ?? {};
  const { selectPolicy, stabilizationWindowSeconds: window, policies = [] } = rules;
  return [
    ...when(selectPolicy === 'Disabled', `${direction} is disabled`),
    ...when(
      direction === 'scaleDown' && window !== undefined && window < 60,
      `scaleDown looks back ${window} s only: pods come and go with each burst`,
    ),
    ...when(
      window !== undefined && window > (direction === 'scaleUp' ? 300 : 3600),
      `${direction} waits ${window} s`,
    ),
    ...policies
      .filter(
        ({ value = 0, periodSeconds = 0 }) =>
          value < 1 || periodSeconds < 1 || periodSeconds > 1800,
      )
      .map(
        ({ value, periodSeconds }) =>
          `${direction} by ${shown(value)} in ${shown(periodSeconds)} s is no policy`,
      ),
  ];
}
