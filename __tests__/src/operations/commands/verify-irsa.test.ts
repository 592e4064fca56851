import type { EKSClient } from '@aws-sdk/client-eks';
import type { STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type AwsClients,
  type AwsTarget,
  awsClients,
} from '../../../../src/operations/aws-clients.ts';
import { isSessionOf } from '../../../../src/operations/commands/verify-irsa.ts';
import type { Runner } from '../../../../src/operations/runner.ts';
import { startAwsAccountServer } from '../../../listener/support/aws-account-server.ts';
import { cli } from '../../../listener/support/cli.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { changeSettings } from '../../../terraform/support/change-settings.ts';

const ROLE = 'arn:aws-us-gov:iam::123456789012:role/file-processing-cluster-file-processing-sa';
const sessionOf = (role: string) => `arn:aws-us-gov:sts::123456789012:assumed-role/${role}/s`;
const RIGHT = sessionOf('file-processing-cluster-file-processing-sa');

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(() => vi.unstubAllEnvs());

const POD = {
  metadata: { name: 'listener-1', ownerReferences: [{ kind: 'ReplicaSet' }] },
  spec: { serviceAccountName: 'file-processing-sa', containers: [{ name: 'sns-listener' }] },
};

/** kubectl of a cluster with one pod, whose commands run here, as an identity that may list a prefix. */
async function clusterWith({
  arn = RIGHT,
  items = [POD],
  annotations = { 'eks.amazonaws.com/role-arn': ROLE } as Record<string, string>,
}) {
  const aws = await startAwsAccountServer({
    arn,
    mayList: (bucket, prefix) => bucket === 'drop-box' && prefix.startsWith('from_client/'),
    buckets: ['drop-box', 'other-box'],
  });
  onTestFinished(() => aws.close());
  const calls: string[] = [];
  const run: Runner = async (program, parameters) => {
    calls.push([program, ...parameters].join(' '));
    const answer = (stdout: string, code = 0) => ({ code, stdout, stderr: '' });
    if (parameters.includes('serviceaccount')) {
      return answer(JSON.stringify({ metadata: { annotations } }));
    }
    if (parameters.includes('pods')) return answer(JSON.stringify({ items }));
    if (!parameters.includes('exec')) return answer('');
    const command = parameters.slice(parameters.indexOf('--') + 2);
    const { code, out } = await cli(command, {
      AWS_REGION: 'us-gov-west-1',
      AWS_ENDPOINT_URL: aws.origin,
      S3_BUCKET: 'drop-box',
      S3_PREFIXES: 'from_client/',
    });
    return answer(out, code);
  };
  return { calls, run };
}

async function verify(cluster: Parameters<typeof clusterWith>[0] = {}) {
  const { calls, run } = await clusterWith(cluster);
  const result = await manage(['verify-irsa', '--profile', '', '--other-bucket', 'other-box'], {
    run,
  });
  return { ...result, calls };
}

/** Clients of an account where ServiceAccounts are associated with roles. */
function associated(roleArn: string | undefined): (target: AwsTarget) => AwsClients {
  const answers: Readonly<Record<string, unknown>> = {
    ListPodIdentityAssociationsCommand: {
      associations: roleArn === undefined ? [] : [{ associationId: 'a-1' }],
    },
    DescribePodIdentityAssociationCommand: { association: { roleArn } },
  };
  const eks = { send: async (command: object) => answers[command.constructor.name] };
  return (target) => ({ ...awsClients(target), eks: async () => eks as unknown as EKSClient });
}

describe('manage verify-irsa by EKS Pod Identity', () => {
  const root = () => {
    const made = temporaryRoot();
    changeSettings(made, { identity: 'pod_identity' });
    return made;
  };

  it('takes the role of the association, which needs no annotation', async () => {
    const { run } = await clusterWith({ annotations: {} });
    const { code, out } = await manage(
      ['verify-irsa', '--profile', '', '--other-bucket', 'other-box'],
      { run, root: root(), aws: associated(ROLE) },
    );
    expect(out).toContain(`${RIGHT} is ${ROLE}`);
    expect(code).toBe(0);
  });

  it('says where no role is associated', async () => {
    const { run } = await clusterWith({});
    const { code, err } = await manage(['verify-irsa', '--profile', ''], {
      run,
      root: root(),
      aws: associated(undefined),
    });
    expect(err).toContain('no role is associated with ServiceAccount file-processing-sa');
    expect(code).toBe(1);
  });
});

