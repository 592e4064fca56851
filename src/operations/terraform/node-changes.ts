import { isDeepStrictEqual } from 'node:util';
import type { OperationContext } from '../operation.ts';
import { changesOf, deletes, type PlanJson, type PlannedChange } from './plan-json.ts';

type Values = Readonly<Record<string, unknown>>;

/** What a template has beside what it gives an instance. */
const OF_THE_TEMPLATE_ITSELF: readonly string[] = [
  ...['arn', 'default_version', 'description', 'id', 'latest_version', 'tags', 'tags_all'],
  'update_default_version',
];

/**
 * What a plan does to nodes, a sentence each. Terraform shows an update of a node group as one argument that changes,
 * though every node is replaced, and says that a tag of the stack is part of the launch template nowhere.
 */
export function nodeChanges(plan: PlanJson): readonly string[] {
  const changes = changesOf(plan);
  // With their cluster all nodes go, which needs no words.
  if (changes.some((change) => change.type === 'aws_eks_cluster' && deletes(change))) return [];
  const groups = changes.filter(({ type }) => type === 'aws_eks_node_group');
  return groups.flatMap((group) => {
    const { actions, before, after } = group.change;
    const name = String(before?.node_group_name ?? group.address);
    if (deletes(group)) {
      return actions.includes('create')
        ? `a new node group takes the place of ${name}: it starts with ${sizeOf(after)} beside the old one, which is drained and goes once the new one is ready`
        : `the node group ${name} is drained and goes; its pods move to nodes of other groups`;
    }
    const reasons = before === null ? [] : rollReasons(plan, group);
    return reasons.length === 0
      ? []
      : `every node of ${name} is replaced, some at a time, because of a change of ${reasons.join(', ')}`;
  });
}

/** Says what a plan does to nodes, before anybody is asked. */
export function tellNodeChanges({ stderr }: OperationContext, plan: PlanJson): void {
  for (const change of nodeChanges(plan)) stderr.write(`note: ${change}\n`);
}

/** Why EKS replaces the nodes of a group that stays. */
function rollReasons(plan: PlanJson, { change }: PlannedChange): readonly string[] {
  const versions = ['version', 'release_version'].filter(
    (name) => change.before?.[name] !== change.after?.[name] && change.after?.[name] !== undefined,
  );
  const { id, version } = templateOf(change.before);
  if (version === templateOf(change.after).version) return versions;
  const template = changesOf(plan).find(
    ({ type, change: { before } }) => type === 'aws_launch_template' && before?.id === id,
  );
  return [...versions, ...argumentsOf(template)];
}

function argumentsOf(template: PlannedChange | undefined): readonly string[] {
  if (template === undefined) return ['launch_template'];
  const { before, after } = template.change;
  const changed = Object.keys({ ...before, ...after })
    .filter((name) => !OF_THE_TEMPLATE_ITSELF.includes(name))
    .filter((name) => !isDeepStrictEqual(before?.[name], after?.[name]))
    .sort();
  return changed.map((name) =>
    name === 'tag_specifications' ? 'tags, which its launch template gives each node' : name,
  );
}

function templateOf(values: Values | null): Values {
  return ((values?.launch_template ?? []) as readonly Values[])[0] ?? {};
}

function sizeOf(values: Values | null): string {
  const [scaling] = (values?.scaling_config ?? []) as readonly Values[];
  const size = scaling?.desired_size ?? 'its';
  return `${size} ${size === 1 ? 'node' : 'nodes'}`;
}
