import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { putInPlace } from '../../support/put-in-place.ts';
import { run } from '../../support/run-program.ts';

/** Where the Go modules of the control plane are, one folder each. */
export const controlPlaneFolder = join(import.meta.dirname, '../../../test-support/control-plane');

/** A program of the control plane, and how it is built. */
interface Component {
  readonly program: string;
  /** Folder of its go.mod and go.sum. */
  readonly module: string;
  /** Go package of its `main`. */
  readonly source: string;
}

const COMPONENTS: readonly Component[] = [
  { program: 'etcd', module: 'etcd', source: 'go.etcd.io/etcd/server/v3' },
  ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((program) => ({
    program,
    module: 'kubernetes',
    source: `k8s.io/kubernetes/cmd/${program}`,
  })),
  { program: 'kwok', module: 'kwok', source: 'sigs.k8s.io/kwok/cmd/kwok' },
];

/** What {@link controlPlaneBinaries} looks at. */
export interface BinariesOptions {
  /** @default that of this process */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * The folder with the control plane's programs: `KUBEBUILDER_ASSETS` (the name that envtest of
 * Kubernetes' controller-runtime gave it) when it is set, else a cache below `XDG_CACHE_HOME`
 * (`~/.cache`), which is filled by `go build` once per content of the go.mod files: minutes.
 *
 * @throws Error that says what to install when programs are missing and can't be built
 */
export async function controlPlaneBinaries(options: BinariesOptions = {}): Promise<string> {
  const { environment = process.env } = options;
  const assets = environment.KUBEBUILDER_ASSETS;
  if (assets) {
    const missing = missingIn(assets);
    if (missing.length === 0) return assets;
    throw new Error(
      `KUBEBUILDER_ASSETS is ${assets}, where ${missing.join(', ')} is missing: ` +
        'put it there, or unset the variable to have everything built by Go',
    );
  }
  const cache = environment.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'file-processing-infra', `control-plane-${await hashOfSources()}`);
  if (missingIn(folder).length > 0) await buildInto(folder, environment);
  return folder;
}

function missingIn(folder: string): string[] {
  const programs = COMPONENTS.map(({ program }) => program);
  return programs.filter((program) => !existsSync(join(folder, program)));
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(COMPONENTS));
  for (const module of new Set(COMPONENTS.map((component) => component.module))) {
    hash.update(await readFile(join(controlPlaneFolder, module, 'go.mod')));
    hash.update(await readFile(join(controlPlaneFolder, module, 'go.sum')));
  }
  return hash.digest('hex').slice(0, 16);
}

/** The folder appears whole or not at all: another run may build, or use it, at the same time. */
async function buildInto(folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(join(dirname(folder), `${basename(folder)}.`));
  try {
    for (const component of COMPONENTS) await build(component, unfinished, environment);
    await putInPlace(unfinished, folder, () => missingIn(folder).length === 0);
  } catch (error) {
    if (missingIn(folder).length > 0) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function build(
  { program, module, source }: Component,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const directory = join(controlPlaneFolder, module);
  const parameters = [
    ...['build', '-mod=readonly', '-buildvcs=false', '-trimpath'],
    ...['-ldflags', await linkerFlags(directory)],
    ...['-o', join(folder, program), source],
  ];
  const { exitCode, stdout, stderr } = await run('go', parameters, {
    directory,
    // A Go that is too old says so, and does not fetch another one.
    environment: {
      ...environment,
      // The compiler collects no garbage before it is large: a tenth of the build's time.
      GOGC: 'off',
      GOMEMLIMIT: '3GiB',
      CGO_ENABLED: '0',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
      GOFLAGS: '',
    },
    deadline: 30 * 60_000,
  }).catch((cause: unknown) => {
    throw new Error(ADVICE, { cause });
  });
  if (exitCode !== 0) throw new Error(`${program} was not built:\n${stdout}${stderr}\n${ADVICE}`);
}

const ADVICE =
  "The control plane's programs are built by Go: install Go 1.26 or newer (https://go.dev/dl) " +
  `and put it on PATH, or let KUBEBUILDER_ASSETS name a folder that holds ${COMPONENTS.map(
    ({ program }) => program,
  ).join(', ')}`;

/** Without a version in it, the API server says v0.0.0 and kubectl finds it too old. */
async function linkerFlags(directory: string): Promise<string> {
  const modules = await readFile(join(directory, 'go.mod'), 'utf8');
  const version = /k8s\.io\/kubernetes (v1\.(\d+)\.\d+)/.exec(modules);
  const settings = version
    ? {
        'component-base/version.gitVersion': version[1],
        'component-base/version.gitMajor': '1',
        'component-base/version.gitMinor': version[2],
        'client-go/pkg/version.gitVersion': version[1],
      }
    : {};
  const variables = Object.entries(settings).map(([name, value]) => `-X k8s.io/${name}=${value}`);
  return ['-s', '-w', ...variables].join(' ');
}
