import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { EXIT, OperationError } from '../operation-error.ts';

/** Port of LocalStack's edge. */
const EDGE_PORT = 4566;

/** An address that may be LocalStack's. */
export interface Candidate {
  /** Origin: scheme, host, port. */
  readonly url: string;
  /** A certificate that nobody vouches for is taken: the host is this machine, or was named so. */
  readonly anyCertificate: boolean;
}

/**
 * Where LocalStack may be, best first: `--endpoint`, else AWS_ENDPOINT_URL, else the edge port of
 * LOCALSTACK_HOSTNAME or this machine, by https and then by http.
 *
 * @throws OperationError (usage) where an endpoint is not a URL, (refused) where it is one of AWS
 */
export function candidates(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly Candidate[] {
  const hostName = env.LOCALSTACK_HOSTNAME || undefined;
  if (hostName !== undefined && !/^[A-Za-z0-9.-]+$/.test(hostName)) {
    throw usage('LOCALSTACK_HOSTNAME', hostName, 'a host name, such as localhost.localstack.cloud');
  }
  const candidate = (url: URL): Candidate => ({
    url: url.origin,
    anyCertificate: isLoopback(url.hostname) || url.hostname === hostName,
  });
  if (option !== undefined) return [candidate(endpointUrl('--endpoint', option))];
  if (env.AWS_ENDPOINT_URL)
    return [candidate(endpointUrl('AWS_ENDPOINT_URL', env.AWS_ENDPOINT_URL))];
  return ['https', 'http'].map((scheme) =>
    candidate(
      endpointUrl('LOCALSTACK_HOSTNAME', `${scheme}://${hostName ?? 'localhost'}:${EDGE_PORT}`),
    ),
  );
}

/** Whether a host name can only be this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host);
}

function endpointUrl(source: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw usage(source, withoutUser(value), 'an http or https URL, such as http://localhost:4566');
  }
  if (/(^|\.)(amazonaws\.com(\.cn)?|api\.aws|aws\.dev)$/.test(url.hostname)) {
    throw new OperationError(
      `${source} ${url.origin} is AWS itself; this command creates resources for tests`,
      {
        code: EXIT.refused,
        next: 'unset AWS_ENDPOINT_URL, or name LocalStack by --endpoint',
      },
    );
  }
  return url;
}

function usage(source: string, value: string, allowed: string): OperationError {
  return new OperationError(
    `${source} ${JSON.stringify(value)} is not allowed: ${allowed} is needed`,
    {
      code: EXIT.usage,
    },
  );
}

function withoutUser(value: string): string {
  return value.replace(/^(\w+:\/\/)[^/?#]*@/, '$1***@');
}

const NEEDED_SERVICES = ['s3', 'sns'] as const;
const ANSWER_MILLISECONDS = 5000;
const MOST_BYTES = 1_000_000;

/** A LocalStack that answers. */
export interface Edge extends Candidate {
  readonly version: string;
}

/**
 * Asks the candidates, in their order, whether LocalStack is there
 * (LocalStack documentation, "Internal endpoints": /_localstack/health).
 *
 * @returns the first that is; undefined when none answers
 * @throws OperationError (refused) when somebody else answers, or LocalStack without S3 or SNS
 */
export async function findEdge(candidates: readonly Candidate[]): Promise<Edge | undefined> {
  for (const candidate of candidates) {
    const text = await get(`${candidate.url}/_localstack/health`, candidate.anyCertificate);
    if (text !== undefined) return { ...candidate, version: versionIn(text, candidate.url) };
  }
  return undefined;
}

/** Whether anybody answers a HEAD at an address over HTTP, with any status. */
export async function answers(url: string): Promise<boolean> {
  return (await send('HEAD', url, false)) !== undefined;
}

function versionIn(text: string, url: string): string {
  const { services, version } = jsonObject(text);
  if (typeof services !== 'object' || services === null) {
    throw new OperationError(`${url} answers, but is not LocalStack`, {
      code: EXIT.refused,
      next: 'name LocalStack by --endpoint, or free the port',
    });
  }
  const states = new Map<string, unknown>(Object.entries(services));
  const missing = NEEDED_SERVICES.filter((name) =>
    [undefined, 'disabled'].includes(states.get(name) as undefined),
  );
  if (missing.length > 0) {
    throw new OperationError(`the LocalStack at ${url} is without ${missing.join(' and ')}`, {
      code: EXIT.refused,
      next: 'start it with SERVICES=s3,sns,sqs,sts,iam, or without SERVICES',
    });
  }
  return typeof version === 'string' ? version : 'unknown version';
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

async function get(url: string, anyCertificate: boolean): Promise<string | undefined> {
  return send('GET', url, anyCertificate);
}

/** @returns the body of the answer; undefined where there is none */
function send(
  method: 'GET' | 'HEAD',
  url: string,
  anyCertificate: boolean,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const signal = AbortSignal.timeout(ANSWER_MILLISECONDS);
  const request = url.startsWith('https:')
    ? requestHttps(url, { method, signal, agent: false, rejectUnauthorized: !anyCertificate })
    : requestHttp(url, { method, signal, agent: false });
  request.on('error', () => resolve(undefined));
  request.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MOST_BYTES) response.destroy();
    });
    response.on('close', () => resolve(text));
  });
  request.end();
  return promise;
}
