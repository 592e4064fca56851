import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { OperationContext } from '../../../../src/operations/operation.ts';
import { applyTargets } from '../../../../src/operations/terraform/apply-stack.ts';
import { manage, operationContext, temporaryRoot } from '../../../support/manage.ts';
import {
  type PlayedTerraform,
  type PlayedTerraformProps,
  playedTerraform,
} from '../../../support/played-terraform.ts';
import { withValues } from '../../../terraform/support/tfvars.ts';

const MARKER = 'marker-of-a-password';
const SUBSCRIPTION = 'aws_sns_topic_subscription.http';

/** An HTTP server on loopback that answers everything with a status. */
async function startServer(status: number): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Resources of a stack whose cluster answers at a URL. */
function stackWith(clusterUrl: string): PlayedTerraformProps['resources'] {
  return {
    'aws_eks_cluster.this': { name: 'etl', endpoint: clusterUrl },
    'aws_sns_topic.events': {},
    'kubernetes_namespace_v1.ns': {},
    'kubernetes_secret_v1.database': {},
  };
}

const AWS = 'plan -target=aws_eks_cluster.this -target=aws_sns_topic.events';
const KUBERNETES = `${AWS} -target=kubernetes_namespace_v1.ns -target=kubernetes_secret_v1.database`;

/** A checkout with other values in the tfvars of file-processing. */
function rootWith(values: Readonly<Record<string, unknown>>): string {
  const root = temporaryRoot();
  const file = join(root, 'environments/etl-playground/file_processing.tfvars');
  writeFileSync(file, withValues(readFileSync(file, 'utf8'), values));
  return root;
}

/** Runs `manage apply` over a played Terraform. */
async function apply(
  played: PlayedTerraform,
  parameters: readonly string[] = ['--auto-approve'],
  context: Partial<OperationContext> = {},
) {
  const root = context.root ?? temporaryRoot();
  return await manage(['apply', '--profile', '', ...parameters], {
    root,
    env: { CDKTF_OUTPUT: join(root, 'cdktf.out'), TF_VAR_db_password: MARKER },
    run: played.run,
    ...context,
  });
}

describe('a first run', () => {
  test('makes the AWS resources, then the Kubernetes objects, and sees that the plain plan is empty', async () => {
    const played = playedTerraform({ resources: stackWith(await startServer(401)) });
    const { code, err } = await apply(played);
    expect(played.commands).toEqual([AWS, 'apply', 'plan', 'apply', 'plan']);
    expect(err).toContain('1. AWS, 2. Kubernetes');
    expect(err).toContain('the plain plan of file-processing is empty');
    expect(code).toBe(0);
  });

  test('changes nothing where the listener would refuse the rule set that goes along', async () => {
    const played = playedTerraform({
      resources: { ...stackWith('http://127.0.0.1:1/'), 'kubernetes_config_map_v1.rules': {} },
    });
    const root = rootWith({});
    const rules = join(root, 'environments/etl-playground/rules');
    mkdirSync(join(rules, 'mappings'), { recursive: true });
    writeFileSync(join(rules, 'mappings/a.yaml'), '{}\n');
    const checked: string[] = [];
    const { code, err } = await apply(played, ['--auto-approve'], {
      root,
      run: async (program, parameters, options) => {
        if (parameters[1] !== 'rules') return await played.run(program, parameters, options);
        checked.push(parameters.slice(1).join(' '));
        return { code: 2, stdout: '', stderr: 'mappings/a.yaml: name: is missing\n' };
      },
    });
    expect(checked).toEqual([`rules check ${rules}`]);
    expect(err).toContain('mappings/a.yaml: name: is missing');
    expect(code).toBe(77);
    expect(played.commands).toEqual([]);
  });

  test('subscribes the endpoint at last, once it answers', async () => {
    const endpoint = await startServer(405);
    const resources = { ...stackWith(await startServer(401)), [SUBSCRIPTION]: {} };
    const played = playedTerraform({ resources });
    const root = rootWith({ sns_endpoint_url: endpoint });
    expect((await apply(played, ['--auto-approve'], { root })).code).toBe(0);
    expect(played.commands).toEqual([AWS, 'apply', KUBERNETES, 'apply', 'plan', 'apply', 'plan']);
  });

  test('does not subscribe an endpoint that does not answer', async () => {
    const endpoint = await startServer(503);
    const resources = { ...stackWith(await startServer(401)), [SUBSCRIPTION]: {} };
    const played = playedTerraform({ resources });
    const root = rootWith({ sns_endpoint_url: endpoint });
    const { code, err } = await apply(played, ['--auto-approve', '--wait', '0'], { root });
    expect(err).toContain(`${endpoint} did not answer within 0 s: status 503`);
    expect(code).toBe(69);
    expect(played.held()).not.toContain(SUBSCRIPTION);
  });

  test('asks before each phase', async () => {
    const questions: string[] = [];
    const played = playedTerraform({ resources: stackWith(await startServer(401)) });
    const { code } = await apply(played, [], {
      confirm: async (question) => questions.push(question) > 0,
    });
    expect(questions).toHaveLength(2);
    expect(code).toBe(0);
  });

  test('stops after the AWS resources where the API of the new cluster is out of reach', async () => {
    const played = playedTerraform({ resources: stackWith('http://127.0.0.1:1/') });
    const { code, err } = await apply(played);
    expect(played.commands).toEqual([AWS, 'apply']);
    expect(err).toContain("the API of cluster etl can't be reached from here");
    expect(code).toBe(77);
  });

  test('that fails is gone on with by the next', async () => {
    const resources = stackWith(await startServer(401));
    const first = playedTerraform({ resources, failingApply: 1 });
    const { code, err } = await apply(first);
    expect(code).toBe(1);
    expect(err).toContain('run the same command again, and it continues from there');
    const second = playedTerraform({ resources, held: first.held() });
    expect((await apply(second)).code).toBe(0);
    expect(second.commands).toEqual([AWS, 'apply', 'plan', 'apply', 'plan']);
    expect(second.held()).toHaveLength(4);
  });
});

