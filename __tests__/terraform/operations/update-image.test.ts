import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  type ECRClient,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
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

/**
 * Pushes an image, and another one each time. Its digest is named, as moto would draw one of 101
 * numbers for it, and two images of a test would be one now and then.
 *
 * @returns its digest, that of the manifest (OCI Image Format Specification, descriptor)
 */
async function pushImage(imageTag: string): Promise<string> {
  const imageManifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [],
    annotations: { tag: imageTag },
  });
  const imageDigest = `sha256:${createHash('sha256').update(imageManifest).digest('hex')}`;
  await ecr.send(
    new PutImageCommand({
      repositoryName: 'file-processing',
      ...{ imageManifest, imageManifestMediaType: INDEX, imageTag, imageDigest },
    }),
  );
  return imageDigest;
}

/** Tags of an image that say where it runs. */
async function deployedTagsOf(imageDigest: string): Promise<readonly string[]> {
  const { imageDetails } = await ecr.send(
    new DescribeImagesCommand({ repositoryName: 'file-processing', imageIds: [{ imageDigest }] }),
  );
  return imageDetails?.[0]?.imageTags?.filter((tag) => tag.startsWith('deployed-')) ?? [];
}

const tagOf = (image: string) => `deployed-etl-playground-${image.replace('sha256:', '')}`;

beforeAll(async () => {
  emulator = await emptyAwsEmulator();
  ecr = await emulatedAws(emulator)({ region: REGION, profile: '' }).ecr();
  await ecr.send(
    new CreateRepositoryCommand({
      repositoryName: 'file-processing',
      imageTagMutability: 'IMMUTABLE',
    }),
  );
  digest = await pushImage('v7');
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
  let deployed = '';
  let planned = 'none';

  const terraform = async (parameters: readonly string[]): Promise<RunResult> => {
    const [, command, ...rest] = parameters;
    const json = JSON.parse(await checkout.stackJson('file-processing'));
    if (command === 'state') return ok(stateOf(json, deployed));
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

function stateOf(
  { resource }: { resource: Record<string, Record<string, unknown>> },
  image: string,
): string {
  const attributes = { repository_url: REPOSITORY };
  const resources = Object.entries(resource).flatMap(([type, named]) =>
    Object.keys(named).map((name) => ({
      ...{ mode: 'managed', type, name },
      instances: [type === 'aws_ecr_repository' ? { attributes } : {}],
    })),
  );
  return JSON.stringify({ version: 4, resources, outputs: { image: { value: image } } });
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
    expect(deployed()).toBe('');
    expect(fileOf(checkout)).toBeUndefined();
    expect(code).toBe(0);
  });

  it('does nothing when nobody says yes', async () => {
    const { updateImage, deployed } = deployedStack();
    const { code } = await updateImage('--image', ELSEWHERE);
    expect(deployed()).toBe('');
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

describe('the tags of what runs', () => {
  const deploy = async (stack: ReturnType<typeof deployedStack>, image: string) => {
    const { code, err } = await stack.updateImage(
      '--image',
      `${REPOSITORY}@${image}`,
      '--auto-approve',
    );
    expect(err).not.toContain('warning: the tags');
    expect(code).toBe(0);
  };

  it('are on the image that runs and on the one before it, and on no other', async () => {
    const stack = deployedStack();
    const images = [await pushImage('first'), await pushImage('second'), await pushImage('third')];
    for (const image of images) await deploy(stack, image);
    const tags = await Promise.all(images.map(deployedTagsOf));
    expect(tags).toEqual([[], [tagOf(images[1] ?? '')], [tagOf(images[2] ?? '')]]);
  });

  it('stay on both where the same image is applied again', async () => {
    const stack = deployedStack();
    const [one, two] = [await pushImage('one'), await pushImage('two')];
    for (const image of [one, two, two]) await deploy(stack, image);
    expect(await Promise.all([one, two].map(deployedTagsOf))).toEqual([[tagOf(one)], [tagOf(two)]]);
  });

  it('are there before the image is used, and stay where the apply fails', async () => {
    const { updateImage } = deployedStack({ applyFails: true });
    const image = await pushImage('failing');
    await updateImage('--image', `${REPOSITORY}@${image}`, '--auto-approve');
    expect(await deployedTagsOf(image)).toEqual([tagOf(image)]);
  });

  it('are not set by a plan that nobody agreed to, nor by a dry run', async () => {
    const { updateImage } = deployedStack();
    const image = await pushImage('declined');
    await updateImage('--image', `${REPOSITORY}@${image}`);
    await updateImage('--image', `${REPOSITORY}@${image}`, '--dry-run');
    expect(await deployedTagsOf(image)).toEqual([]);
  });

  it('of another environment stay, also of one whose name begins alike', async () => {
    const stack = deployedStack();
    const [old, newer, newest] = [await pushImage('a'), await pushImage('b'), await pushImage('c')];
    const imageTag = `deployed-etl-playground-b-${old.replace('sha256:', '')}`;
    const { images: [found] = [] } = await ecr.send(
      new BatchGetImageCommand({
        repositoryName: 'file-processing',
        imageIds: [{ imageDigest: old }],
      }),
    );
    await ecr.send(
      new PutImageCommand({
        repositoryName: 'file-processing',
        ...{ imageManifest: found?.imageManifest, imageManifestMediaType: INDEX, imageTag },
      }),
    );
    for (const image of [old, newer, newest]) await deploy(stack, image);
    expect(await deployedTagsOf(old)).toEqual([imageTag]);
  });
});
