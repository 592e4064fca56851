import { request } from 'node:http';

/** An answer as it came. */
export interface BrowserAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  /** Where it came from, redirects followed. */
  readonly address: string;
}

/** What {@link consoleBrowser} sends beside an address. */
export interface BrowserRequest {
  readonly method?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** @default true */
  readonly follow?: boolean;
}

/**
 * As much of a browser as signing in takes: cookies of each host, and redirects. What is sent to the public origin reaches a
 * console on this machine, as through a proxy that ends TLS.
 *
 * @param portOf the console's port
 */
export function consoleBrowser(origin: string, portOf: () => number) {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (host: string) => {
    const jar = jars.get(host) ?? new Map<string, string>();
    jars.set(host, jar);
    return jar;
  };

  async function go(address: string, options: BrowserRequest = {}): Promise<BrowserAnswer> {
    const url = new URL(address, origin);
    const answer = await send(url, options);
    const { location } = answer.headers;
    if (options.follow === false || typeof location !== 'string') return answer;
    return go(new URL(location, url).href);
  }

  function send(url: URL, { method = 'GET', form, headers = {} }: BrowserRequest) {
    const isConsole = url.origin === origin;
    const jar = jarOf(url.host);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const body = form && `${new URLSearchParams(form)}`;
    return new Promise<BrowserAnswer>((resolve, reject) => {
      request(
        {
          ...{ host: '127.0.0.1', port: isConsole ? portOf() : url.port },
          path: `${url.pathname}${url.search}`,
          method: body === undefined ? method : 'POST',
          headers: {
            Host: url.host,
            Accept: 'text/html',
            ...(cookie ? { Cookie: cookie } : {}),
            ...(body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
            ...headers,
          },
        },
        async (answer) => {
          for (const line of answer.headers['set-cookie'] ?? []) {
            const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
            if (value === '') jar.delete(name);
            else jar.set(name, value);
          }
          const text = (await answer.setEncoding('utf8').toArray()).join('');
          resolve({
            ...{ status: answer.statusCode ?? 0, body: text, headers: answer.headers },
            address: url.href,
          });
        },
      )
        .on('error', reject)
        .end(body);
    });
  }

  return { go, cookies: jarOf(new URL(origin).host) };
}
