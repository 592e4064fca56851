import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

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
 * @throws OperationError (usage) where an endpoint is no URL, (refused) where it is one of AWS
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
      `${source} ${url.origin} is AWS itself, and this makes things for tests`,
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
    `${source} ${JSON.stringify(value)} does not do: ${allowed} is needed`,
    {
      code: EXIT.usage,
    },
  );
}

function withoutUser(value: string): string {
  return value.replace(/^(\w+:\/\/)[^/?#]*@/, '$1***@');
}