describe('a later run', () => {
  test('where nothing changed plans once and applies nothing', async () => {
    const resources = stackWith(await startServer(401));
    const played = playedTerraform({ resources, held: Object.keys(resources) });
    const { code, err } = await apply(played);
    expect(played.commands).toEqual(['plan']);
    expect(err).toContain('Nothing to do: file-processing is as its settings say');
    expect(code).toBe(0);
  });

  test('plans nothing where the API of the cluster is out of reach', async () => {
    const resources = stackWith('http://127.0.0.1:1/');
    const played = playedTerraform({ resources, held: Object.keys(resources) });
    expect((await apply(played)).code).toBe(77);
    expect(played.commands).toEqual([]);
  });

  test('that leaves something to do fails, and names it', async () => {
    const resources = stackWith(await startServer(401));
    const played = playedTerraform({ resources, held: Object.keys(resources), drifts: true });
    const { code, err } = await apply(played);
    expect(err).toContain('applied, but the plan is not empty: create aws_eks_cluster.this');
    expect(code).toBe(1);
  });
});

describe('a switch of delivery', () => {
  const QUEUE = 'aws_sqs_queue.deliveries';
  const QUEUE_SUBSCRIPTION = 'aws_sns_topic_subscription.queue';
  const ARN = 'arn:aws-us-gov:sqs:us-gov-west-1:123456789012:drops-deliveries';
  const TOPIC_NAME = 'file-processing-topic';

  /** A switch to the endpoint that both ways are open for, and SQS with a queue of so many messages, one a look. */
  function toEndpoint(
    counts: readonly number[],
    held: readonly string[] = [SUBSCRIPTION],
    arn = ARN,
  ) {
    const topic = { 'aws_sns_topic.events': {}, [SUBSCRIPTION]: {} };
    const played = playedTerraform({
      resources: topic,
      held: ['aws_sns_topic.events', ...held, QUEUE, QUEUE_SUBSCRIPTION],
      values: { [QUEUE]: { arn }, [QUEUE_SUBSCRIPTION]: { endpoint: arn } },
      forgotten: [QUEUE],
    });
    let looks = 0;
    const send = async (command: object) => {
      if (command.constructor.name === 'GetQueueUrlCommand') return { QueueUrl: 'https://queue/' };
      const count = counts[Math.min(looks++, counts.length - 1)];
      return { Attributes: { ApproximateNumberOfMessages: String(count) } };
    };
    const aws = () => ({ sqs: async () => ({ send }) }) as never;
    return { played, aws };
  }

  test('ends the subscription of the queue, waits until it is empty, and leaves it then', async () => {
    const { played, aws } = toEndpoint([2, 1, 0]);
    const { code, err } = await apply(played, ['--auto-approve', '--wait', '60'], { aws });
    expect(code, err).toBe(0);
    const subscription = `plan -target=${QUEUE_SUBSCRIPTION}`;
    expect(played.commands).toEqual([subscription, 'apply', 'plan', 'apply', 'plan']);
    expect(err).toContain('Waiting until drops-deliveries is empty');
    expect(err).toContain('next: npm run manage -- queue-delete --queue drops-deliveries: ');
  });

  test('names no queue to delete that has the name of its topic', async () => {
    const { played, aws } = toEndpoint([0], [SUBSCRIPTION], ARN.replace('drops', TOPIC_NAME));
    const { err } = await apply(played, ['--auto-approve', '--wait', '60'], { aws });
    expect(err).toContain('next: npm run manage -- queue-delete: ');
  });

  test('leaves no queue that still holds messages, and the listener fetches on', async () => {
    const { played, aws } = toEndpoint([3]);
    const { code, err } = await apply(played, ['--auto-approve', '--wait', '60'], { aws });
    expect(code).toBe(69);
    expect(err).toContain('drops-deliveries: 3 messages');
    expect(played.held()).toContain(QUEUE);
    expect(played.held()).not.toContain(QUEUE_SUBSCRIPTION);
  });

  test('is refused before the endpoint is subscribed, and nothing is planned', async () => {
    const { played, aws } = toEndpoint([0], []);
    const { code, err } = await apply(played, ['--auto-approve'], { aws });
    expect(code).toBe(77);
    expect(err).toContain('set both_deliveries = true and apply');
    expect(played.commands).toEqual([]);
  });

  test('goes on without a word where messages may be lost', async () => {
    const { played, aws } = toEndpoint([3]);
    const { code } = await apply(played, ['--auto-approve', '--allow-message-loss'], { aws });
    expect(code).toBe(0);
    expect(played.held()).not.toContain(QUEUE);
  });
});

