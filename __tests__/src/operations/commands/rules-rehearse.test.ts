import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { RULES_MANIFEST } from '@file-processing/contract/rule-set.ts';
import { describe, expect, it } from 'vitest';
import { awsClients } from '../../../../src/operations/aws-clients.ts';
import type { OperationContext } from '../../../../src/operations/operation.ts';
import type { Runner } from '../../../../src/operations/runner.ts';
import {
  kubernetesObjects,
  type Manifest,
} from '../../../../src/synthesized/views/kubernetes-manifests.ts';
import { modelOfJson } from '../../../audit/support/stack-model.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { ROOT } from '../../../support/run-main.ts';

const DEPLOYED = kubernetesObjects(modelOfJson(environmentStacks('etl-playground')))
  .map(({ manifest }) => manifest)
  .filter(({ kind }) => /^(Deployment|NetworkPolicy)$/.test(kind));

/** A checkout whose environment has the rules of the repository's example. */
function checkout(tfvars = ''): string {
  const root = temporaryRoot();
  const folder = join(root, 'environments/etl-playground');
  cpSync(join(ROOT, 'listener/seed'), join(folder, 'rules'), { recursive: true });
  appendFileSync(join(folder, 'file_processing.tfvars'), tfvars);
  return root;
}

/** Runs the command against a played kubectl, S3 and listener's program. */
async function rehearse(
  parameters: readonly string[],
  { root = checkout(), checked = 0, exitCode = 0 } = {},
) {
  const applied: Manifest[] = [];
  const calls: string[] = [];
  const puts: string[] = [];
  const answer = (value: object) => ({ code: 0, stdout: JSON.stringify(value), stderr: '' });
  const run: Runner = async (program, given, options) => {
    if (program === process.execPath) return { code: checked, stdout: '', stderr: 'a fault\n' };
    const [verb = '', kind = ''] = given.slice(2);
    calls.push(given.slice(2).join(' '));
    if (verb === 'apply') applied.push(...JSON.parse(options?.input ?? '').items);
    if (kind.startsWith('deployments')) return answer({ items: DEPLOYED });
    if (kind !== 'pods') return answer({});
    const state = { terminated: { exitCode, reason: 'Error' } };
    const status = { containerStatuses: [{ name: 'sns-listener', state }] };
    return answer({ items: [{ metadata: { name: 'the-pod' }, status }] });
  };
  const send = async ({ input }: { input: { Bucket: string; Key: string; Body?: string } }) => {
    const { NoSuchKey } = await import('@aws-sdk/client-s3');
    if (input.Body === undefined) throw new NoSuchKey({ message: 'none', $metadata: {} });
    puts.push(`s3://${input.Bucket}/${input.Key}`);
    return {};
  };
  const aws: OperationContext['aws'] = (target) => ({
    ...awsClients(target),
    s3: async () => ({ send }) as unknown as S3Client,
  });
  const result = await manage(['rules-rehearse', '--profile', '', ...parameters], {
    ...{ root, run, aws },
  });
  const job = applied.find(({ kind }) => kind === 'Job');
  return { ...result, applied, calls, puts, container: job?.spec.template.spec.containers[0], job };
}

describe('manage rules-rehearse', () => {
  it('mounts the folder for a Job that rehearses it, and deletes both', async () => {
    const { code, applied, calls, container, job } = await rehearse(['--last', '12']);
    const configMap = applied.find(({ kind }) => kind === 'ConfigMap');
    expect(Object.keys(configMap?.data)).toEqual(
      expect.arrayContaining(['mappings..officer_detail.v1.json']),
    );
    expect(container.args).toEqual([
      ...['rules', 'rehearse', '/etc/file-processing/rehearsal', '--last', '12'],
    ]);
    expect(container.volumeMounts).toContainEqual({
      ...{ name: 'job-files', mountPath: '/etc/file-processing/rehearsal', readOnly: true },
    });
    expect(job?.spec.template.spec.volumes).toContainEqual({
      ...{ name: 'job-files', configMap: { name: configMap?.metadata.name } },
    });
    expect(configMap?.metadata.name).toBe(job?.metadata.name);
    expect(calls.at(-1)).toMatch(`delete job,configmap ${job?.metadata.name} `);
    expect(code).toBe(0);
  });

  it('puts the folder below the prefix of the rules in force, where there is one, and mounts nothing', async () => {
    const root = checkout('\nrules_location = "s3://agency-rules/file-processing/"\n');
    const { container, puts, applied } = await rehearse(['--since', '7d'], { root });
    const place = 's3://agency-rules/file-processing/rehearsal/';
    expect(container.args).toEqual(['rules', 'rehearse', place, '--since', '7d']);
    expect(puts).toHaveLength(4);
    expect(puts.at(-1)).toBe(place + RULES_MANIFEST);
    expect(puts.every((one) => one.startsWith(place))).toBe(true);
    expect(applied.some(({ kind }) => kind === 'ConfigMap')).toBe(false);
  });

  it('ends with the exit code of the rehearsal', async () => {
    expect((await rehearse(['--last', '1'], { exitCode: 1 })).code).toBe(1);
  });

  it.each([
    ['neither --last nor --since', [], {}, 64, 'one of --last and --since is needed'],
    ['--json', ['--last', '1', '--json'], {}, 64, 'its output is a log of the cluster'],
    ['a folder that is not there', ['/nowhere', '--last', '1'], {}, 64, 'there is no folder'],
    ['a rule set that is broken', ['--last', '1'], { checked: 2 }, 77, 'a fault'],
  ])('asks the cluster for nothing with %s', async (_, parameters, options, code, message) => {
    const found = await rehearse(parameters, options);
    expect(found.err).toContain(message);
    expect([found.code, found.calls]).toEqual([code, []]);
  });
});
