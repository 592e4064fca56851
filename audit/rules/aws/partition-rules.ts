import { isRegion, partitionOf } from '@file-processing/contract/partition.ts';
import { blocksOf, type StackModel, valueAt } from '../../../src/synthesized/model/model.ts';
import { type Rule, rule } from '../rule.ts';
import { faultsOf } from './attributes.ts';
import { blocksOfStack, type StackBlock } from './stack-blocks.ts';

const ARN = /\barn:([^:\s"]*):([^:\s"]*):([^:\s"]*):((?:\$\{[^}]*\}|[^:\s"])*):/g;
const HOST =
  /\b((?:[a-z0-9-]+\.)*)((?:af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-[a-z]+-\d)\.(amazonaws\.com(?:\.cn)?)\b/g;

/** ARNs are compared as text: one of another partition never matches. */
export const arnOfOwnPartition: Rule = rule({
  id: 'arn-of-own-partition',
  title: "Every ARN is of the stack's partition and region",
  reason:
    'In GovCloud and China an arn:aws: is somebody else’s: the policy that holds it grants or refuses nothing, and the deploy does not say so.',
  control: 'SA-9(5)',
  severity: 'high',
  subjects: ({ model }) => model.stacks.flatMap(namingBlocks),
  faults: ({ stack, value }, { model }) => {
    const { partition, region } = model.stackOf({ stack });
    return stringsIn(value).flatMap((text) =>
      [...text.matchAll(ARN)].flatMap(([arn, itsPartition, , itsRegion = '']) =>
        faultsOf(
          [itsPartition !== partition, `${arn}… is of partition ${itsPartition}, not ${partition}`],
          [
            isRegion(itsRegion) && itsRegion !== region,
            `${arn}… is in ${itsRegion}, the stack in ${region}`,
          ],
        ),
      ),
    );
  },
});

/** Hosts of services, principals of services, and names of endpoints carry region and suffix. */
export const hostOfOwnPartition: Rule = rule({
  id: 'host-of-own-partition',
  title: "Every AWS host and service name is of the stack's partition",
  reason:
    'The host of another partition is not reachable with these credentials, and a service principal with the wrong region or suffix never calls.',
  control: 'SA-9(5)',
  severity: 'high',
  subjects: ({ model }) => model.stacks.flatMap(namingBlocks),
  faults: ({ stack, value }, { model }) => {
    const { region } = model.stackOf({ stack });
    const suffix = partitionOf(region).dnsSuffix;
    return stringsIn(value).flatMap((text) => [
      ...[...text.matchAll(HOST)].flatMap(([host, , its = '', itsSuffix]) =>
        faultsOf(
          [
            partitionOf(its).name !== partitionOf(region).name || itsSuffix !== suffix,
            `${host} is not of the partition of ${region}`,
          ],
          [
            /^(logs|s3|sqs|sns|kms)\.$/.test(host.slice(0, host.indexOf(its))) && its !== region,
            `${host} is the host of ${its}, the stack is in ${region}`,
          ],
        ),
      ),
      ...[...text.matchAll(/\bcom\.amazonaws\.([a-z]+(?:-[a-z]+)+-\d)\./g)]
        .filter(([, its]) => its !== region)
        .map(([name]) => `${name}… is a service of another region than ${region}`),
      ...[...text.matchAll(/"--region",\s*"([^"]*)"/g)]
        .filter(([, its]) => its !== region)
        .map(([, its]) => `--region ${its} is not the region of the stack, ${region}`),
    ]);
  },
});

/** The provider blocks. */
export const oneRegion: Rule = rule({
  id: 'one-region',
  title: 'All stacks are in one region and one account, with a provider block each',
  reason:
    'A network in one region cannot be found from another, and a second provider makes resources where nobody looks.',
  control: 'CM-2',
  severity: 'medium',
  subjects: ({ model }) =>
    model.stacks.map(({ name, json }) => ({
      stack: name,
      address: 'provider.aws',
      blocks: blocksOf(json.provider?.aws),
    })),
  faults: ({ stack, blocks }, { model }) => {
    const { region, resources } = model.stackOf({ stack });
    return [
      ...faultsOf(
        [blocks.length !== 1, `there are ${blocks.length} blocks of provider aws instead of one`],
        [!isRegion(region), `region is ${region || 'missing'}: write the region itself`],
      ),
      ...blocks.flatMap((block) =>
        Object.keys(block)
          .filter((argument) => !['region', 'profile', 'default_tags'].includes(argument))
          .map((argument) => `${argument} changes where or as whom the provider works`),
      ),
      ...model.stacks
        .filter((other) => profileOf(other) !== profileOf(model.stackOf({ stack })))
        .map((other) => `its profile is not written as in ${other.name}`),
      ...model.stacks
        .filter((other) => other.region !== region)
        .map((other) => `region is ${region}, in ${other.name} it is ${other.region}`),
      ...resources
        .filter(
          ({ attributes }) => typeof attributes.region === 'string' && attributes.region !== region,
        )
        .map(({ address }) => `${address} is in another region`),
    ];
  },
});

function profileOf({ json }: StackModel): string {
  return String(blocksOf(json.provider?.aws)[0]?.profile);
}

/** What may name a partition or region: variables and the state's place, too. */
function namingBlocks(stack: StackModel): readonly StackBlock[] {
  const { name, json } = stack;
  return [
    ...blocksOfStack(stack),
    ...Object.entries(json.variable ?? {}).map(([key, variable]) => ({
      stack: name,
      address: `var.${key}`,
      value: variable.default,
    })),
    { stack: name, address: 'terraform.backend', value: valueAt(json.terraform, 'backend') },
  ];
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...stringsIn(item)]);
}

/** Rules on partitions, regions and hosts. */
export const PARTITION_RULES: readonly Rule[] = [arnOfOwnPartition, hostOfOwnPartition, oneRegion];
