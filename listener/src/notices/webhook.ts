import { createHmac } from 'node:crypto';
import { lookup as lookUp } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { isLoopbackHost, readWebhookSecrets } from '@file-processing/contract/notices.ts';
import type { WebhookConfig } from '../config/notice-config.ts';
import { proxyAgents } from '../config/proxy-agents.ts';
import { recordedTraceparent } from '../tracing/tracing.ts';
import type { OutgoingMessage, Outlet } from './outlet.ts';
import { RefusedError } from './policy.ts';

/** Addresses that no webhook has, whatever is configured: this host, link-local (the metadata of an instance), multicast, reserved. */
const NEVER = addresses([
  ...['0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/128', '64:ff9b::/96', '100::/64', '2001::/32', '2001:db8::/32', '2002::/16'],
  ...['fe80::/10', 'ff00::/8', 'fec0::/10'],
]);

/** Addresses that only hosts which are named may have: those of networks that the internet does not reach. */
const PRIVATE = addresses([
  ...['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  ...['::1/128', 'fc00::/7'],
]);

function addresses(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/');
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Why an address may not be connected to; undefined where it may. An IPv4 address inside of an IPv6 one counts as itself. */
export function addressFault(address: string, mayBePrivate: boolean): string | undefined {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(address) === 0) return 'is not an address';
  if (NEVER.check(address, family)) return 'is link-local or reserved';
  return !mayBePrivate && PRIVATE.check(address, family) ? 'is private' : undefined;
}

/**
 * The headers of a message (Standard Webhooks, "Webhook headers"). Each secret signs, so that a receiver may know the old one
 * or the new one while they are changed.
 *
 * @param timestamp seconds since 1970, of this attempt
 */
export function signedHeaders(
  id: string,
  timestamp: number,
  body: string,
  secrets: readonly string[],
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': `${timestamp}`,
    'webhook-signature': signatures.join(' '),
  };
}

/** What tests put in the place of the world. */
export interface WebhookSurroundings {
  readonly lookup?: typeof lookUp;
  readonly now?: () => Date;
  /** From the request to the status of the answer, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
}

/** One outlet for each address of the settings: no message names another one. */
export function webhookOutlets(
  { urls, secrets, privateHosts }: WebhookConfig,
  surroundings: WebhookSurroundings = {},
): readonly Outlet[] {
  const keys = readWebhookSecrets(secrets.reveal()) ?? [];
  return urls.map((target) => {
    const { hostname } = new URL(target);
    const mayBePrivate = privateHosts.includes(hostname) || isLoopbackHost(hostname);
    return {
      way: 'webhook',
      target,
      send: (message, signal) =>
        post(message, new URL(target), { keys, mayBePrivate, signal, ...surroundings }),
      close() {},
    };
  });
}

interface PostOptions extends WebhookSurroundings {
  readonly keys: readonly string[];
  readonly mayBePrivate: boolean;
  readonly signal: AbortSignal;
}

async function post(
  { id, notices: [notice] }: OutgoingMessage,
  url: URL,
  { keys, mayBePrivate, signal, lookup = lookUp, ...surroundings }: PostOptions,
): Promise<void> {
  const { now = () => new Date(), timeoutMs = 10_000 } = surroundings;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // Nothing is looked up for an address.
  const fault = isIP(host) === 0 ? undefined : addressFault(host, mayBePrivate);
  if (fault !== undefined) throw new Error(`${host} ${fault}`);
  const body = JSON.stringify(notice);
  const timestamp = Math.floor(now().getTime() / 1000);
  const status = await statusOf(url, body, {
    headers: {
      ...signedHeaders(id, timestamp, body, keys),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'file-processing',
      ...traceHeader(),
    },
    ...wayTo(url, mayBePrivate, lookup),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  if (status >= 200 && status < 300) return;
  // The receiver wants no more (Standard Webhooks, "Webhook server's responsibilities").
  if (status === 410) throw new RefusedError('HTTP 410');
  const redirect = status >= 300 && status < 400 ? ': redirects are not followed' : '';
  throw new Error(`HTTP ${status}${redirect}`);
}

/** W3C Trace Context: the receiver's work is part of the same trace. */
function traceHeader(): { readonly traceparent?: string } {
  const traceparent = recordedTraceparent();
  return traceparent === undefined ? {} : { traceparent };
}

/**
 * How a host is reached. The connection goes to the address that was checked, so that no second answer of a name server
 * leads elsewhere. Where there is a proxy, it resolves the name, and it says what can be reached.
 */
function wayTo(url: URL, mayBePrivate: boolean, lookup: typeof lookUp) {
  const { httpAgent, httpsAgent } = proxyAgents();
  if (httpsAgent !== undefined)
    return { agent: url.protocol === 'https:' ? httpsAgent : httpAgent };
  const checked: LookupFunction = (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 0);
      for (const { address } of found) {
        const fault = addressFault(address, mayBePrivate);
        if (fault !== undefined)
          return callback(new Error(`an address of ${host} ${fault}`), '', 0);
      }
      const [first] = found;
      if (options.all === true) return callback(null, found, 0);
      if (first === undefined) return callback(new Error(`${host} has no address`), '', 0);
      return callback(null, first.address, first.family);
    });
  };
  const Agent = url.protocol === 'https:' ? HttpsAgent : HttpAgent;
  return { agent: new Agent({ keepAlive: false }), lookup: checked };
}

/** The body of the answer is nobody's: it is not read. */
function statusOf(url: URL, body: string, options: object): Promise<number> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', ...options }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.on('error', (error) => reject(requestError(error)));
    sent.end(body);
  });
}

function requestError(error: NodeJS.ErrnoException): Error {
  const timedOut = error.name === 'AbortError' || error.name === 'TimeoutError';
  return new Error(timedOut ? 'no answer in time' : (error.code ?? error.message));
}
