import type { STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { type AwsTarget, awsClients } from '../../../../src/operations/aws-clients.ts';
import type { Runner } from '../../../../src/operations/runner.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { changeSettings } from '../../../terraform/support/change-settings.ts';

/** Runs the command with an AWS CLI that ends with a code. */
async function kubeconfig(code: number, ...parameters: readonly string[]) {
  const calls: string[] = [];
  const run: Runner = async (program, given) => {
    calls.push([program, ...given].join(' '));
    return { code, stdout: '', stderr: '' };
  };
  return { ...(await manage(['kubeconfig', ...parameters], { run })), calls };
}

describe('manage kubeconfig by a role', () => {
  const ROLE = 'arn:aws-us-gov:iam::123456789012:role/etl-deploy';
  const sts = {
    send: async () => ({
      Credentials: { AccessKeyId: 'ASIA', SecretAccessKey: 'secret', SessionToken: 'token' },
    }),
  };

  async function byRole(values: Readonly<Record<string, unknown>>) {
    const root = temporaryRoot();
    changeSettings(root, values);
    const calls: unknown[] = [];
    const run: Runner = async (program, given, options) => {
      calls.push([[program, ...given].join(' '), options?.env]);
      return { code: 0, stdout: '', stderr: '' };
    };
    const aws = (target: AwsTarget) => ({
      ...awsClients(target),
      sts: async () => sts as unknown as STSClient,
    });
    return { ...(await manage(['kubeconfig'], { run, root, aws })), calls };
  }

  it('finds the cluster as the role, and lets kubectl assume it', async () => {
    const { calls, err, code } = await byRole({ assume_role_arn: ROLE });
    expect(calls).toStrictEqual([
      [
        `aws eks update-kubeconfig --name file-processing-cluster --region us-gov-west-1 --role-arn ${ROLE}`,
        {
          AWS_ACCESS_KEY_ID: 'ASIA',
          AWS_SECRET_ACCESS_KEY: 'secret',
          AWS_SESSION_TOKEN: 'token',
          AWS_PROFILE: undefined,
        },
      ],
    ]);
    expect(err).toContain('export AWS_PROFILE=etl-playground');
    expect(code).toBe(0);
  });

  it('is refused with an external id, which no kubeconfig can give', async () => {
    const { calls, err, code } = await byRole({
      assume_role_arn: ROLE,
      assume_role_external_id: 'etl-4711',
      manage_kubernetes: false,
    });
    expect(err).toContain('asks for an external id');
    expect(calls).toEqual([]);
    expect(code).toBe(77);
  });
});

describe('manage kubeconfig', () => {
  it("asks the AWS CLI, with the stack's names", async () => {
    const { code, calls } = await kubeconfig(0);
    expect(calls).toEqual([
      'aws eks update-kubeconfig --name file-processing-cluster --region us-gov-west-1 --profile etl-playground',
    ]);
    expect(code).toBe(0);
  });

  it('names no profile where there is none, and hands on --dry-run', async () => {
    const { calls } = await kubeconfig(0, '--profile', '', '--dry-run');
    expect(calls[0]).toMatch(/--region us-gov-west-1 --dry-run$/);
  });

  it.each([1, 2, 130, 252, 253, 254, 255])(
    'ends with 1 where the AWS CLI ended with %i',
    async (code) => {
      expect((await kubeconfig(code)).code).toBe(1);
    },
  );
});
