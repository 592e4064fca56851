import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  cpSync,
  lstatSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serverUser } from '../../listener/local/postgres/binaries.ts';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../listener/local/postgres/local-postgres.ts';
import { USER_ID } from '../../src/file-processing/workload/containers.ts';
import { containerImageFile } from '../../src/operations/image/image-to-deploy.ts';
import { freePort } from '../support/free-port.ts';
import { ROOT } from '../support/run-main.ts';
import { run } from '../support/run-program.ts';
import { pushBaseImage } from './support/base-image.ts';
import { makeMemoryFolder, removeMemoryFolder } from './support/memory-folder.ts';
import { openPodman, type Podman } from './support/podman.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { type ImageProcess, startInImage } from './support/started-image.ts';

const TLS = join(ROOT, '__tests__/fixtures/tls');
/** What stands in for the bundle of Amazon RDS: the authority of the test's own database. */
const BUNDLE = readFileSync(join(TLS, 'root.pem'), 'utf8');
const BUNDLE_SHA256 = createHash('sha256').update(BUNDLE).digest('hex');
const ENVIRONMENT = 'etl-playground';

let folder: string;
let registry: Registry;
let podman: Podman;
let bundles: Server;
let postgres: LocalPostgres;
let checkout: string;
let commit: string;
let put: Awaited<ReturnType<typeof ecrPut>>;
/** Where the image is mounted. */
let mounted: string;
let config: Readonly<Record<string, unknown>> & {
  readonly Env: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
};

beforeAll(async () => {
  folder = makeMemoryFolder('listener-image-');
  registry = await startRegistry(join(folder, 'registry'));
  podman = openPodman(join(folder, 'podman'), registry.address);
  bundles = createServer((_, response) => response.end(BUNDLE)).listen(0, '127.0.0.1');
  await once(bundles, 'listening');
  postgres = await startDatabase(join(folder, 'database'));
  checkout = join(folder, 'checkout');
  commit = checkOut(checkout);
  base = await pushBaseImage(registry.address, folder);
  put = await ecrPut();
  if (put.exitCode !== 0) throw new Error(put.stderr);
  await podman.podman('pull', '--quiet', put.stdout.trim());
  mounted = await podman.podman('image', 'mount', put.stdout.trim());
  config = await configOf('linux/amd64');
});

afterAll(async () => {
  await postgres?.stop();
  bundles?.close();
  await registry?.close();
  if (folder) removeMemoryFolder(folder);
});

let base: string;

const SOURCES = [
  '.dockerignore',
  'package.json',
  'package-lock.json',
  'contract',
  'quality',
  'listener',
];

