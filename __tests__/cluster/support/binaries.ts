import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GoProgram, goPrograms } from '../../support/go-program.ts';

/** Where the Go modules of the control plane are, one folder each. */
export const controlPlaneFolder = join(import.meta.dirname, '../../../test-support/control-plane');

const module = (name: string) => join(controlPlaneFolder, name);

const COMPONENTS: readonly GoProgram[] = [
  { program: 'etcd', directory: module('etcd'), source: 'go.etcd.io/etcd/server/v3' },
  ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((program) => ({
    program,
    directory: module('kubernetes'),
    source: `k8s.io/kubernetes/cmd/${program}`,
    variables: versionOfKubernetes(),
  })),
  { program: 'kwok', directory: module('kwok'), source: 'sigs.k8s.io/kwok/cmd/kwok' },
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
  const isWhole = (folder: string) => missingIn(folder).length === 0;
  return await goPrograms('control-plane', COMPONENTS, ADVICE, isWhole, environment);
}

function missingIn(folder: string): string[] {
  const programs = COMPONENTS.map(({ program }) => program);
  return programs.filter((program) => !existsSync(join(folder, program)));
}

const ADVICE =
  "The control plane's programs are built by Go: install Go 1.26 or newer (https://go.dev/dl) " +
  `and put it on PATH, or let KUBEBUILDER_ASSETS name a folder that holds ${COMPONENTS.map(
    ({ program }) => program,
  ).join(', ')}`;

/** Without a version in it, the API server says v0.0.0 and kubectl finds it too old. */
function versionOfKubernetes(): Readonly<Record<string, string>> {
  const modules = readFileSync(join(module('kubernetes'), 'go.mod'), 'utf8');
  const [, version = '', minor = ''] = /k8s\.io\/kubernetes (v1\.(\d+)\.\d+)/.exec(modules) ?? [];
  return {
    'k8s.io/component-base/version.gitVersion': version,
    'k8s.io/component-base/version.gitMajor': '1',
    'k8s.io/component-base/version.gitMinor': minor,
    'k8s.io/client-go/pkg/version.gitVersion': version,
  };
}
