import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';

/** Where the API server is, and as whom it is asked. */
export interface KubernetesAccess {
  readonly host: string;
  readonly port: number;
  /** Holds `token`, `ca.crt` and `namespace`, as the kubelet mounts them. */
  readonly identityFolder: string;
}

/** A Job as far as it is looked at (Kubernetes API, batch/v1). */
export interface KubernetesJob {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** The API server has refused a call, or could not be asked. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** As the API server names it, such as `AlreadyExists`. */
  readonly reason: string;

  constructor(message: string, status?: number, reason = '', cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.reason = reason;
  }
}

/** The Jobs of the pod's own namespace. What is thrown is a {@link KubernetesError}. */
export interface KubernetesJobs {
  /** @param dryRun checks and admits it, and makes none. @default false */
  create(manifest: object, dryRun?: boolean): Promise<void>;
  /** Those with a label, as they are now. */
  list(label: string): Promise<readonly KubernetesJob[]>;
  /** Also its pods. One that is gone is not an error. */
  delete(name: string): Promise<void>;
  close(): void;
}

/** One page of a list of Jobs (Kubernetes API reference, JobList). */
interface JobPage {
  readonly items: readonly KubernetesJob[];
  readonly metadata?: { readonly continue?: string };
}

/** @throws {KubernetesError} where a proxy, or who else answers in the API server's place, has sent something else */
export function pageOfJobs(answer: unknown): JobPage {
  if (Array.isArray((answer as Partial<JobPage> | null | undefined)?.items)) {
    return answer as JobPage;
  }
  throw new KubernetesError('the answer of the API server is not a list of Jobs');
}

/** As long as the API server may take for an answer. */
const PATIENCE_MS = 15_000;

/** Jobs of one answer of a list; one of ours has about 6 KB. */
const PAGE = 250;

/**
 * Talks to the API server by node:https. The official client, @kubernetes/client-node 2.0.1, is 65 packages and 83 MB for
 * what are three calls here; the listener's image has half as many packages in all.
 */
export function kubernetesJobs({ host, port, identityFolder }: KubernetesAccess): KubernetesJobs {
  const agent = new Agent({ keepAlive: true, maxSockets: 10, timeout: PATIENCE_MS });
  // The kubelet renews the token long before it ends, so each call reads what is there.
  const identity = (file: string) => readFile(join(identityFolder, file), 'utf8');

  async function call(method: string, path: string, body?: object): Promise<unknown> {
    const [token, ca, namespace] = await Promise.all(
      ['token', 'ca.crt', 'namespace'].map(identity),
    ).catch((cause: Error) => {
      const message = `the identity of the pod can't be read: ${cause.message}`;
      throw new KubernetesError(message, undefined, '', cause);
    });
    const text = body === undefined ? undefined : JSON.stringify(body);
    const { status, answer } = await answered({
      ...{ host, port, method, agent, ca },
      path: `/apis/batch/v1/namespaces/${(namespace ?? '').trim()}/jobs${path}`,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${(token ?? '').trim()}`,
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
      },
      ...(text !== undefined && { text }),
    });
    const parsed = parsedJson(answer);
    if (status >= 200 && status < 300) return parsed;
    const { message = `status ${status}`, reason = '' } = (parsed ?? {}) as Partial<
      Record<'message' | 'reason', string>
    >;
    throw new KubernetesError(message, status, reason);
  }

  return {
    async create(manifest, dryRun = false) {
      await call('POST', dryRun ? '?dryRun=All' : '', manifest);
    },
    async list(label) {
      const found: KubernetesJob[] = [];
      let next = '';
      do {
        const query = new URLSearchParams({ labelSelector: label, limit: `${PAGE}` });
        if (next !== '') query.set('continue', next);
        const { items, metadata } = pageOfJobs(await call('GET', `?${query}`));
        found.push(...items);
        next = metadata?.continue ?? '';
      } while (next !== '');
      return found;
    },
    async delete(name) {
      const options = { kind: 'DeleteOptions', propagationPolicy: 'Background' };
      await call('DELETE', `/${encodeURIComponent(name)}`, {
        apiVersion: 'v1',
        ...options,
      }).catch((error: unknown) => {
        if (!(error instanceof KubernetesError) || error.status !== 404) throw error;
      });
    },
    close: () => agent.destroy(),
  };
}

interface Call {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly agent: Agent;
  readonly ca: string | undefined;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly text?: string;
}

function answered({ text, ...options }: Call): Promise<{ status: number; answer: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; answer: string }>();
  const failed = (cause: Error) =>
    reject(
      new KubernetesError(`the API server can't be asked: ${cause.message}`, undefined, '', cause),
    );
  const sent = request({ ...options, signal: AbortSignal.timeout(PATIENCE_MS) }, (response) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => parts.push(part));
    response.on('error', failed);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, answer: Buffer.concat(parts).toString() }),
    );
  });
  sent.on('error', failed);
  sent.end(text);
  return promise;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