describe('manage verify-irsa', () => {
  it('is green for the role that may list its prefix and nothing else', async () => {
    const { code, out } = await verify();
    expect(out.match(/^ok/gm)).toHaveLength(6);
    expect(out).toContain(`${RIGHT} is ${ROLE}`);
    expect(code).toBe(0);
  });

  it('is red for the identity of the node', async () => {
    const { code, out } = await verify({ arn: sessionOf('node-role') });
    expect(out).toContain(`is not ${ROLE}`);
    expect(out).toContain('next: pods take the role when they start');
    expect(code).toBe(1);
  });

  it('works by a kubeconfig of its own, in the stack’s namespace', async () => {
    const { calls } = await verify();
    expect(calls[0]).toMatch(
      /^aws eks update-kubeconfig --name file-processing-cluster --kubeconfig \S+ --region us-gov-west-1$/,
    );
    expect(
      calls.slice(1).every((call) => call.startsWith('kubectl --namespace file-processing ')),
    ).toBe(true);
  });

  it('calls the AWS CLI and kubectl as the role that deploys', async () => {
    const { run } = await clusterWith({});
    const root = temporaryRoot();
    changeSettings(root, { assume_role_arn: 'arn:aws-us-gov:iam::123456789012:role/etl-deploy' });
    const credentials = { AccessKeyId: 'ASIA', SecretAccessKey: 'secret', SessionToken: 'token' };
    const sts = { send: async () => ({ Credentials: credentials }) } as unknown as STSClient;
    const aws = (target: AwsTarget) => ({ ...awsClients(target), sts: async () => sts });
    const keys = new Map<string, unknown>();
    const { code } = await manage(['verify-irsa', '--other-bucket', 'other-box'], {
      root,
      aws,
      run: async (program, parameters, options) => {
        keys.set(program, [options?.env?.AWS_ACCESS_KEY_ID, parameters.includes('--profile')]);
        return run(program, parameters, options);
      },
    });
    expect(Object.fromEntries(keys)).toStrictEqual({
      aws: ['ASIA', false],
      kubectl: ['ASIA', false],
    });
    expect(code).toBe(0);
  });

  it('says where no pod runs', async () => {
    const { code, err } = await verify({ items: [] });
    expect(err).toContain('no pod of ServiceAccount file-processing-sa runs');
    expect(code).toBe(1);
  });

  it('says where the ServiceAccount names no role', async () => {
    const { code, err } = await verify({ annotations: {} });
    expect(err).toContain('ServiceAccount file-processing-sa names no role');
    expect(code).toBe(1);
  });

  it('says where there is no kubeconfig for the cluster', async () => {
    const run: Runner = async () => ({ code: 254, stdout: '', stderr: 'No cluster found' });
    const { code, err } = await manage(['verify-irsa', '--profile', ''], { run });
    expect(err).toContain(
      'there is no kubeconfig for cluster file-processing-cluster: No cluster found',
    );
    expect(code).toBe(69);
  });
});

const session = 'arn:aws-us-gov:sts::123456789012:assumed-role/listener-sa/botocore-session-1';

describe('an identity', () => {
  it.each([
    ['arn:aws-us-gov:iam::123456789012:role/listener-sa', true],
    ['arn:aws-us-gov:iam::123456789012:role/teams/etl/listener-sa', true],
    ['arn:aws-us-gov:iam::123456789012:role/node', false],
    ['arn:aws-us-gov:iam::210987654321:role/listener-sa', false],
    ['arn:aws:iam::123456789012:role/listener-sa', false],
    ['arn:aws-us-gov:iam::123456789012:role/listener-sa-2', false],
    ['', false],
  ])('of a session is that of %s: %s', (role, expected) => {
    expect(isSessionOf(role, session)).toBe(expected);
  });

  it('of a user is that of no role', () => {
    const role = 'arn:aws:iam::123456789012:role/a';
    expect(isSessionOf(role, 'arn:aws:iam::123456789012:user/a')).toBe(false);
  });
});
