import { describe, expect, it } from 'vitest';
import type { Runner } from '../../../../src/operations/runner.ts';
import { manage } from '../../../support/manage.ts';

/** Runs the command with an AWS CLI that ends with a code. */
async function kubeconfig(code: number, ...parameters: readonly string[]) {
  const calls: string[] = [];
  const run: Runner = async (program, given) => {
    calls.push([program, ...given].join(' '));
    return { code, stdout: '', stderr: '' };
  };
  return { ...(await manage(['kubeconfig', ...parameters], { run })), calls };
}

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