describe('nothing is applied', () => {
  test('when nobody says yes', async () => {
    const played = playedTerraform({ resources: stackWith(await startServer(401)) });
    const { code } = await apply(played, []);
    expect(played.commands).toEqual([AWS]);
    expect(code).toBe(77);
  });

  test('with --dry-run, not even after a yes', async () => {
    const played = playedTerraform({ resources: stackWith(await startServer(401)) });
    const { code, out } = await apply(played, ['--dry-run', '--auto-approve', '--json']);
    expect(played.commands).toEqual(['plan']);
    expect(JSON.parse(out)).toMatchObject({ applied: false, changes: { length: 4 } });
    expect(code).toBe(0);
  });

  test('with a --region that the stack is not synthesized for', async () => {
    const played = playedTerraform({ resources: {} });
    const { code, err } = await apply(played, ['--region', 'us-gov-east-1']);
    expect(err).toContain('--region us-gov-east-1 is not us-gov-west-1');
    expect(code).toBe(64);
    expect(played.commandLines()).toBe('');
  });

  test("without the database's password, before anything is planned", async () => {
    const root = temporaryRoot();
    const played = playedTerraform({ resources: stackWith('http://127.0.0.1:1/') });
    const { code, err } = await apply(played, ['--auto-approve'], {
      root,
      env: { CDKTF_OUTPUT: join(root, 'cdktf.out') },
    });
    expect(err).toContain('export TF_VAR_db_password=');
    expect(code).toBe(64);
    expect(played.commands).toEqual([]);
  });

  test('of a stack that does not exist', async () => {
    const { code, err } = await apply(playedTerraform({ resources: {} }), ['everything']);
    expect(err).toContain('foundation-network, postgres-on-demand, file-processing');
    expect(code).toBe(64);
  });
});

test('the password is on no command line and in no output', async () => {
  const played = playedTerraform({ resources: stackWith(await startServer(401)) });
  const { out, err } = await apply(played);
  expect(played.commandLines()).toContain('terraform');
  expect(`${played.commandLines()}${out}${err}`).not.toContain(MARKER);
});

test('values of variables go to the plan, and no further', async () => {
  const played = playedTerraform({ resources: { 'aws_sns_topic.events': {} } });
  await apply(played, ['--auto-approve', '--var', 'image=a:1']);
  expect(played.commands[0]).toBe('plan -var=image=a:1');
  expect(played.commands[1]).toBe('apply');
});

describe('applyTargets', () => {
  function target(played: PlayedTerraform, addresses: readonly string[]) {
    const root = temporaryRoot();
    const context = operationContext({
      root,
      env: { CDKTF_OUTPUT: join(root, 'cdktf.out') },
      run: played.run,
    });
    const options = { environment: 'etl-playground', json: false, autoApprove: true };
    return applyTargets(context, options, addresses);
  }

  test('applies those alone, and needs neither cluster nor password', async () => {
    const resources = stackWith('http://127.0.0.1:1/');
    const played = playedTerraform({ resources, held: ['aws_eks_cluster.this'] });
    expect(await target(played, ['aws_sns_topic.events'])).toStrictEqual({
      stack: 'file-processing',
      changes: [{ address: 'aws_sns_topic.events', actions: ['create'] }],
      applied: true,
    });
    expect(played.commands).toEqual(['plan -target=aws_sns_topic.events', 'apply']);
  });

  test('refuses an address that the stack does not manage', async () => {
    const played = playedTerraform({ resources: { 'aws_sns_topic.events': {} } });
    await expect(target(played, ['aws_sns_topic.other'])).rejects.toThrow(
      'file-processing does not manage aws_sns_topic.other',
    );
  });
});

