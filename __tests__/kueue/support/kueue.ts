import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { callApi } from '../../cluster/support/api-client.ts';
import type { ControlPlane } from '../../cluster/support/control-plane.ts';
import { sourceOf } from '../../cluster/support/definitions.ts';
import { startGuarded } from '../../cluster/support/guarded-process.ts';
import type { KubernetesResource } from '../../cluster/support/kubernetes-resource.ts';
import { until } from '../../cluster/support/until.ts';
import { freePort } from '../../support/free-port.ts';
import { goPrograms } from '../../support/go-program.ts';
import { ROOT } from '../../support/run-main.ts';
import { run } from '../../support/run-program.ts';

const MODULE = join(ROOT, 'test-support/kueue');
const NAMESPACE = 'kueue-system';
const SERVICE = 'kueue-webhook-service';
const CERTIFICATES = `/api/v1/namespaces/${NAMESPACE}/secrets/kueue-webhook-server-cert`;
const START_DEADLINE = 300_000;

/**
 * Kueue's controller: the program that `KUEUE` names, else one that Go builds once into the user's cache folder.
 *
 * @returns its path
 * @throws Error that says what to install when it can't be built
 */
async function kueueProgram(): Promise<string> {
  if (process.env.KUEUE) return process.env.KUEUE;
  const folder = await goPrograms(
    'kueue',
    [{ program: 'kueue', directory: MODULE, source: 'sigs.k8s.io/kueue/cmd/kueue' }],
    'Kueue is built by Go: install Go 1.26 or newer (https://go.dev/dl) and put it on PATH, or let KUEUE name the program',
    (built) => existsSync(join(built, 'kueue')),
  );
  return join(folder, 'kueue');
}

/**
 * Installs Kueue in a control plane as its own module has it (config/default: kinds, rights, webhooks, settings), and
 * starts its controller as a process of this machine, with its own identity. What a Service and a kubelet would do is done
 * here: the API server finds the webhooks on a port of loopback, and the Secret with their certificates becomes files.
 *
 * @returns ends the controller, which ends with this process at the latest
 * @throws Error with its log when it is not ready within five minutes
 */
export async function startKueue(plane: ControlPlane): Promise<() => Promise<void>> {
  const program = await kueueProgram();
  const source = await sourceOf(MODULE, 'sigs.k8s.io/kueue');
  const folder = await mkdtemp(join(tmpdir(), 'kueue-'));
  const certificates = join(folder, 'certificates');
  await mkdir(certificates);
  const kubectl = async (...parameters: string[]) => {
    const { exitCode, stdout, stderr } = await run('kubectl', parameters, {
      environment: { PATH: process.env.PATH, HOME: folder, KUBECONFIG: plane.kubeconfig },
    });
    if (exitCode !== 0) throw new Error(`kubectl ${parameters[0]}: ${stderr}`);
    return stdout;
  };
  const ports = { webhook: await freePort(), health: await freePort() };

  const objects = parseAllDocuments(await kubectl('kustomize', join(source, 'config/default'))).map(
    (document) => document.toJS() as KubernetesResource,
  );
  const installed = join(folder, 'installed.json');
  const items = objects.filter(isNeeded).map((object) => reachedOn(ports.webhook, object));
  await writeFile(installed, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  // The kinds are many, and their definitions too large for a client-side apply.
  await kubectl('apply', '--server-side', '--filename', installed);

  const settings = join(folder, 'settings.yaml');
  await writeFile(settings, stringify(settingsOf(objects, ports, certificates)));
  const kubeconfig = join(folder, 'kubeconfig.yaml');
  const config = parse(await readFile(plane.kubeconfig, 'utf8'));
  const account = ['create', 'token', 'kueue-controller-manager', '--duration=2h'];
  config.users[0].user.token = (await kubectl(...account, `--namespace=${NAMESPACE}`)).trim();
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });

  const controller = startGuarded(
    program,
    [`--config=${settings}`, `--kubeconfig=${kubeconfig}`],
    folder,
  );
  const stop = async () => {
    await controller.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const ready = mount(plane, certificates).then(() =>
      until(
        'Kueue is ready',
        async () => (await fetch(`http://127.0.0.1:${ports.health}/readyz`)).ok,
        START_DEADLINE,
      ),
    );
    await Promise.race([ready, controller.failure]);
    return stop;
  } catch (cause) {
    const log = (await readFile(controller.logFile, 'utf8')).split('\n').slice(-20).join('\n');
    await stop();
    throw new Error(`Kueue did not start: ${(cause as Error).message}\n${log}`, { cause });
  }
}

/** Its controller runs here, and nobody answers for the aggregated API that lists what waits. */
function isNeeded({ kind, metadata }: KubernetesResource): boolean {
  if (kind === 'Service') return metadata.name === SERVICE;
  return kind !== 'Deployment' && kind !== 'APIService';
}

/** Sends whoever calls a webhook to a port of loopback; an API server takes its port from the webhook, not from such a Service. */
function reachedOn(port: number, object: KubernetesResource): KubernetesResource {
  if (object.kind === 'Service') {
    return {
      ...object,
      spec: { type: 'ExternalName', externalName: 'localhost' },
    } as KubernetesResource;
  }
  return JSON.parse(JSON.stringify(object), (name, value) =>
    name === 'service' && value.name === SERVICE ? { ...value, port } : value,
  );
}

/** The settings of Kueue's own ConfigMap, but for where it listens, and who leads where there is but one. */
function settingsOf(
  objects: readonly KubernetesResource[],
  ports: { readonly webhook: number; readonly health: number },
  certDir: string,
): object {
  const map = objects.find(({ kind }) => kind === 'ConfigMap') as
    | (KubernetesResource & { readonly data: Readonly<Record<string, string>> })
    | undefined;
  return {
    ...parse(map?.data['controller_manager_config.yaml'] ?? ''),
    namespace: NAMESPACE,
    health: { healthProbeBindAddress: `127.0.0.1:${ports.health}` },
    metrics: { bindAddress: '0' },
    webhook: { host: '127.0.0.1', port: ports.webhook, certDir },
    leaderElection: { leaderElect: false },
    internalCertManagement: { enable: true },
    featureGates: { VisibilityOnDemand: false },
  };
}

/** Writes the files of its Secret once Kueue has made its certificates, as a kubelet does. */
async function mount(plane: ControlPlane, folder: string): Promise<void> {
  let files: Readonly<Record<string, string>> = {};
  const areMade = async () => {
    files = JSON.parse((await callApi(plane, CERTIFICATES)).body).data ?? {};
    return files['tls.crt'] !== undefined;
  };
  await until('Kueue has made its certificates', areMade, START_DEADLINE);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), Buffer.from(content, 'base64'), { mode: 0o600 });
  }
}
