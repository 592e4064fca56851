import { DataAwsEksAddonVersion } from '@cdktf/provider-aws/lib/data-aws-eks-addon-version/index.js';
import { EksAddon } from '@cdktf/provider-aws/lib/eks-addon/index.js';
import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js';
import { type ITerraformDependable, TerraformLocal } from 'cdktf';
import { Construct } from 'constructs';
import type { ADD_ONS } from '../settings/file-processing/cluster.ts';
import type { FileProcessingSettings } from '../settings/file-processing-variables.ts';

type AddOnName = (typeof ADD_ONS)[number];
type AddOnRow = readonly [name: AddOnName, configuration?: object];

/** Nodes only turn ready with these, so they come first. */
const BEFORE_NODES: readonly AddOnRow[] = [
  // Without it no NetworkPolicy is enforced.
  ['vpc-cni', { enableNetworkPolicy: 'true' }],
  ['kube-proxy'],
  ['eks-pod-identity-agent'],
];

/** These run as pods on nodes: before there are any they wait for twenty minutes and end degraded. */
const AFTER_NODES: readonly AddOnRow[] = [
  ['coredns'],
  // The autoscaler reads its figures.
  ['metrics-server'],
];

/** What the add-ons depend on. */
export interface AddOnsProps {
  readonly settings: FileProcessingSettings;
  readonly cluster: EksCluster;
}

/** The add-ons of a cluster, in EKS's default versions for its own Kubernetes version unless others are named. */
export class AddOns extends Construct {
  readonly #settings: FileProcessingSettings;
  readonly #cluster: EksCluster;
  readonly #kubernetesVersion: string;

  constructor(scope: Construct, { settings, cluster }: AddOnsProps) {
    super(scope, 'add-ons');
    this.#settings = settings;
    this.#cluster = cluster;
    // By a local: a data source that refers to the cluster itself is read after any change of it, its tags too.
    this.#kubernetesVersion = new TerraformLocal(
      this,
      'kubernetes_version',
      cluster.version,
    ).asString;
  }

  /** Installs those that the nodes need. */
  beforeNodes(): readonly EksAddon[] {
    return BEFORE_NODES.map((addOn) => this.#install(addOn, []));
  }

  /** Installs those that need nodes. */
  afterNodes(nodes: ITerraformDependable): readonly EksAddon[] {
    return AFTER_NODES.map((addOn) => this.#install(addOn, [nodes]));
  }

  #install([addonName, configuration]: AddOnRow, dependsOn: ITerraformDependable[]): EksAddon {
    return new EksAddon(this, terraformName(addonName), {
      clusterName: this.#cluster.name,
      addonName,
      addonVersion: this.#settings.addon_versions[addonName] ?? this.#usualVersion(addonName),
      ...(configuration && { configurationValues: JSON.stringify(configuration) }),
      resolveConflictsOnCreate: 'OVERWRITE',
      resolveConflictsOnUpdate: 'OVERWRITE',
      dependsOn,
    });
  }

  #usualVersion(addonName: AddOnName): string {
    const id = terraformName(addonName);
    return new DataAwsEksAddonVersion(new Construct(this, `${id}_version`), id, {
      addonName,
      kubernetesVersion: this.#kubernetesVersion,
    }).version;
  }
}

function terraformName(addonName: AddOnName): string {
  return addonName.replaceAll('-', '_');
}
