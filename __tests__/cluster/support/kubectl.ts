import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { GO_MEMORY } from '../../support/go-memory.ts';
import { type ProgramResult, run } from '../../support/run-program.ts';
import { callApi } from './api-client.ts';
import type { KubernetesResource } from './kubernetes-resource.ts';
import { collectionPath, type ResourceType } from './resource-paths.ts';

/** kubectl as the run's administrator, in one namespace. */
export interface Kubectl {
  readonly namespace: string;
  /**
   * Runs kubectl to its end.
   *
   * @returns what it wrote to standard output
   * @throws Error with its message when it fails
   */
  succeed(...parameters: string[]): Promise<string>;
  /** Runs kubectl to its end, whatever that is. */
  attempt(...parameters: string[]): Promise<ProgramResult>;
  /**
   * Objects of a type, all or those with some labels, as the API lists them: starting a kubectl for
   * each look costs a tenth of a second.
   *
   * @param selector such as `app=listener` @default all
   * @returns an empty list where there are none
   */
  list<T extends KubernetesResource>(type: ResourceType, selector?: string): Promise<T[]>;
  /** One object, from the API too. @throws Error when there is none */
  get<T extends KubernetesResource>(type: ResourceType, name: string): Promise<T>;
  /** Runs `kubectl apply` on these objects as the manifests are applied, whatever comes of it. */
  apply(...objects: KubernetesResource[]): Promise<ProgramResult>;
  /** Removes what kubectl wrote on this machine. */
  close(): Promise<void>;
}

/** How manifests are applied: by field ownership, and no field that the API doesn't know. */
export const APPLY = ['apply', '--server-side', '--validate=strict'] as const;

/** Milliseconds for what a controller does in a moment, on a machine that is as busy as it gets. */
export const DEADLINE = 100_000;

/** The same for kubectl's commands that wait. */
export const TIMEOUT = `--timeout=${DEADLINE / 1000}s`;

/** The environment of an operator's commands, and of the kubectl that they start: its files are below a folder. */
export function operatorEnvironment(folder: string): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { PATH, HOME: folder, KUBECACHEDIR: join(folder, 'cache'), ...GO_MEMORY };
}

/** kubectl towards the run's control plane; it reads and writes nothing of the user's. */
export async function kubectlIn(namespace: string): Promise<Kubectl> {
  const server = inject('controlPlane');
  const folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
  const environment = { ...operatorEnvironment(folder), KUBECONFIG: server.kubeconfig };
  const attempt = (...parameters: string[]) =>
    run('kubectl', [...parameters, `--namespace=${namespace}`], { environment });
  const succeed = async (...parameters: string[]) => {
    const { exitCode, stdout, stderr } = await attempt(...parameters);
    if (exitCode === 0) return stdout;
    throw new Error(`kubectl ${parameters.join(' ')} ended with ${exitCode}:\n${stdout}${stderr}`);
  };
  const read = async <T>(path: string) => {
    const { status, body } = await callApi(server, path);
    if (status === 200) return JSON.parse(body) as T;
    throw new Error(`${path} was answered with ${status}:\n${body}`);
  };
  let files = 0;
  return {
    namespace,
    attempt,
    succeed,
    async list<T extends KubernetesResource>(type: ResourceType, selector = '') {
      const query = new URLSearchParams({ labelSelector: selector });
      return (await read<{ items: T[] }>(`${collectionPath(type, namespace)}?${query}`)).items;
    },
    get: <T extends KubernetesResource>(type: ResourceType, name: string) =>
      read<T>(`${collectionPath(type, namespace)}/${name}`),
    async apply(...objects) {
      const file = join(folder, `${files++}.json`);
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
      return attempt(...APPLY, '--filename', file);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
