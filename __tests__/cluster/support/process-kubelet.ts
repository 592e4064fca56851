import { spawn } from 'node:child_process';
import { request } from 'node:https';
import { fileURLToPath } from 'node:url';
import { runCli } from '../../../listener/src/cli.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { type ApiServer, callApi, watchApi } from './api-client.ts';
import type { Pod } from './kubernetes-resource.ts';

/** Pods of this image are left alone by kwok (test-support/control-plane/stages.yaml). */
export const PROCESS_IMAGE = 'test.invalid/listener:process';

const MAIN = fileURLToPath(new URL('../../../listener/src/main.ts', import.meta.url));

/** How the stand-in works. */
export interface ProcessKubeletOptions {
  readonly server: ApiServer;
  readonly namespace: string;
  /** What each pod finds in its environment, in the place of its ConfigMap and Secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Pods whose command becomes a process of its own; that of the others runs in this process. */
  readonly processes: number;
  /** Pods at the same time. */
  readonly atOnce: number;
}

/** A stand-in for the kubelets of a namespace. */
export interface ProcessKubelet {
  /** Commands that have ended, by their exit code. */
  readonly ended: ReadonlyMap<number, number>;
  /** Of a pod that runs, or ran, as a process. */
  readonly started: readonly { readonly pod: string; readonly job: string; readonly pid: number }[];
  stop(): Promise<void>;
}

/**
 * Runs the own command of each pod of {@link PROCESS_IMAGE} that the scheduler gave a node, on this machine, and writes the
 * pod's status as a kubelet does.
 */
export function startProcessKubelet(options: ProcessKubeletOptions): ProcessKubelet {
  const { server, namespace } = options;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const controller = new AbortController();
  const seen = new Set<string>();
  const waiting: PodToRun[] = [];
  const ended = new Map<number, number>();
  const started: { pod: string; job: string; pid: number }[] = [];
  let running = 0;

  const report = async (pod: PodToRun, status: object) => {
    // The API server may be on its way back.
    while (!controller.signal.aborted) {
      const answer = await patchStatus(server, `${pods}/${pod.metadata.name}`, status).catch(
        () => 0,
      );
      if (answer === 200 || answer === 404 || answer === 409) return;
      await pause(200);
    }
  };
  const work = async (pod: PodToRun) => {
    const [container] = pod.spec.containers;
    const startedAt = new Date().toISOString();
    const state = (state: object, phase: string) => ({
      phase,
      containerStatuses: [
        {
          ...{ name: container?.name, image: container?.image, imageID: '', restartCount: 0 },
          ...{ ready: false, state },
        },
      ],
    });
    await report(pod, { ...state({ running: { startedAt } }, 'Running'), startTime: startedAt });
    const code = await run(pod);
    const terminated = {
      ...{ exitCode: code, startedAt, finishedAt: new Date().toISOString() },
      reason: code === 0 ? 'Completed' : 'Error',
    };
    await report(pod, state({ terminated }, code === 0 ? 'Succeeded' : 'Failed'));
    ended.set(code, (ended.get(code) ?? 0) + 1);
  };
  const run = async (pod: PodToRun): Promise<number> => {
    const [{ args = [], env = [] } = {}] = pod.spec.containers;
    const environment = {
      ...options.environment,
      ...Object.fromEntries(env.map(({ name, value }) => [name, value ?? ''])),
    };
    if (started.length < options.processes) {
      const child = spawn(process.execPath, [MAIN, ...args], {
        env: { ...COMPILE_CACHE, PATH: process.env.PATH, ...environment },
        stdio: 'ignore',
      });
      const job = pod.metadata.labels?.['batch.kubernetes.io/job-name'] ?? '';
      started.push({ pod: pod.metadata.name, job, pid: child.pid ?? 0 });
      return await new Promise((resolve) => {
        child.once('close', (code) => resolve(code ?? 137));
      });
    }
    const nowhere = { write: () => undefined };
    return await runCli(args, { environment, stdout: nowhere, stderr: nowhere });
  };
  const fill = () => {
    while (running < options.atOnce) {
      const pod = waiting.shift();
      if (pod === undefined) return;
      running += 1;
      void work(pod).finally(() => {
        running -= 1;
        fill();
      });
    }
  };
  const look = (pod: PodToRun) => {
    const [container] = pod.spec.containers;
    const { uid = '' } = pod.metadata;
    const isOurs = container?.image === PROCESS_IMAGE && pod.spec.nodeName !== undefined;
    if (!isOurs || pod.status?.phase !== 'Pending' || seen.has(uid)) return;
    seen.add(uid);
    waiting.push(pod);
    fill();
  };
  const watching = (async () => {
    // A watch ends with its API server; the next one begins with what there is.
    while (!controller.signal.aborted) {
      try {
        const { status, body } = await callApi(server, pods);
        if (status === 200)
          for (const pod of (JSON.parse(body) as { items: PodToRun[] }).items) look(pod);
        for await (const { object } of watchApi<PodToRun>(server, pods, controller.signal)) {
          if (object.spec !== undefined) look(object);
        }
      } catch {
        await pause(200);
      }
    }
  })();
  return {
    ended,
    started,
    async stop() {
      controller.abort();
      waiting.length = 0;
      await watching;
    },
  };
}

/** As far as it is looked at; an event that tells of an error has none of it. */
interface PodToRun {
  readonly metadata: Pod['metadata'] & { readonly uid?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly args?: readonly string[];
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    }[];
  };
  readonly status?: { readonly phase?: string };
}

function patchStatus(server: ApiServer, path: string, status: object): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const call = request(
    new URL(`${path}/status`, server.url),
    {
      method: 'PATCH',
      ca: server.certificateAuthority,
      headers: {
        authorization: `Bearer ${server.token}`,
        'content-type': 'application/strategic-merge-patch+json',
      },
    },
    (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    },
  );
  call.on('error', reject);
  call.end(JSON.stringify({ status }));
  return promise;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
