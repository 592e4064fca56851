import { describe, expect, it } from 'vitest';
import type { Runner } from '../../../../src/operations/runner.ts';
import { manage } from '../../../support/manage.ts';

const KUBECTL = 'kubectl --namespace file-processing';
const DONE = { code: 0, stdout: '', stderr: '' };

/** Runs the command with a kubectl whose pod gives a link. */
async function opened(parameters: readonly string[], link = { ...DONE, stdout: '/?link=abc\n' }) {
  const calls: string[] = [];
  const run: Runner = async (program, given) => {
    calls.push([program, ...given].join(' '));
    return given.includes('exec') ? link : DONE;
  };
  const result = await manage(['console', '--environment', 'complete', ...parameters], { run });
  return { ...result, calls: calls.filter((call) => call.startsWith('kubectl')) };
}

describe('manage console', () => {
  it('has a pod make an address, prints it, and forwards a port to the Service', async () => {
    const { code, out, calls } = await opened(['--by', 'ana', '--allow', 'look,act']);
    expect([code, out]).toEqual([0, 'http://127.0.0.1:8070/?link=abc\n']);
    expect(calls).toEqual([
      `${KUBECTL} exec deployment/file-processing-console --container console -- file-processing console --link --allow look,act --by ana`,
      `${KUBECTL} port-forward --address 127.0.0.1 service/file-processing-console 8070:80`,
    ]);
  });

  it('lets whoever opens it look, and nothing else, unless more is allowed', async () => {
    const { calls } = await opened(['--port', '9999']);
    expect(calls[0]).toContain('--allow look --by');
    expect(calls[1]).toContain('9999:80');
  });

  it('forwards nothing where the pod gives no address', async () => {
    const { code, err, calls } = await opened([], { ...DONE, code: 1, stderr: 'pods not found' });
    expect([code, calls.length]).toEqual([69, 1]);
    expect(err).toContain('pods not found');
  });

  it('says so where the settings serve none', async () => {
    const run: Runner = async () => DONE;
    const { code, err } = await manage(['console', '--environment', 'etl-playground'], { run });
    expect(code).not.toBe(0);
    expect(err).toContain('console = true');
  });

  it.each([
    ['--allow', 'own'],
    ['--port', '0'],
  ])('refuses %s %s', async (...parameters) => {
    expect((await opened(parameters)).code).toBe(64);
  });
});
