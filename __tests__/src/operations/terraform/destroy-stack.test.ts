import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { awsClients } from '../../../../src/operations/aws-clients.ts';
import type { OperationContext } from '../../../../src/operations/operation.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { type PlayedTerraform, playedTerraform } from '../../../support/played-terraform.ts';

const SERVICE = 'kubernetes_service_v1.sns_listener';
const NAME = 'a0b1c2d3e4f5061728394a5b6c7d8e9f';
const HOST = `${NAME}-0123456789abcdef.elb.us-gov-west-1.amazonaws.com`;

/** An HTTP server on loopback that answers everything with a text. */
async function startServer(text: string): Promise<string> {
  const server = createServer((_, response) => {
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A stack that stands, with a load balancer. */
async function standing(): Promise<PlayedTerraform> {
  const resources = {
    'aws_eks_cluster.this': {
      name: 'etl',
      endpoint: await startServer(''),
      vpc_config: [{ vpc_id: 'vpc-1' }],
    },
    'aws_sns_topic.events': {},
    [SERVICE]: {
      spec: [{ type: 'LoadBalancer' }],
      status: [{ load_balancer: [{ ingress: [{ hostname: HOST }] }] }],
    },
  };
  return playedTerraform({ resources, held: Object.keys(resources) });
}

/** As EC2 answers when these interfaces are left. */
function interfaces(...descriptions: readonly string[]): string {
  const items = descriptions.map(
    (description, index) =>
      `<item><networkInterfaceId>eni-${index}</networkInterfaceId><description>${description}</description></item>`,
  );
  return `<DescribeNetworkInterfacesResponse><networkInterfaceSet>${items.join('')}</networkInterfaceSet></DescribeNetworkInterfacesResponse>`;
}

async function destroy(
  played: PlayedTerraform,
  parameters: readonly string[],
  context: Partial<OperationContext> = {},
  ec2Answer: string = interfaces(),
) {
  const root = temporaryRoot();
  const endpoint = await startServer(ec2Answer);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return await manage(['destroy', '--profile', '', ...parameters], {
    root,
    env: { CDKTF_OUTPUT: join(root, 'cdktf.out') },
    run: played.run,
    aws: (target) => awsClients({ ...target, endpoint, credentials }),
    ...context,
  });
}

const WHOLE = 'plan -destroy';
const SERVICE_ALONE = `plan -destroy -target=${SERVICE}`;

describe('destroy', () => {
  test('destroys the load balancer first, then the rest', async () => {
    const played = await standing();
    const { code } = await destroy(played, ['--auto-approve']);
    expect(played.commands).toEqual([WHOLE, SERVICE_ALONE, 'apply', WHOLE, 'apply']);
    expect(played.held()).toEqual([]);
    expect(code).toBe(0);
  });

  test('asks once, for the whole', async () => {
    const questions: string[] = [];
    const { code } = await destroy(await standing(), [], {
      confirm: async (question) => questions.push(question) > 0,
    });
    expect(questions).toEqual(['Destroy all of this in file-processing of etl-playground?']);
    expect(code).toBe(0);
  });

  test("leaves the rest while the load balancer's interfaces are there", async () => {
    const played = await standing();
    const answer = interfaces(`ELB net/${NAME}/0123456789abcdef`, 'ELB net/of-others/1');
    const { code, err } = await destroy(played, ['--auto-approve', '--wait', '0'], {}, answer);
    expect(err).toContain('still there after 0 s: eni-0');
    expect(err).not.toContain('eni-1');
    expect(code).toBe(69);
    expect(played.held()).toEqual(['aws_eks_cluster.this', 'aws_sns_topic.events']);
  });

  test('changes nothing when nobody says yes', async () => {
    const played = await standing();
    expect((await destroy(played, [])).code).toBe(77);
    expect(played.commands).toEqual([WHOLE]);
  });

  test('changes nothing with --dry-run', async () => {
    const played = await standing();
    const { code, out } = await destroy(played, ['--dry-run', '--auto-approve', '--json']);
    expect(played.commands).toEqual([WHOLE]);
    expect(JSON.parse(out)).toMatchObject({ destroyed: false, changes: { length: 3 } });
    expect(code).toBe(0);
  });

  test('is refused where the API of the cluster is out of reach, before anything is planned', async () => {
    const resources = {
      'aws_eks_cluster.this': { name: 'etl', endpoint: 'http://127.0.0.1:1/' },
      [SERVICE]: { spec: [{ type: 'LoadBalancer' }] },
    };
    const played = playedTerraform({ resources, held: Object.keys(resources) });
    expect((await destroy(played, ['--auto-approve'])).code).toBe(77);
    expect(played.commands).toEqual([]);
  });

  test('has nothing to do with an empty state', async () => {
    const played = playedTerraform({ resources: { 'aws_sns_topic.events': {} } });
    const { code, err } = await destroy(played, []);
    expect(played.commands).toEqual([]);
    expect(err).toContain('Nothing to destroy');
    expect(code).toBe(0);
  });

  test('tells of a queue that a switch of delivery has left, whose key goes', async () => {
    const arn = 'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:files-dead-letter';
    const answer = { QueueUrl: 'https://sqs/', Attributes: { ApproximateNumberOfMessages: '3' } };
    const warned = async (...more: readonly string[]) => {
      const addresses = ['aws_sqs_queue.dead_letter', ...more];
      const resources = Object.fromEntries(addresses.map((address) => [address, { arn }]));
      const played = playedTerraform({ resources, held: addresses });
      const { err } = await destroy(played, ['--auto-approve'], {}, JSON.stringify(answer));
      return err;
    };
    expect(await warned()).toContain(
      'files-deliveries, left by a switch of delivery, stays: 3 messages',
    );
    expect(await warned('aws_sqs_queue.deliveries')).not.toContain('left by a switch');
  });

  test('says what stays', async () => {
    const { err } = await destroy(await standing(), ['--auto-approve']);
    expect(err).toContain('bucket etl-ba-research-client-etl and the database on dev-postgres');
  });
});