/** What the image is made from, as a commit, in files that only their owner may read (umask 077). */
function checkOut(root: string): string {
  for (const entry of SOURCES) {
    cpSync(join(ROOT, entry), join(root, entry), {
      recursive: true,
      filter: (source) => !source.endsWith('/node_modules'),
    });
  }
  for (const entry of ['src', 'environments']) {
    cpSync(join(ROOT, entry), join(root, entry), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  execFileSync('chmod', ['-R', 'u=rwX,go=', root]);
  const git = (...parameters: string[]) =>
    execFileSync('git', parameters, { cwd: root, encoding: 'utf8' }).trim();
  git('init', '--quiet');
  git('add', ...SOURCES);
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
  git(...author, 'commit', '--quiet', '--message', 'one');
  return git('rev-parse', 'HEAD');
}

/** Builds and pushes as an operator does. */
function ecrPut(...parameters: readonly string[]) {
  const { port } = bundles.address() as AddressInfo;
  return run(
    'npm',
    [
      ...['run', '--silent', 'manage', '--', 'ecr-put', '--profile', ''],
      ...['--repository', `${registry.address}/team/file-processing`],
      ...['--build-arg', `NODE_IMAGE=${base}`],
      ...['--build-arg', `RDS_CA_BUNDLE_URL=http://127.0.0.1:${port}/bundle.pem`],
      ...['--build-arg', `RDS_CA_BUNDLE_SHA256=${BUNDLE_SHA256}`],
      ...parameters,
    ],
    { directory: checkout, environment: { ...podman.environment, CONTAINER_TOOL: 'podman' } },
  );
}

/** A PostgreSQL whose certificate, for localhost, comes from the authority of the bundle. */
async function startDatabase(at: string): Promise<LocalPostgres> {
  const chain = ['server.pem', 'intermediate.pem'].map((name) =>
    readFileSync(join(TLS, name), 'utf8'),
  );
  const certificate = `${at}.crt`;
  const key = `${at}.key`;
  writeFileSync(certificate, chain.join(''));
  writeFileSync(key, readFileSync(join(TLS, 'server-key.pem')), { mode: 0o600 });
  const user = await serverUser();
  if (user) chownSync(key, user.uid, user.gid);
  const settings = { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key };
  return await startLocalPostgres({ folder: at, settings });
}

const imageFile = () => readFileSync(join(checkout, containerImageFile(ENVIRONMENT)), 'utf8');

/** Starts a command in the image, with the image's own environment and some more. */
function start(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ImageProcess {
  const own = Object.fromEntries(
    config.Env.map((variable) => {
      const [name = '', value = ''] = variable.split(/=(.*)/s, 2);
      return [name, value];
    }),
  );
  return startInImage(mounted, command, { ...own, ...environment });
}

const runIn = (command: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  start(command, environment).ended;

function databaseEnvironment(): Record<string, string> {
  const { port, username, password } = new URL(postgres.url);
  return {
    DB_HOST: 'localhost',
    DB_PORT: port,
    DB_NAME: 'postgres',
    DB_USER: username,
    DB_PASSWORD: decodeURIComponent(password),
    DB_SSL: 'verify-full',
  };
}

/** What the registry holds, by its digest or, of a manifest, its tag. */
async function pushed(kind: 'manifests' | 'blobs', reference: string): Promise<Response> {
  const url = `http://${registry.address}/v2/team/file-processing/${kind}/${reference}`;
  return await fetch(url, {
    headers: {
      accept: [
        'application/vnd.oci.image.index.v1+json',
        'application/vnd.docker.distribution.manifest.list.v2+json',
        'application/vnd.docker.distribution.manifest.v2+json',
      ].join(', '),
    },
  });
}

interface Index {
  readonly manifests: readonly {
    readonly digest: string;
    readonly platform: { readonly os: string; readonly architecture: string };
  }[];
}

/** Digests of the pushed image, by platform. */
async function platforms(): Promise<Readonly<Record<string, string>>> {
  const answer = await pushed('manifests', digestOfFile());
  const { manifests } = (await answer.json()) as Index;
  return Object.fromEntries(
    manifests.map(({ digest, platform: { os, architecture } }) => [
      `${os}/${architecture}`,
      digest,
    ]),
  );
}

async function configOf(platform: string): Promise<typeof config> {
  const answer = await pushed('manifests', (await platforms())[platform] ?? '');
  const manifest = (await answer.json()) as { config: { digest: string } };
  const blob = await pushed('blobs', manifest.config.digest);
  return ((await blob.json()) as { config: typeof config }).config;
}

const digestOfFile = () => imageFile().trim().split('@')[1] ?? '';

describe('manage ecr-put', () => {
  it('pushes what its file names by its digest, for both platforms, tagged with the commit', async () => {
    expect(imageFile()).toBe(put.stdout);
    expect(put.stdout).toContain(`${registry.address}/team/file-processing@sha256:`);
    expect(Object.keys(await platforms()).sort()).toEqual(['linux/amd64', 'linux/arm64']);
    const tagged = await pushed('manifests', commit.slice(0, 12));
    expect(tagged.headers.get('docker-content-digest')).toBe(digestOfFile());
  });

  it('gives both platforms the same', async () => {
    // Podman makes up a name for each container that it builds in.
    const { Hostname } = config;
    expect({ ...(await configOf('linux/arm64')), Hostname }).toEqual(config);
  });

  it.each(['amd64', 'arm64'])('puts it on the base image of %s for that platform', async (name) => {
    const digest = (await platforms())[`linux/${name}`];
    const image = `${registry.address}/team/file-processing@${digest}`;
    await podman.podman('pull', '--quiet', image);
    const root = await podman.podman('image', 'mount', image);
    expect(readFileSync(join(root, 'etc/architecture'), 'utf8')).toBe(`${name}\n`);
  });

  it('leaves its file alone when the build fails', async () => {
    const before = imageFile();
    const wrong = `RDS_CA_BUNDLE_SHA256=${'0'.repeat(64)}`;
    const { exitCode, stderr } = await ecrPut('--build-arg', wrong);
    expect(stderr).toContain(`its SHA-256 is ${BUNDLE_SHA256}`);
    expect(stderr).toContain('error: podman build ended with');
    expect(imageFile()).toBe(before);
    expect(exitCode).toBe(1);
  });
});

describe('the image', () => {
  it('is told apart by its labels', () => {
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'file-processing',
      'org.opencontainers.image.revision': commit,
      'org.opencontainers.image.created': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  it('starts as the pods expect it', () => {
    expect(config).toMatchObject({
      User: `${USER_ID}:${USER_ID}`,
      Entrypoint: ['file-processing'],
      Cmd: ['serve'],
      WorkingDir: '/app',
      StopSignal: 'SIGTERM',
      ExposedPorts: { '8080/tcp': {}, '9090/tcp': {} },
      Healthcheck: { Test: ['CMD', 'file-processing', 'healthcheck'] },
    });
  });

  it('holds the packages of the listener and none of the infrastructure', () => {
    const packages = packagesIn(join(mounted, 'app/node_modules'));
    expect(packages).toEqual(
      expect.arrayContaining(['koa', 'pg', 'pg-boss', '@aws-sdk/client-s3']),
    );
    expect(packages.length).toBeLessThan(170);
    const foreign = /cdktf|constructs|terraform|typescript|vitest|biome|client-(ec2|ecr|eks|iam)$/;
    expect(packages.filter((name) => foreign.test(name))).toEqual([]);
  });

  it('holds neither types nor source maps of the packages', () => {
    const files = readdirSync(join(mounted, 'app/node_modules'), { recursive: true }).map(String);
    expect(files.length).toBeGreaterThan(1000);
    expect(files.filter((name) => /\.(d\.[cm]?ts|map)$/.test(name))).toEqual([]);
  });

  it('holds the sources that are run, and nothing else of the repository', () => {
    expect(readdirSync(join(mounted, 'app')).sort()).toEqual([
      'bin',
      'contract',
      'database-authorities.pem',
      'listener',
      'node_modules',
      'quality',
    ]);
    expect(readdirSync(join(mounted, 'app/listener')).sort()).toEqual([
      'bin',
      // The bundle's digest counts what makes it.
      'build.ts',
      'dist',
      'migrations',
      'package.json',
      'seed',
      'src',
    ]);
  });

  it('adds less than 60 MB to Node’s own', () => {
    const bytes = filesIn(join(mounted, 'app')).reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeGreaterThan(5e6);
    expect(bytes).toBeLessThan(60e6);
  });

  it('holds nothing that its user could change, or could not read', () => {
    const files = filesIn(join(mounted, 'app'));
    expect(files.filter(({ uid, mode }) => uid !== 0 || (mode & 0o022) !== 0)).toEqual([]);
    expect(files.filter(({ mode }) => (mode & 0o004) === 0)).toEqual([]);
  });

  it('is run by a user who may write to /tmp alone', async () => {
    const script = `
      const { writeFileSync } = require('node:fs');
      const attempt = (path) => { try { writeFileSync(path, ''); return 'written'; } catch ({ code }) { return code; } };
      console.log(process.getuid(), process.getgid(), attempt('/app/x'), attempt('/tmp/x'));`;
    // As the Deployment's preStop is run.
    const { stdout } = await runIn(['node', '-e', script]);
    expect(stdout).toBe('10001 10001 EROFS written\n');
  });

  it('has a bundle for validate, made from its sources', async () => {
    const script =
      "console.log(require('/app/listener/bin/bundle.cjs').freshBundle('/app/listener'))";
    const { stdout } = await runIn(['node', '-e', script]);
    expect(stdout).toMatch(/^\/app\/listener\/dist\/[0-9a-f]{64}\/main\.cjs\n$/);
  });

  it('judges a file without any setting', async () => {
    const { code, stdout } = await runIn(['file-processing', 'validate', 'listener/package.json']);
    expect(stdout).toMatch(/^UNREADABLE {2}listener\/package\.json\n/);
    expect(code).toBe(1);
  });

  it('writes the page that checks files before they are sent', async () => {
    const mapping = 'listener/seed/mappings/officer_detail.v1.json';
    const call = ['file-processing', 'checker', mapping, '--output', '/tmp/check.html'];
    const { code, stdout } = await runIn(call);
    expect(stdout).toMatch(/^\/tmp\/check\.html: checks files by officer_detail/);
    expect(code).toBe(0);
  });

  it('knows the database of RDS by its bundle, and by nothing else', async () => {
    const migrated = await runIn(['file-processing', 'migrate'], databaseEnvironment());
    expect(migrated).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = await runIn(['file-processing', 'migrate'], {
      ...databaseEnvironment(),
      DB_SSL_CA_FILE: '',
    });
    expect(stderr).toContain('unable to get local issuer certificate');
    expect(code).not.toBe(0);
  });

  it('serves, is healthy, and drains at SIGTERM', async () => {
    const METRICS_PORT = `${await freePort()}`;
    const environment = {
      ...databaseEnvironment(),
      PORT: '0',
      METRICS_PORT,
      AWS_REGION: 'us-gov-west-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      SNS_TOPIC_ARNS: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:file-processing-topic',
    };
    const healthcheck = () => runIn(['file-processing', 'healthcheck'], { METRICS_PORT });
    expect((await healthcheck()).code).toBe(69);

    const listener = start(['file-processing', 'serve', '--migrate'], environment);
    onTestFinished(() => {
      listener.child.kill('SIGKILL');
    });
    await said(listener, 'listening');
    expect((await healthcheck()).code).toBe(0);
    listener.child.kill('SIGTERM');
    expect(await listener.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

/** Waits until a process has written something. */
async function said({ child, ended }: ImageProcess, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let written = '';
  child.stdout?.on('data', (chunk: string) => {
    written += chunk;
    if (written.includes(text)) resolve();
  });
  ended.then(({ stderr }) => reject(new Error(`ended without '${text}': ${written}${stderr}`)));
  await promise;
}

function packagesIn(nodeModules: string): readonly string[] {
  return filesIn(nodeModules).flatMap(({ path }) => {
    const name = /(?:^|\/node_modules\/)((?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(path)?.[1];
    return name === undefined ? [] : [name];
  });
}

interface File {
  /** Below the folder. */
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
}

/** Files and folders below a folder; links are left out, since they have no mode of their own. */
function filesIn(top: string): readonly File[] {
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { size, mode, uid } = lstatSync(path);
      return { path: relative(top, path), size: entry.isFile() ? size : 0, mode, uid };
    });
}
