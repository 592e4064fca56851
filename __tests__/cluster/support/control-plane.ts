import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { type ApiServer, callApi } from './api-client.ts';
import { type BinariesOptions, controlPlaneBinaries } from './binaries.ts';
import {
  apiServerParameters,
  apiUrl,
  controllerManagerParameters,
  etcdParameters,
  filesOf,
  kwokParameters,
  type Layout,
  schedulerParameters,
} from './control-plane-programs.ts';
import { fakeNode } from './fake-nodes.ts';
import { type GuardedProcess, startGuarded } from './guarded-process.ts';
import { until } from './until.ts';

/** For a machine that is as busy as it gets. */
const START_DEADLINE = 300_000;
const LOG_LINES = 20;

/** A real Kubernetes control plane (see test-support/control-plane/README.md). */
export interface ControlPlane extends ApiServer {
  /** File with the context of an administrator, who signs in by a token. */
  readonly kubeconfig: string;
  /** PEM file with {@link ApiServer.certificateAuthority}. */
  readonly certificateAuthorityFile: string;
  /** Kills the API server and starts it anew, on the same port; what it holds is in etcd. */
  restartApiServer(): Promise<void>;
  /** The last lines that each program has written. */
  log(): Promise<string>;
  /** Ends its programs and nothing else, and removes what they wrote. */
  stop(): Promise<void>;
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on free loopback
 * ports, with two nodes in two zones. It ends with this process at the latest.
 *
 * @throws Error with the programs' logs when it is not ready within five minutes
 */
export async function startControlPlane(options: BinariesOptions = {}): Promise<ControlPlane> {
  const binaries = await controlPlaneBinaries(options);
  const layout = await newLayout();
  const files = filesOf(layout);
  const processes: GuardedProcess[] = [];
  const start = (program: string, parameters: readonly string[]) => {
    processes.push(startGuarded(join(binaries, program), parameters, layout.folder));
  };
  const inTime = <T>(task: Promise<T>) =>
    Promise.race([task, ...processes.map(({ failure }) => failure)]);
  const log = async () => (await Promise.all(processes.map(lastLines))).join('\n');
  const stop = async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await rm(layout.folder, { recursive: true, force: true });
  };

  try {
    const token = await writeFiles(layout);
    start('etcd', etcdParameters(layout));
    const startApiServer = () => {
      start('kube-apiserver', apiServerParameters(layout));
      return processes.at(-1);
    };
    let apiServer = startApiServer();
    const server = await inTime(whenReady(layout, token));
    start('kube-controller-manager', controllerManagerParameters(layout));
    start('kube-scheduler', schedulerParameters(layout));
    start('kwok', kwokParameters(layout));
    await inTime(whenPodsCanRun(server));
    const { kubeconfig, certificateAuthority: certificateAuthorityFile } = files;
    const restartApiServer = async () => {
      await apiServer?.stop();
      apiServer = startApiServer();
      await whenReady(layout, token);
    };
    return { ...server, kubeconfig, certificateAuthorityFile, restartApiServer, log, stop };
  } catch (cause) {
    const written = await log();
    await stop();
    throw new Error(`The control plane did not start: ${(cause as Error).message}\n${written}`, {
      cause,
    });
  }
}

async function newLayout(): Promise<Layout> {
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const [etcd, etcdPeer, api] = [await freePort(), await freePort(), await freePort()];
  return { folder, ports: { etcd, etcdPeer, api } };
}

/** Writes what the programs read. @returns the administrator's token */
async function writeFiles(layout: Layout): Promise<string> {
  const { tokens, serviceAccountKey, kubeconfig, certificateAuthority } = filesOf(layout);
  const token = randomBytes(32).toString('hex');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const secret = { mode: 0o600 };
  await writeFile(tokens, `${token},admin,admin,"system:masters"\n`, secret);
  await writeFile(serviceAccountKey, privateKey.export({ type: 'pkcs1', format: 'pem' }), secret);
  const cluster = { server: apiUrl(layout), 'certificate-authority': certificateAuthority };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  };
  await writeFile(kubeconfig, JSON.stringify(config), secret);
  return token;
}

async function whenReady(layout: Layout, token: string): Promise<ApiServer> {
  const url = apiUrl(layout);
  let certificateAuthority = '';
  const isReady = async () => {
    certificateAuthority = await readFile(filesOf(layout).certificateAuthority, 'utf8');
    return (await callApi({ url, token, certificateAuthority }, '/readyz')).status === 200;
  };
  await until('kube-apiserver is ready', isReady, START_DEADLINE);
  return { url, token, certificateAuthority };
}

/** Makes the nodes. A pod also needs the ServiceAccount that the controller manager makes. */
async function whenPodsCanRun(server: ApiServer): Promise<void> {
  for (const node of [fakeNode('node-a', 'zone-a'), fakeNode('node-b', 'zone-b')]) {
    const { status, body } = await callApi(server, '/api/v1/nodes', node);
    if (status !== 201) throw new Error(`a node was not made: ${body}`);
  }
  const nodesReady = async () => {
    const { items } = JSON.parse((await callApi(server, '/api/v1/nodes')).body) as NodeList;
    return items.every(({ status, spec }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return ready?.status === 'True' && spec?.taints === undefined;
    });
  };
  await until('the nodes are ready', nodesReady, START_DEADLINE);
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  const accountExists = async () => (await callApi(server, account)).status === 200;
  await until('the default ServiceAccount exists', accountExists, START_DEADLINE);
}

interface NodeList {
  readonly items: readonly {
    readonly spec?: { readonly taints?: readonly object[] };
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

async function lastLines({ name, logFile }: GuardedProcess): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n');
  return [`--- ${name}`, ...lines.slice(-LOG_LINES)].join('\n');
}
