import { CreateNetworkInterfaceCommand, DeleteNetworkInterfaceCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AwsClients, awsClients } from '../../../src/operations/aws-clients.ts';
import { interfacesOf } from '../../../src/operations/terraform/load-balancer.ts';
import { createNetwork, type ForeignNetwork, REGION } from '../support/aws-account.ts';
import { type AwsEmulator, emptyAwsEmulator } from '../support/aws-emulator.ts';

let emulator: AwsEmulator;
let clients: AwsClients;
let network: ForeignNetwork;
let other: ForeignNetwork;

beforeAll(async () => {
  emulator = await emptyAwsEmulator();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  clients = awsClients({ region: REGION, profile: '', endpoint: emulator.url, credentials });
  network = await createNetwork(emulator, 'etl-platform');
  other = await createNetwork(emulator, 'other');
});

afterAll(() => emulator?.stop());

/** Makes a network interface with a description, as Elastic Load Balancing does. */
async function createInterface({ privateSubnetIds }: ForeignNetwork, Description: string) {
  const ec2 = await clients.ec2();
  const [SubnetId] = privateSubnetIds;
  const answer = await ec2.send(new CreateNetworkInterfaceCommand({ SubnetId, Description }));
  return answer.NetworkInterface?.NetworkInterfaceId;
}

test("finds the interfaces of the load balancer in the cluster's VPC, until they are gone", async () => {
  const ours = await createInterface(network, 'ELB net/a0b1/0123456789abcdef');
  await createInterface(network, 'ELB net/of-others/0123456789abcdef');
  await createInterface(other, 'ELB net/a0b1/0123456789abcdef');
  expect(await interfacesOf(clients, network.vpcId, ['a0b1'])).toEqual([ours]);

  const ec2 = await clients.ec2();
  await ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: ours }));
  expect(await interfacesOf(clients, network.vpcId, ['a0b1'])).toEqual([]);
});
