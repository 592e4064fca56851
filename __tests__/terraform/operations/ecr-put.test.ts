import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  DescribeRepositoriesCommand,
  type ECRClient,
  GetAuthorizationTokenCommand,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { containerImageFile } from '../../../src/operations/image/image-to-deploy.ts';
import { type AttachedAws, emptyAttachedAws } from '../support/attached-provider.ts';
import { ACCOUNT, REGION } from '../support/aws-account.ts';
import { emulatedAws } from '../support/emulated-aws.ts';
import { type ManagedCheckout, managedCheckout } from '../support/managed-checkout.ts';
import {
  type RecordedDocker,
  type RecordedRun,
  recordedDocker,
} from '../support/recorded-docker.ts';

const HOST = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`;
const REPOSITORY = `${HOST}/file-processing`;
const INDEX = 'application/vnd.oci.image.index.v1+json';
const DATABASE_PASSWORD = 'marker-of-a-password-41c9';

let emulator: AttachedAws;
let docker: RecordedDocker;
let checkout: ManagedCheckout;
let ecr: ECRClient;
let commit: string;
let registryPassword: string;

const imageFile = (environment = 'etl-playground') =>
  join(checkout.root, containerImageFile(environment));
const repositories = async () =>
  (await ecr.send(new DescribeRepositoriesCommand({}))).repositories?.map(
    ({ repositoryName }) => repositoryName,
  );
/** Number of runs before the test. */
let runsBefore = 0;
const runs = () => docker.runs().slice(runsBefore);
const commandsRun = () => runs().map(asCommand);
const asCommand = ({ program, parameters }: RecordedRun) => [program, ...parameters].join(' ');

beforeAll(async () => {
  emulator = await emptyAttachedAws();
  docker = recordedDocker();
  checkout = managedCheckout(emulator, {
    environment: { PATH: docker.path, TF_VAR_db_password: DATABASE_PASSWORD },
  });
  checkout.addEnvironment('etl-playground');
  checkout.addEnvironment(
    'etl-playground',
    { fileProcessing: { create_repository: false } },
    'elsewhere',
  );
  commit = commitAll(checkout.root);
  ecr = await emulatedAws(emulator)({ region: REGION, profile: '' }).ecr();
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const token = authorizationData?.[0]?.authorizationToken ?? '';
  registryPassword = Buffer.from(token, 'base64').toString('utf8').replace('AWS:', '');
  expect(registryPassword).not.toBe('');
});

afterAll(async () => {
  await emulator?.stop();
  docker?.close();
  await checkout?.close();
});

beforeEach(() => {
  runsBefore = docker.runs().length;
  docker.fail(undefined);
});

afterEach(() => vi.unstubAllEnvs());

function commitAll(root: string): string {
  const git = (...parameters: string[]) =>
    execFileSync('git', parameters, { cwd: root, encoding: 'utf8' }).trim();
  git('init', '--quiet');
  git('add', 'package.json', 'contract');
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
  git(...author, 'commit', '--quiet', '--message', 'one');
  return git('rev-parse', 'HEAD');
}

describe('manage ecr-put, before there is a repository', () => {
  it('changes nothing with --dry-run, and shows what it would run', async () => {
    const { code, stderr } = await checkout.manage(['ecr-put', '--dry-run']);
    expect(stderr).toContain('would run: docker buildx build --file listener/Dockerfile');
    expect(stderr).toContain('Dry run: nothing was built, pushed or written');
    expect(commandsRun()).toEqual(['docker buildx version']);
    expect(await repositories()).toEqual([]);
    expect(existsSync(imageFile())).toBe(false);
    expect(code).toBe(0);
  });

  it('makes none when nobody says yes', async () => {
    const { code } = await checkout.manage(['ecr-put']);
    expect(await repositories()).toEqual([]);
    expect(commandsRun()).toEqual(['docker buildx version']);
    expect(code).toBe(77);
  });

  it('makes none where docker does not work', async () => {
    docker.fail('buildx version');
    const { code, stderr } = await checkout.manage(['ecr-put', '--auto-approve']);
    expect(stderr).toContain('error: docker does not work');
    expect(await repositories()).toEqual([]);
    expect(code).toBe(69);
  });
});

describe('manage ecr-put', () => {
  it("makes the stack's own repository, so that Terraform knows it", async () => {
    const { code, stdout } = await checkout.manage(['ecr-put', '--auto-approve']);
    expect(code).toBe(0);
    expect(stdout).toContain(`${REPOSITORY}@${docker.digest}\n`);
    expect(await repositories()).toEqual(['file-processing']);
    const state = await checkout.localState('etl-playground', 'file-processing');
    expect(state).toContain('"type": "aws_ecr_repository"');
    expect(state).toContain('"type": "aws_ecr_lifecycle_policy"');
    expect(state).not.toContain('"type": "aws_eks_cluster"');
  });

  it('writes the image with its digest, which the next synth reads', async () => {
    expect(readFileSync(imageFile(), 'utf8')).toBe(`${REPOSITORY}@${docker.digest}\n`);
    await checkout.synthesize('etl-playground');
    const { variable } = JSON.parse(await checkout.stackJson('file-processing'));
    expect(variable.image.default).toBe(`${REPOSITORY}@${docker.digest}`);
  });

  it('signs in over standard input, then builds both platforms with the commit as the tag', async () => {
    await checkout.manage(['ecr-put']);
    const [, login, build] = runs();
    expect(login).toEqual({
      program: 'docker',
      parameters: ['login', '--username', 'AWS', '--password-stdin', HOST],
      input: registryPassword,
    });
    const tag = commit.slice(0, 12);
    expect(build?.parameters.join(' ')).toMatch(
      new RegExp(
        `^buildx build --file listener/Dockerfile .*--platform linux/amd64,linux/arm64 --tag ${REPOSITORY}:${tag} --metadata-file \\S+ --push \\.$`,
      ),
    );
    expect(build?.parameters).toEqual(
      expect.arrayContaining([
        `REVISION=${commit}`,
        'RDS_CA_BUNDLE_URL=https://truststore.pki.us-gov-west-1.rds.amazonaws.com/us-gov-west-1/us-gov-west-1-bundle.pem',
      ]),
    );
  });

  it('works with podman', async () => {
    vi.stubEnv('CONTAINER_TOOL', 'podman');
    const { code, stdout } = await checkout.manage(['ecr-put', '--platform', 'linux/amd64']);
    expect(commandsRun().map((command) => command.split(' ').slice(0, 3).join(' '))).toEqual([
      'podman --version',
      'podman login --username',
      'podman build --format',
      'podman build --format',
      'podman manifest push',
    ]);
    expect(commandsRun()[3]).toContain(
      ` --build-context build=container-image://${docker.digest.replace('sha256:', '')} `,
    );
    expect(stdout).toContain(docker.digest);
    expect(code).toBe(0);
  });

  it.each([
    ['login', 69],
    ['buildx build', 1],
  ])('leaves the image of before where docker %s fails', async (command, expected) => {
    const before = readFileSync(imageFile(), 'utf8');
    docker.fail(command);
    const { code, stderr } = await checkout.manage(['ecr-put', '--region', REGION]);
    expect(stderr).toMatch(/error: docker .* ended with 1/);
    expect(readFileSync(imageFile(), 'utf8')).toBe(before);
    expect(code).toBe(expected);
  });

  it('refuses what is not committed, and marks it where it is allowed', async () => {
    checkout.write('listener/new.ts', '');
    const refused = await checkout.manage(['ecr-put']);
    const marked = await checkout.manage(['ecr-put', '--allow-dirty', '--dry-run', '--json']);
    rmSync(join(checkout.root, 'listener'), { recursive: true });
    expect(refused.stderr).toContain('not committed: listener/new.ts');
    expect(refused.code).toBe(77);
    const { tag, written } = JSON.parse(marked.stdout);
    expect(tag).toMatch(new RegExp(`^${commit.slice(0, 12)}-dirty-\\d{14}$`));
    expect(written).toBe(false);
  });

  it('builds nothing when the repository holds the commit, and says so', async () => {
    const { image } = await ecr.send(
      new PutImageCommand({
        repositoryName: 'file-processing',
        imageManifest: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] }),
        imageManifestMediaType: INDEX,
        imageTag: commit.slice(0, 12),
      }),
    );
    const { code, stdout, stderr } = await checkout.manage(['ecr-put']);
    expect(commandsRun()).toEqual([]);
    expect(stderr).toContain('is there already and is not built again');
    expect(stdout).toBe(`${REPOSITORY}@${image?.imageId?.imageDigest}\n`);
    expect(code).toBe(0);
    const again = await checkout.manage(['ecr-put']);
    expect(again.stderr).toContain(
      'Nothing to do: environments/etl-playground/container_image.txt',
    );
  });
});

describe('manage ecr-put without a repository of the stack', () => {
  it('pushes to that of the image that is set', async () => {
    const { stdout } = await checkout.manage([
      'ecr-put',
      '--environment',
      'elsewhere',
      '--tag',
      '7',
    ]);
    expect(stdout).toBe(`${REPOSITORY}@${docker.digest}\n`);
    expect(readFileSync(imageFile('elsewhere'), 'utf8')).toBe(stdout);
  });

  it('pushes to another registry, signed in by whoever runs it', async () => {
    const repository = 'registry.example.gov/team/app';
    const { code } = await checkout.manage([
      ...['ecr-put', '--environment', 'elsewhere', '--repository', repository],
    ]);
    expect(commandsRun()).toHaveLength(2);
    expect(commandsRun()[1]).toContain(`--tag ${repository}:${commit.slice(0, 12)}`);
    expect(code).toBe(0);
  });
});

it('no password was written or given as a parameter', () => {
  const commands = docker.runs().map(asCommand);
  const seen = [checkout.everythingWritten(), ...commands].join('\n');
  expect(commands).not.toEqual([]);
  expect(seen).not.toContain(DATABASE_PASSWORD);
  expect(seen).not.toContain(registryPassword);
});
