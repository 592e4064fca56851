import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { type PlayedTerraform, playedTerraform } from '../../../support/played-terraform.ts';

const AWS = { 'aws_sns_topic.events': {} };
const SECRET = { 'kubernetes_secret_v1.database': {} };
const UNREACHABLE = { 'aws_eks_cluster.this': { name: 'etl', endpoint: 'http://127.0.0.1:1/' } };

async function plan(played: PlayedTerraform, ...parameters: readonly string[]) {
  const root = temporaryRoot();
  return await manage(['plan', '--profile', '', ...parameters], {
    root,
    env: { CDKTF_OUTPUT: join(root, 'out') },
    run: played.run,
  });
}

test('ends with 0 where nothing is to be done', async () => {
  const { code, out } = await plan(
    playedTerraform({ resources: AWS, held: Object.keys(AWS) }),
    '--json',
  );
  expect(JSON.parse(out)).toStrictEqual({ stack: 'file-processing', empty: true, changes: [] });
  expect(code).toBe(0);
});

test('ends with 2 where something is', async () => {
  const { code, out } = await plan(playedTerraform({ resources: AWS }), '--json');
  expect(JSON.parse(out)).toStrictEqual({
    stack: 'file-processing',
    empty: false,
    changes: [{ address: 'aws_sns_topic.events', actions: ['create'] }],
  });
  expect(code).toBe(2);
});

test('applies nothing', async () => {
  const played = playedTerraform({ resources: AWS });
  await plan(played);
  expect(played.commands).toEqual(['plan']);
});

test("needs the database's password only where the Secret is planned", async () => {
  const resources = { ...AWS, ...SECRET };
  expect((await plan(playedTerraform({ resources }))).code).toBe(64);
  const target = ['--target', 'aws_sns_topic.events'];
  expect((await plan(playedTerraform({ resources }), ...target)).code).toBe(2);
});

test('is refused where the state holds Kubernetes objects that the stack no longer makes', async () => {
  const played = playedTerraform({ resources: AWS, held: ['kubernetes_namespace_v1.ns'] });
  const { code, err } = await plan(played);
  expect(err).toContain('the state still holds kubernetes_namespace_v1.ns');
  expect(code).toBe(77);
});

test('asks no cluster where nothing is planned in it', async () => {
  const resources = { ...AWS, ...UNREACHABLE };
  expect((await plan(playedTerraform({ resources, held: Object.keys(resources) }))).code).toBe(0);
});

test('--target of something that the stack does not manage is named', async () => {
  const { code, err } = await plan(playedTerraform({ resources: AWS }), '--target', 'aws_vpc.main');
  expect(err).toContain('file-processing does not manage aws_vpc.main');
  expect(code).toBe(64);
});

test('says what happens to nodes', async () => {
  const SPOT = 'aws_eks_node_group.nodes_spot';
  const played = playedTerraform({
    resources: AWS,
    values: { [SPOT]: { node_group_name: 'nodes-spot' } },
    held: [...Object.keys(AWS), SPOT],
  });
  expect((await plan(played)).err).toContain('note: the node group nodes-spot is drained and goes');
});
