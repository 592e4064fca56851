import type { CrossFinding } from './check-foundation-network.ts';
import { networkPrefix } from './common-variables.ts';
import { type SettingsOf, text, textList, textMap } from './variable.ts';

/** The variables by which a stack finds the network that it is deployed into: the foundation's, or one of others. */
export const existingNetworkVariables = {
  foundation_name_prefix: text({
    description:
      'Prefix by which the network is found: the VPC <prefix>-vpc and its subnets <prefix>-private-*.',
    ...networkPrefix,
  }),
  vpc_id: text({
    description: 'VPC to use instead of looking one up by its name.',
    default: '',
    example: 'vpc-0a1b2c3d4e5f67890',
    allowed: 'the id of a VPC, such as vpc-0a1b2c3d4e5f67890',
    accepts: (value) => /^vpc-[0-9a-f]{8}([0-9a-f]{9})?$/.test(value),
  }),
  private_subnet_ids: textList({
    description:
      'Private subnets of vpc_id for cluster and nodes, instead of looking them up by their names. EKS needs two zones.',
    default: [],
    example: ['subnet-0a1b2c3d4e5f67890', 'subnet-0b1c2d3e4f5a67891'],
    allowed: 'a list of 2 to 16 ids of subnets, each once',
    accepts: (ids) =>
      ids.length === 0 || (ids.length >= 2 && ids.length <= 16 && new Set(ids).size === ids.length),
    acceptsItem: (value) => /^subnet-[0-9a-f]{8}([0-9a-f]{9})?$/.test(value),
  }),
  private_subnet_tags: textMap({
    description:
      'Tags that the private subnets are found by instead of their names: all of those in the VPC that have every tag. * and ? in a value stand for any text and any character.',
    default: {},
    example: { tier: 'private' },
    allowed:
      'a map of at most 10 tags: keys of 1 to 128 characters, values of 1 to 256, not of * alone',
    accepts: (tags) =>
      Object.keys(tags).length <= 10 &&
      Object.keys(tags).every((key) => key.length >= 1 && key.length <= 128),
    acceptsItem: (value) => value.length <= 256 && /[^*]/.test(value),
  }),
};

/** How the network is found. */
export type ExistingNetwork = SettingsOf<typeof existingNetworkVariables>;

/** Whether anybody's new subnet may join those that are found: only a list of ids is what it was. */
export function findsPrivateSubnetsByTags({ private_subnet_ids }: ExistingNetwork): boolean {
  return private_subnet_ids.length === 0;
}

/** Filters of Amazon EC2 for the private subnets, beside that for their VPC. */
export function privateSubnetFilters({
  foundation_name_prefix,
  private_subnet_ids,
  private_subnet_tags,
}: ExistingNetwork): readonly { readonly name: string; readonly values: string[] }[] {
  if (private_subnet_ids.length > 0)
    return [{ name: 'subnet-id', values: [...private_subnet_ids] }];
  const tags = Object.entries(private_subnet_tags);
  if (tags.length > 0) return tags.map(([key, value]) => ({ name: `tag:${key}`, values: [value] }));
  return [{ name: 'tag:Name', values: [`${foundation_name_prefix}-private-*`] }];
}

/** How many subnets the lookup has to find, what to say when it does not, and what to do. */
export function privateSubnetsWanted(network: ExistingNetwork): {
  readonly count: number;
  /** Whether it has to find just so many, or at least. */
  readonly exactly: boolean;
  readonly problem: string;
  readonly next: string;
} {
  const { private_subnet_ids, private_subnet_tags, vpc_id } = network;
  const place = `in VPC ${vpc_id || vpcName(network)}`;
  if (private_subnet_ids.length > 0) {
    return {
      count: private_subnet_ids.length,
      exactly: true,
      problem: `Not all ${private_subnet_ids.length} of private_subnet_ids are ${place}`,
      next: 'correct private_subnet_ids or vpc_id',
    };
  }
  const tags = Object.entries(private_subnet_tags).map(([key, value]) => `${key} = ${value}`);
  const byTags = tags.length > 0;
  const [name] = byTags ? [] : privateSubnetFilters(network).flatMap(({ values }) => values);
  return {
    count: 2,
    exactly: false,
    problem: byTags
      ? `Fewer than two subnets with the tags ${tags.join(', ')} ${place}`
      : `Fewer than two private subnets named ${name} ${place}`,
    next: byTags
      ? 'tag the subnets, or check private_subnet_tags and vpc_id'
      : 'deploy foundation-network first, or check foundation_name_prefix and vpc_id',
  };
}

/** Name of the VPC where `vpc_id` is empty. */
export function vpcName({
  foundation_name_prefix,
}: Pick<ExistingNetwork, 'foundation_name_prefix'>): string {
  return `${foundation_name_prefix}-vpc`;
}

/** Faults between the variables. */
export function checkExistingNetwork({
  private_subnet_ids,
  private_subnet_tags,
  vpc_id,
}: ExistingNetwork): CrossFinding<keyof ExistingNetwork>[] {
  if (private_subnet_ids.length === 0) return [];
  const findings: CrossFinding<keyof ExistingNetwork>[] = [];
  if (vpc_id === '') {
    findings.push({ variable: 'vpc_id', message: 'must be given with private_subnet_ids' });
  }
  if (Object.keys(private_subnet_tags).length > 0) {
    findings.push({
      variable: 'private_subnet_tags',
      message:
        'must be empty with private_subnet_ids: the subnets are found by the one or the other',
    });
  }
  return findings;
}
