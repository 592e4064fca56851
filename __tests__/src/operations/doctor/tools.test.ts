import { describe, expect, it } from 'vitest';
import {
  judgeAws,
  judgeKubectl,
  judgeTerraform,
  toolDiagnoses,
} from '../../../../src/operations/doctor/tools.ts';
import { OperationError } from '../../../../src/operations/operation-error.ts';
import { operationContext } from '../../../support/manage.ts';

const SERVER = { of: 'the cluster has', version: '1.34' };
const kubectl = (gitVersion: string) => JSON.stringify({ clientVersion: { gitVersion } });

describe('a tool', () => {
  it.each([
    ['1.11.0', 'ok'],
    ['1.15.2', 'ok'],
    ['2.0.0', 'ok'],
    ['1.9.8', 'red'],
  ])('terraform %s is %s', (version, state) => {
    expect(judgeTerraform(JSON.stringify({ terraform_version: version }))).toMatchObject({ state });
  });

  it.each([
    ['aws-cli/2.31.0 Python/3.13.7 Linux/6', 'ok'],
    ['aws-cli/1.40.0 Python/3.11', 'warn'],
  ])('%s is %s', (text, state) => {
    expect(judgeAws(text)).toMatchObject({ state });
  });

  it.each([
    ['v1.33.9', 'ok'],
    ['v1.35.0', 'ok'],
    ['v1.32.1', 'warn'],
  ])('kubectl %s for a cluster of 1.34 is %s', (version, state) => {
    expect(judgeKubectl(kubectl(version), SERVER)).toMatchObject({ state });
  });

  it('kubectl is not judged where nobody knows the version of the cluster', () => {
    expect(judgeKubectl(kubectl('v1.32.1'), undefined)).toEqual({ state: 'ok', found: 'v1.32.1' });
  });

  it('that is missing is red, but for the one that builds images', async () => {
    const context = operationContext({
      run: async (program) => {
        throw new OperationError(`${program} was not found`, { next: 'install it' });
      },
    });
    const states = await Promise.all(toolDiagnoses(context, SERVER));
    expect(states.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'node ok',
      'terraform red',
      'aws red',
      'kubectl red',
      'docker warn',
    ]);
  });

  it('is OpenTofu where TERRAFORM_BINARY names it', async () => {
    const context = operationContext({
      env: { TERRAFORM_BINARY: 'tofu' },
      run: async () => ({ code: 0, stdout: '{"terraform_version":"1.12.6"}', stderr: '' }),
    });
    const found = await Promise.all(toolDiagnoses(context, SERVER));
    expect(found).toContainEqual({ name: 'tofu', state: 'ok', found: '1.12.6' });
  });

  it('is the one that CONTAINER_TOOL names', async () => {
    const context = operationContext({
      env: { CONTAINER_TOOL: 'podman' },
      run: async () => ({ code: 0, stdout: '1.0\nmore', stderr: '' }),
    });
    const last = await toolDiagnoses(context, SERVER).at(-1);
    expect(last).toStrictEqual({ name: 'podman', state: 'ok', found: '1.0' });
  });
});
