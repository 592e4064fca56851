import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';
import type { Candidate } from './endpoint.ts';

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
    throw new OperationError(`${url} answers, but is no LocalStack`, {
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
