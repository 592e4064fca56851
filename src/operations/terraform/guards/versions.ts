import type { FileProcessingSettings } from '../../../settings/file-processing-variables.ts';
import { minorOf } from '../../../settings/kubernetes-versions.ts';
import { changesOf, type PlanJson, type PlannedChange } from '../plan-json.ts';
import type { Refusal } from './refusals.ts';

/** What the tfvars name. */
type NamedVersions = Pick<FileProcessingSettings, 'kubernetes_version' | 'addon_versions'>;

/** Kubernetes allows more ("Version Skew Policy"), but then the next upgrade fails. */
const MOST_MINORS_AHEAD_OF_NODES = 1;

/**
 * Refuses version changes that EKS refuses half way, or that nobody asked for: of the control plane one that no
 * tfvars names, that goes down or over more than one minor version, or that leaves nodes two behind; of an add-on
 * one to an older version that no tfvars names. What follows from a refused version of the control plane is not told
 * too: it goes with it.
 */
export function refuseVersionChanges(plan: PlanJson, named: NamedVersions): readonly Refusal[] {
  const clusters = updatesOf(plan, 'aws_eks_cluster');
  const addOns = updatesOf(plan, 'aws_eks_addon');
  return [
    ...clusters.flatMap((change) => refuseOfCluster(change, named)),
    ...(clusters.some((change) => minorsUp(change) > 1) ? [] : refuseNodesBehind(plan)),
    ...(clusters.some((change) => minorsUp(change) < 0)
      ? []
      : addOns.flatMap((change) => refuseOfAddOn(change, named))),
  ];
}

/** By how many minor versions an update raises a control plane. */
function minorsUp({ change: { before, after } }: PlannedChange): number {
  return minorOf(String(after?.version)) - minorOf(String(before?.version));
}

function updatesOf(plan: PlanJson, type: string): readonly PlannedChange[] {
  return changesOf(plan).filter(
    (one) => one.type === type && one.change.before !== null && one.change.after !== null,
  );
}

function refuseOfCluster(
  { change: { before, after } }: PlannedChange,
  { kubernetes_version }: NamedVersions,
): readonly Refusal[] {
  const [from, to] = [String(before?.version), String(after?.version)];
  const [old, next] = [minorOf(from), minorOf(to)];
  if (Number.isNaN(old) || Number.isNaN(next) || old === next) return [];
  const change = `the plan would change ${String(before?.name)} from Kubernetes ${from} to ${to}`;
  if (next < old) {
    return [
      {
        reason: `${change}: kubernetes_version is behind the cluster, and EKS goes back to no older version`,
        next: `set kubernetes_version = "${from}" in file_processing.tfvars`,
      },
    ];
  }
  if (kubernetes_version === '') {
    return [
      {
        reason: `${change}, which no tfvars names`,
        next: `set kubernetes_version in file_processing.tfvars: "${to}" upgrades, "${from}" stays`,
      },
    ];
  }
  if (next - old === 1) return [];
  return [
    {
      reason: `${change}: EKS upgrades by one minor version at a time`,
      next: `set kubernetes_version = "1.${old + 1}" in file_processing.tfvars and apply, then the next one`,
    },
  ];
}

/** Nodes follow their cluster, but not those with an image of the operator's. */
function refuseNodesBehind(plan: PlanJson): readonly Refusal[] {
  const cluster = updatesOf(plan, 'aws_eks_cluster').find(
    ({ change: { before, after } }) => before?.version !== after?.version,
  );
  if (cluster === undefined) return [];
  const to = String(cluster.change.after?.version);
  return (plan.resource_changes ?? [])
    .filter(({ type, change }) => type === 'aws_eks_node_group' && change.before !== null)
    .flatMap(({ address, change: { before, after } }) => {
      const version = String(after?.version ?? before?.version);
      if (!(minorOf(to) - minorOf(version) > MOST_MINORS_AHEAD_OF_NODES)) return [];
      return [
        {
          reason: `the plan would upgrade the control plane to Kubernetes ${to} while the nodes of ${address} stay at ${version}`,
          next: `give the nodes an image of 1.${minorOf(to) - 1} first (ami_id), apply, then upgrade`,
        },
      ];
    });
}

function refuseOfAddOn(
  { change: { before, after } }: PlannedChange,
  { addon_versions }: NamedVersions,
): readonly Refusal[] {
  const name = String(before?.addon_name);
  const [from, to] = [String(before?.addon_version), String(after?.addon_version)];
  if (Object.hasOwn(addon_versions, name) || !isOlder(to, from)) return [];
  return [
    {
      reason: `the plan would set the add-on ${name} back from ${from} to ${to}, EKS's default for the cluster's Kubernetes version`,
      next: `keep it by addon_versions = { ${name} = "${from}" } in file_processing.tfvars, or name ${to} there to go back`,
    },
  ];
}

/** Whether a version such as `v1.20.4-eksbuild.2` is older than another; not for what is none. */
function isOlder(one: string, other: string): boolean {
  const [numbers, others] = [numbersOf(one), numbersOf(other)];
  const at = numbers.findIndex((number, index) => number !== others[index]);
  return numbers.length === others.length && at >= 0 && (numbers[at] ?? 0) < (others[at] ?? 0);
}

function numbersOf(version: string): readonly number[] {
  return (/^v(\d+)\.(\d+)\.(\d+)-eksbuild\.(\d+)$/.exec(version) ?? []).slice(1).map(Number);
}