describe('a class that the Service of the load balancer does not have', () => {
  const SERVICE = 'kubernetes_service_v1.sns_listener';
  const withService = async (loadBalancerClass: string) => ({
    ...stackWith(await startServer(401)),
    [SERVICE]: {
      metadata: [{ name: 'sns-listener' }],
      spec: [{ type: 'LoadBalancer', load_balancer_class: loadBalancerClass }],
    },
  });

  test('is refused before anything is planned', async () => {
    const resources = await withService('');
    const played = playedTerraform({ resources, held: Object.keys(resources) });
    const root = rootWith({ load_balancer_class: 'service.k8s.aws/nlb' });
    const { code, err } = await apply(played, ['--auto-approve'], { root });
    expect(err).toContain('the Service sns-listener exists with none');
    expect(err).toContain('next: npm run manage -- apply --replace-load-balancer');
    expect(played.commands).toEqual([]);
    expect(code).toBe(77);
  });

  test('is not drift where a webhook has set it', async () => {
    const resources = await withService('service.k8s.aws/nlb');
    const played = playedTerraform({ resources, held: Object.keys(resources) });
    expect((await apply(played)).code).toBe(0);
    expect(played.commands).toEqual(['plan']);
  });

  test('is handed over before the stack is applied, and the old Service is deleted after', async () => {
    const service = (name: string, loadBalancerClass: string) => ({
      metadata: [{ name }],
      spec: [{ type: 'LoadBalancer', load_balancer_class: loadBalancerClass }],
    });
    const before = await withService('');
    const played = playedTerraform({
      resources: { ...before, 'kubernetes_config_map_v1.config': {} },
      held: Object.keys(before),
      imported: { [SERVICE]: service('sns-listener-2', 'service.k8s.aws/nlb') },
    });
    const services = ['sns-listener'];
    const commands = played.commands as string[];
    const run: OperationContext['run'] = async (program, parameters, options) => {
      const [, , verb] = parameters;
      if (program === 'kubectl' && verb !== 'get') commands.push(`kubectl ${verb}`);
      if (program === 'kubectl' && verb === 'create') services.push('sns-listener-2');
      if (program !== 'kubectl' && program !== 'aws')
        return played.run(program, parameters, options);
      const ingress = [{ hostname: 'lb.test.invalid' }];
      const items = services.map((name) => ({
        metadata: { name },
        spec: { type: 'LoadBalancer', ports: [] },
        status: { loadBalancer: { ingress } },
      }));
      return { code: 0, stdout: JSON.stringify({ items }), stderr: '' };
    };
    const root = rootWith({ load_balancer_class: 'service.k8s.aws/nlb' });
    const { code, err } = await apply(played, ['--auto-approve', '--replace-load-balancer'], {
      root,
      run,
    });
    expect(err).toContain('Deleted the Service sns-listener and its load balancer.');
    expect(played.commands).toEqual([
      ...[
        'kubectl create',
        'state rm kubernetes_service_v1.sns_listener',
        'import file-processing/sns-listener-2',
      ],
      ...['plan', 'apply', 'kubectl delete', 'plan'],
    ]);
    expect(code).toBe(0);
  });

  test.each([[['foundation-network']], [['--target', SERVICE]]])(
    'is handed over for the whole stack alone, not for %j',
    async (parameters) => {
      const played = playedTerraform({ resources: {} });
      const { code, err } = await apply(played, ['--replace-load-balancer', ...parameters]);
      expect(err).toContain('--replace-load-balancer is for all of file-processing');
      expect(code).toBe(64);
    },
  );
});

describe('a node group that is left out', () => {
  const SPOT = 'aws_eks_node_group.nodes_spot';
  const played = async () => {
    const resources = stackWith(await startServer(401));
    const values = { [SPOT]: { node_group_name: 'nodes-spot' } };
    return playedTerraform({ resources, values, held: [...Object.keys(resources), SPOT] });
  };
  const NOTE =
    'note: the node group nodes-spot is drained and goes; its pods move to nodes of other';

  test.each([[['--auto-approve']], [['--dry-run']]])('is told of with %j', async (parameters) => {
    expect((await apply(await played(), parameters)).err).toContain(NOTE);
  });

  test('is told of before anybody is asked', async () => {
    const asked: string[] = [];
    const { err } = await apply(await played(), [], {
      confirm: async (question) => asked.push(question) === 0,
    });
    expect(asked).toHaveLength(1);
    expect(err.indexOf(NOTE)).toBeGreaterThan(-1);
    expect(err.indexOf(NOTE)).toBeLessThan(err.indexOf('declined'));
  });
});
