import { partitionOf } from '@file-processing/contract/partition.ts';

/** Region of the second look: scanners know the literal ARNs of its partition best. */
export const SECOND_REGION = 'us-east-1';

/**
 * Rewrites tfvars or synthesized JSON for {@link SECOND_REGION}: the region, its zones, the hosts
 * that carry its name and the partition of every ARN.
 *
 * @param region - the region that the text was written for
 */
export function forSecondRegion(text: string, region: string): string {
  const { name, dnsSuffix } = partitionOf(region);
  const second = partitionOf(SECOND_REGION);
  return text
    .replaceAll(region, SECOND_REGION)
    .replaceAll(`arn:${name}:`, `arn:${second.name}:`)
    .replaceAll(dnsSuffix, second.dnsSuffix);
}

/** Whether a second look is owed: not where the stacks are in the partition `aws` already. */
export function needsSecondRegion(region: string): boolean {
  return partitionOf(region).name !== partitionOf(SECOND_REGION).name;
}
