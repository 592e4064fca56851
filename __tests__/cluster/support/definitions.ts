import { dirname, join } from 'node:path';
import { GO_MEMORY } from '../../support/go-memory.ts';
import { run } from '../../support/run-program.ts';
import { until } from './until.ts';

/** For a machine that is as busy as it gets. */
const DEADLINE = 300_000;

const folder = (name: string) => join(import.meta.dirname, '../../../test-support', name);

/** Kinds of other projects that the manifests have objects of, with the files of their own Go modules that define them. */
const DEFINITIONS = [
  {
    directory: folder('prometheus-operator'),
    module: 'github.com/prometheus-operator/prometheus-operator',
    files: {
      'podmonitors.monitoring.coreos.com':
        'example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml',
    },
  },
  {
    directory: folder('keda'),
    module: 'github.com/kedacore/keda/v2',
    files: {
      'scaledobjects.keda.sh': 'config/crd/bases/keda.sh_scaledobjects.yaml',
      'triggerauthentications.keda.sh': 'config/crd/bases/keda.sh_triggerauthentications.yaml',
    },
  },
] as const;

/** Has a control plane know those kinds. */
export async function defineKinds(kubeconfig: string): Promise<void> {
  const files = await Promise.all(
    DEFINITIONS.map(async ({ directory, module, files: paths }) => {
      const root = await sourceOf(directory, module);
      return Object.values(paths).map((path) => join(root, path));
    }),
  );
  await kubectl(kubeconfig, 'apply', '--server-side', ...files.flat().map((file) => `-f=${file}`));
  const kinds = DEFINITIONS.flatMap(({ files: paths }) => Object.keys(paths));
  await until('the kinds are established', () => areEstablished(kubeconfig, kinds), DEADLINE);
}

/** Not by `kubectl wait`: it fails on the `conditions: null` that a definition has before a controller has looked at it. */
async function areEstablished(kubeconfig: string, kinds: readonly string[]): Promise<boolean> {
  const { items } = JSON.parse(await kubectl(kubeconfig, 'get', 'crd', '--output=json', ...kinds));
  return (items as readonly Definition[]).every(({ status }) =>
    status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'),
  );
}

interface Definition {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[] | null;
  };
}

/** Where Go keeps a module, in the version that a go.mod of ours names. */
export async function sourceOf(directory: string, module: string): Promise<string> {
  const { exitCode, stdout, stderr } = await run('go', ['mod', 'download', '-json', module], {
    directory,
    environment: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local', GOWORK: 'off' },
  });
  if (exitCode !== 0) throw new Error(`${module} was not fetched: ${stdout}${stderr}`);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

async function kubectl(kubeconfig: string, ...parameters: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run('kubectl', parameters, {
    // What kubectl keeps of the API goes with the control plane.
    environment: {
      ...{ PATH: process.env.PATH, HOME: dirname(kubeconfig), KUBECONFIG: kubeconfig },
      ...GO_MEMORY,
    },
  });
  if (exitCode !== 0) throw new Error(`kubectl ${parameters[0]}: ${stderr}`);
  return stdout;
}
