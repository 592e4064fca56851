import type { AwsEmulator } from './aws-emulator.ts';

/** Region that the tests work in. */
export const REGION = 'us-gov-west-1';

/** Account that the emulator answers for. */
export const ACCOUNT = '123456789012';

/** A network that somebody made by hand. */
export interface ForeignNetwork {
  readonly vpcId: string;
  readonly privateSubnetIds: readonly string[];
}

const EC2 = { Version: '2016-11-15' };
const IAM = { Version: '2010-05-08' };

/** Makes a VPC and private subnets in two zones, named as foundation-network names its own. */
export async function createNetwork(
  emulator: AwsEmulator,
  prefix: string,
  vpcName = `${prefix}-vpc`,
): Promise<ForeignNetwork> {
  const ec2 = (parameters: Record<string, string>) =>
    emulator.query('ec2', REGION, { ...EC2, ...parameters });
  const vpcId = idIn(await ec2({ Action: 'CreateVpc', CidrBlock: '10.9.0.0/16' }), 'vpcId');
  await tagResource(emulator, vpcId, 'Name', vpcName);
  const privateSubnetIds = [
    await createSubnet(emulator, vpcId, 0, `${prefix}-private-a`),
    await createSubnet(emulator, vpcId, 1, `${prefix}-private-b`),
  ];
  return { vpcId, privateSubnetIds: privateSubnetIds.sort() };
}

/** Gives something of EC2 a tag. */
export async function tagResource(
  emulator: AwsEmulator,
  resourceId: string,
  key: string,
  value: string,
): Promise<void> {
  await emulator.query('ec2', REGION, {
    ...EC2,
    Action: 'CreateTags',
    'ResourceId.1': resourceId,
    'Tag.1.Key': key,
    'Tag.1.Value': value,
  });
}

/** Makes a subnet in the zone of an index: 0 is `a`. */
export async function createSubnet(
  emulator: AwsEmulator,
  vpcId: string,
  index: number,
  name: string,
): Promise<string> {
  const ec2 = (parameters: Record<string, string>) =>
    emulator.query('ec2', REGION, { ...EC2, ...parameters });
  const subnet = await ec2({
    Action: 'CreateSubnet',
    VpcId: vpcId,
    CidrBlock: `10.9.${index}.0/24`,
    AvailabilityZone: `${REGION}${'abc'.at(index)}`,
  });
  const subnetId = idIn(subnet, 'subnetId');
  await tagResource(emulator, subnetId, 'Name', name);
  return subnetId;
}

/**
 * Makes a security group in the region's default VPC, as that of a database.
 *
 * @returns its id
 */
export async function createSecurityGroup(emulator: AwsEmulator, name: string): Promise<string> {
  const parameters = { Action: 'CreateSecurityGroup', GroupName: name, GroupDescription: name };
  return idIn(await emulator.query('ec2', REGION, { ...EC2, ...parameters }), 'groupId');
}

/** Makes an IAM role that nobody can assume. */
export async function createRole(emulator: AwsEmulator, name: string): Promise<void> {
  await emulator.query('iam', REGION, {
    ...IAM,
    Action: 'CreateRole',
    RoleName: name,
    AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}',
  });
}

/**
 * Makes an OIDC provider in IAM.
 *
 * @returns its ARN
 */
export async function createOidcProvider(emulator: AwsEmulator, issuer: string): Promise<string> {
  const answer = await emulator.query('iam', REGION, {
    ...IAM,
    Action: 'CreateOpenIDConnectProvider',
    Url: issuer,
    'ClientIDList.member.1': 'sts.amazonaws.com',
    'ThumbprintList.member.1': '0201a9f54320c2145814a507d7a3880c726eacd7',
  });
  return idIn(answer, 'OpenIDConnectProviderArn');
}

/** The text of an XML answer's first element of a name. */
function idIn(xml: string, element: string): string {
  const id = new RegExp(`<${element}>([^<]+)</${element}>`).exec(xml)?.[1];
  if (id === undefined) throw new Error(`No ${element} in the answer:\n${xml}`);
  return id;
}
