import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateRepositoryCommand, type ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { containerImageFile } from '../../../src/operations/image/image-to-deploy.ts';
import type { Runner, RunResult } from '../../../src/operations/runner.ts';
import { type ManageResult, manage } from '../../support/manage.ts';
import { ACCOUNT, REGION } from '../support/aws-account.ts';
import { type AwsEmulator, emptyAwsEmulator } from '../support/aws-emulator.ts';
import { type Checkout, temporaryCheckout } from '../support/checkout.ts';
import { emulatedAws } from '../support/emulated-aws.ts';

const REPOSITORY = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/file-processing`;
const INDEX = 'application/vnd.oci.image.index.v1+json';
const ELSEWHERE = `registry.example.gov/app@sha256:${'7'.repeat(64)}`;
const PASSWORD = 'marker-of-a-password-90ab';
const DEPLOYMENT = 'kubernetes_deployment_v1.sns_listener';

let emulator: AwsEmulator;
let ecr: ECRClient;
let digest: string;

beforeAll(async () => {
  emulator = await emptyAwsEmulator();
  ecr = await emulatedAws(emulator)({ region: REGION, profile: '' }).ecr();
  await ecr.send(new CreateRepositoryCommand({ repositoryName: 'file-processing' }));
  const { image } = await ecr.send(
    new PutImageCommand({
      repositoryName: 'file-processing',
      imageManifest: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] }),
      imageManifestMediaType: INDEX,
      imageTag: 'v7',
    }),
  );
  digest = image?.imageId?.imageDigest ?? '';
});

afterAll(() => emulator?.stop());

interface Cluster {
  /** Whether the apply fails, as it does when the new pods never turn ready. */
  readonly applyFails?: boolean;
}

/**
 * A checkout whose synth is real. Terraform is recorded, since the binary of the Kubernetes provider
 * is not at hand, and so is kubectl: the stack is deployed, with another image.
 */
function deployedStack({ applyFails = false }: Cluster = {}) {
  const checkout = temporaryCheckout();
  onTestFinished(() => checkout.close());
  checkout.addEnvironment('etl-playground', { fileProcessing: { manage_kubernetes: true } });
  const calls: string[] = [];
  let deployed = 'none';
  let planned = 'none';

  const terraform = async (parameters: readonly string[]): Promise<RunResult> => {
    const [, command, ...rest] = parameters;
    const json = JSON.parse(await checkout.stackJson('file-processing'));
    if (command === 'show' && rest.length === 1) return ok(stateOf(json));
    if (command === 'plan') {
      const given = rest.find((one) => one.startsWith('-var=image='))?.slice('-var=image='.length);
      planned = given ?? json.variable.image.default;
      return { ...ok(''), code: planned === deployed ? 0 : 2 };
    }
    if (command === 'show') return ok(planOf(planned === deployed ? ['no-op'] : ['update']));
    if (command === 'apply') {
      if (applyFails) return { code: 1, stdout: '', stderr: 'timed out' };
      deployed = planned;
    }
    return ok(command === 'output' ? '{}' : '');
  };
  const run: Runner = async (program, parameters) => {
    calls.push([program, ...parameters].join(' '));
    if (program === 'npm') {
      await checkout.synthesize('etl-playground');
      return ok('');
    }
    if (program === 'terraform') return await terraform(parameters);
    return ok(kubernetesAnswer(parameters, deployed));
  };
  const updateImage = (...parameters: string[]): Promise<ManageResult> =>
    manage(['update-image', '--profile', '', ...parameters], {
      root: checkout.root,
      env: { TF_VAR_db_password: PASSWORD },
      aws: emulatedAws(emulator),
      run,
    });
  return { checkout, calls, updateImage, deployed: () => deployed };
}

const ok = (stdout: string): RunResult => ({ code: 0, stdout, stderr: '' });

function stateOf({ resource }: { resource: Record<string, Record<string, unknown>> }): string {
  const resources = Object.entries(resource).flatMap(([type, named]) =>
    Object.keys(named).map((name) => ({
      ...{ address: `${type}.${name}`, mode: 'managed', type, name, values: {} },
    })),
  );
  return JSON.stringify({ values: { root_module: { resources } } });
}

function planOf(actions: readonly string[]): string {
  const change = { actions, before: {}, after: {} };
  return JSON.stringify({
    resource_changes: [{ address: DEPLOYMENT, type: 'kubernetes_deployment_v1', change }],
  });
}

function kubernetesAnswer(parameters: readonly string[], image: string): string {
  if (!parameters.includes('get')) return '';
  const spec = { serviceAccountName: 'file-processing-sa', containers: [{ image }] };
  const items = parameters.includes('deployments')
    ? [{ metadata: { name: 'file-processing-sns' }, spec: { selector: {}, template: { spec } } }]
    : [];
  return JSON.stringify({ items });
}

function fileOf({ root }: Checkout): string | undefined {
  const file = join(root, containerImageFile('etl-playground'));
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

describe('manage update-image', () => {
  it('deploys an image of ECR by the digest of its tag, and shows the rollout', async () => {
    const { checkout, calls, updateImage, deployed } = deployedStack();
    const { code, err } = await updateImage('--image', `${REPOSITORY}:v7`, '--auto-approve');
    expect(deployed()).toBe(`${REPOSITORY}@${digest}`);
    expect(fileOf(checkout)).toBe(`${REPOSITORY}@${digest}`);
    const kubectl = calls.filter((call) => call.startsWith('kubectl'));
    expect(kubectl).toContain(
      'kubectl --namespace file-processing rollout status deployment/file-processing-sns --timeout=900s',
    );
    expect(calls.indexOf(kubectl[0] ?? '')).toBeGreaterThan(
      calls.findLastIndex((call) => call.includes(' apply ')),
    );
    expect(err).toContain('The image is deployed.');
    expect(code).toBe(0);
  });

  it('changes nothing a second time, and says so', async () => {
    const { calls, updateImage } = deployedStack();
    await updateImage('--image', ELSEWHERE, '--auto-approve');
    calls.length = 0;
    const { code, err } = await updateImage('--image', ELSEWHERE);
    expect(calls.filter((call) => call.includes(' apply '))).toEqual([]);
    expect(err).toContain('It was deployed already.');
    expect(code).toBe(0);
  });

  it('plans with the new image and changes nothing with --dry-run', async () => {
    const { checkout, calls, updateImage, deployed } = deployedStack();
    const { code } = await updateImage('--image', ELSEWHERE, '--dry-run');
    expect(calls.some((call) => call.endsWith(`-var=image=${ELSEWHERE}`))).toBe(true);
    expect(deployed()).toBe('none');
    expect(fileOf(checkout)).toBeUndefined();
    expect(code).toBe(0);
  });

  it('does nothing when nobody says yes', async () => {
    const { updateImage, deployed } = deployedStack();
    const { code } = await updateImage('--image', ELSEWHERE);
    expect(deployed()).toBe('none');
    expect(code).toBe(77);
  });

  it('shows the pods when the apply fails, and reports its error', async () => {
    const { calls, updateImage } = deployedStack({ applyFails: true });
    const { code, err } = await updateImage('--image', ELSEWHERE, '--auto-approve');
    expect(calls.slice(-2)).toEqual([
      expect.stringMatching(/^kubectl .* get pods /),
      expect.stringMatching(/^kubectl .* get events /),
    ]);
    expect(err).toContain('The rollout of file-processing-sns is not done.');
    expect(err).toContain('error: terraform apply ended with 1');
    expect(code).toBe(1);
  });

  it.each([
    ['registry.example.gov/app:latest', 77, 'its tag may be moved to another image'],
    [`${REPOSITORY}:none`, 1, `${REPOSITORY} holds no image none`],
    [`${REPOSITORY}@sha256:${'9'.repeat(64)}`, 1, `holds no image sha256:9`],
    [REPOSITORY, 64, 'has neither tag nor digest'],
    ['No Image', 64, "'No Image' is not an image"],
  ])('refuses %s', async (image, expected, message) => {
    const { checkout, calls, updateImage } = deployedStack();
    const { code, err } = await updateImage('--image', image, '--auto-approve');
    expect(err).toContain(message);
    expect(calls).toEqual([]);
    expect(fileOf(checkout)).toBeUndefined();
    expect(code).toBe(expected);
  });

  it('is for those alone whose pods the stack deploys', async () => {
    const { checkout, updateImage } = deployedStack();
    checkout.addEnvironment('etl-playground', { fileProcessing: { manage_kubernetes: false } });
    const { code, err } = await updateImage('--image', ELSEWHERE);
    expect(err).toContain('manage_kubernetes is false: others deploy the pods');
    expect(code).toBe(64);
  });

  it('shows no secret', async () => {
    const { calls, updateImage } = deployedStack();
    const { out, err } = await updateImage('--image', ELSEWHERE, '--auto-approve', '--json');
    expect([out, err, ...calls].join('\n')).not.toContain(PASSWORD);
  });
});
