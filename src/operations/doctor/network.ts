import { DescribeSubnetsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import type { Target } from '../target.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';

/** Looks for the network that file-processing finds by its names. */
export function networkDiagnosis({ clients, region, environment }: Target): Promise<Diagnosis> {
  const { vpc_id, foundation_name_prefix } = environment.fileProcessing;
  const next =
    'npm run manage -- apply foundation-network, or check foundation_name_prefix, vpc_id';
  return diagnose('network', async () => {
    const ec2 = await clients.ec2();
    const name = `${foundation_name_prefix}-vpc`;
    const { Vpcs = [] } = await ec2.send(
      new DescribeVpcsCommand({
        Filters: [
          vpc_id === ''
            ? { Name: 'tag:Name', Values: [name] }
            : { Name: 'vpc-id', Values: [vpc_id] },
        ],
      }),
    );
    const wanted = vpc_id || name;
    const [vpc, ...others] = Vpcs;
    if (vpc?.VpcId === undefined || others.length > 0) {
      return { state: 'red', found: `${Vpcs.length} VPCs are ${wanted} in ${region}`, next };
    }
    const { Subnets = [] } = await ec2.send(
      new DescribeSubnetsCommand({
        Filters: [
          { Name: 'vpc-id', Values: [vpc.VpcId] },
          { Name: 'tag:Name', Values: [`${foundation_name_prefix}-private-*`] },
        ],
      }),
    );
    const found = `${wanted} (${vpc.VpcId}) with ${Subnets.length} private subnets`;
    return Subnets.length >= 2 ? { state: 'ok', found } : { state: 'red', found, next };
  });
}
