import { isObject } from '@file-processing/contract/json-object.ts';
import { EXIT, OperationError } from '../operation-error.ts';

/** An endpoint over HTTP, and how SNS delivers to it. */
export interface WantedSubscription {
  readonly protocol: 'http' | 'https';
  readonly endpoint: string;
  /** Attributes that somebody asked for. */
  readonly asked: Readonly<Record<string, string>>;
  /** Attributes that are set where the subscription has none. */
  readonly defaults: Readonly<Record<string, string>>;
}

/** The listener verifies the envelope's signature, and raw delivery has no envelope. */
export const NOT_RAW = { RawMessageDelivery: 'false' } as const;

/**
 * Checks an endpoint.
 *
 * @throws OperationError (usage); it never repeats a password
 */
export function checkEndpoint(
  endpoint: string | undefined,
): Pick<WantedSubscription, 'protocol' | 'endpoint'> {
  const needed =
    'an http or https URL without user name, password or fragment is needed, such as https://files.example.gov/';
  const usage = (problem: string) =>
    new OperationError(`${problem}; ${needed}`, { code: EXIT.usage });
  if (!endpoint) throw usage('no endpoint was given, nor is ENDPOINT set');
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined) throw usage('the endpoint is not a URL');
  if (url.username !== '' || url.password !== '')
    throw usage('the endpoint has a user name or password');
  if (url.hash !== '') throw usage(`the endpoint ${endpoint} has a fragment`);
  if (url.protocol === 'https:') return { protocol: 'https', endpoint };
  if (url.protocol === 'http:') return { protocol: 'http', endpoint };
  throw usage(`the endpoint has the scheme ${url.protocol.slice(0, -1)}`);
}

/**
 * Checks a filter policy.
 *
 * @throws OperationError (usage)
 */
export function checkFilterPolicy(filterPolicy: string): string {
  try {
    const policy: unknown = JSON.parse(filterPolicy);
    if (isObject(policy)) return filterPolicy;
  } catch {
    // Told below.
  }
  throw new OperationError(`--filter-policy ${filterPolicy} is not a JSON object`, {
    code: EXIT.usage,
  });
}

/** The redrive policy that sends to a dead-letter queue what could not be delivered. */
export function redriveTo(queueArn: string): { readonly RedrivePolicy: string } {
  return { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn }) };
}

/**
 * The attributes that an existing subscription must be given. What nobody asked for stays as others
 * have set it.
 */
export function attributesToSet(
  existing: Readonly<Record<string, string>>,
  { asked, defaults }: Pick<WantedSubscription, 'asked' | 'defaults'>,
): Readonly<Record<string, string>> {
  const missing = Object.entries(defaults).filter(([name]) => !existing[name]);
  const different = Object.entries(asked).filter(
    ([name, value]) => !sameText(existing[name], value),
  );
  return Object.fromEntries([...missing, ...different]);
}

/** SNS may write JSON in another way than it was given. */
function sameText(one: string | undefined, other: string): boolean {
  if (one === undefined || one === other) return one === other;
  try {
    return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
  } catch {
    return false;
  }
}
