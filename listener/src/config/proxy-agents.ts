import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';

/** The agents of a client of the AWS SDK, as its `requestHandler` takes them. */
export interface ProxyAgents {
  readonly httpAgent?: HttpAgent;
  readonly httpsAgent?: HttpsAgent;
}

/**
 * Agents by which a client of the AWS SDK goes through the proxy of HTTP_PROXY and HTTPS_PROXY, but for NO_PROXY.
 * The SDK makes agents of its own, which know no proxy, so each client is given these; `fetch` needs none. As
 * everywhere in Node.js, NODE_USE_ENV_PROXY says whether the proxy counts at all (Node.js, "Built-in Proxy
 * Support"). Like credentials, the variables are those of the process.
 *
 * @param maxSockets connections to one host; the SDK gives its own agents as many
 * @returns none without a proxy: the SDK then makes its own
 */
export function proxyAgents(
  environment: NodeJS.ProcessEnv = process.env,
  maxSockets = 50,
): ProxyAgents {
  if (environment.NODE_USE_ENV_PROXY !== '1') return {};
  // The type of the option is younger than ours.
  const options: AgentOptions & { readonly proxyEnv: NodeJS.ProcessEnv } = {
    keepAlive: true,
    maxSockets,
    proxyEnv: environment,
  };
  return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
}
