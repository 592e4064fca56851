import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type ProgramResult, run } from '../../support/run-program.ts';
import type { KubernetesResource } from './kubernetes-resource.ts';

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
   * Objects by type and, perhaps, name or selector, as `kubectl get` takes them.
   *
   * @returns an empty list where there are none
   */
  list<T extends KubernetesResource>(...parameters: string[]): Promise<T[]>;
  /** One object. @throws Error when there is none */
  get<T extends KubernetesResource>(type: string, name: string): Promise<T>;
  /** Runs `kubectl apply` on these objects as the manifests are applied, whatever comes of it. */
  apply(...objects: KubernetesResource[]): Promise<ProgramResult>;
  /** Removes what kubectl wrote on this machine. */
  close(): Promise<void>;
}

/** How manifests are applied: by field ownership, and no field that the API doesn't know. */
export const APPLY = ['apply', '--server-side', '--validate=strict'] as const;

/** Milliseconds for what a controller does in a moment. */
export const DEADLINE = 60_000;

/** The same for kubectl's commands that wait. */
export const TIMEOUT = `--timeout=${DEADLINE / 1000}s`;

/** kubectl towards the run's control plane; it reads and writes nothing of the user's. */
export async function kubectlIn(namespace: string): Promise<Kubectl> {
  const { kubeconfig } = inject('controlPlane');
  const folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
  const environment = {
    PATH: process.env.PATH,
    HOME: folder,
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: join(folder, 'cache'),
  };
  const attempt = (...parameters: string[]) =>
    run('kubectl', [...parameters, `--namespace=${namespace}`], { environment });
  const succeed = async (...parameters: string[]) => {
    const { exitCode, stdout, stderr } = await attempt(...parameters);
    if (exitCode === 0) return stdout;
    throw new Error(`kubectl ${parameters.join(' ')} ended with ${exitCode}:\n${stdout}${stderr}`);
  };
  let files = 0;
  return {
    namespace,
    attempt,
    succeed,
    async list<T extends KubernetesResource>(...parameters: string[]) {
      return (JSON.parse(await succeed('get', ...parameters, '--output=json')) as { items: T[] })
        .items;
    },
    async get<T extends KubernetesResource>(type: string, name: string) {
      return JSON.parse(await succeed('get', type, name, '--output=json')) as T;
    },
    async apply(...objects) {
      const file = join(folder, `${files++}.json`);
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
      return attempt(...APPLY, '--filename', file);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
