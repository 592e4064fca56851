import type { ConsoleGrant, ConsoleToken } from '@file-processing/contract/console.ts';
import {
  LISTENER_VARIABLES,
  type VariableFault,
  type VariableName,
} from '@file-processing/contract/listener-variables.ts';
import { isLoopbackHost } from '@file-processing/contract/notices.ts';
import { Secret } from './database-config.ts';
import type { VariableReader } from './read-variables.ts';

/** A provider at which people sign in. */
export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Separated by blanks. */
  readonly scopes: string;
  /** Claims of the ID token. */
  readonly nameClaim: string;
  readonly groupsClaim: string;
}

/** A proxy that has people sign in, and says by headers who they are. */
export interface ProxyConfig {
  /** By which its headers are known to be its own. */
  readonly secret: Secret;
  readonly userHeader: string;
  readonly groupsHeader: string;
}

/** Who may open the console, where, and how they show who they are. */
export interface ConsoleConfig {
  /** Undefined: a free one. */
  readonly port: number | undefined;
  /** Address that it listens on. */
  readonly host: string;
  /** Whether only this machine reaches it. */
  readonly isLocal: boolean;
  /** What browsers open; undefined where only this machine does. */
  readonly origin: string | undefined;
  readonly idleSeconds: number;
  readonly sessionSeconds: number;
  readonly tokens: readonly ConsoleToken[];
  /** In their order: the first that fits counts. */
  readonly grants: readonly ConsoleGrant[];
  readonly oidc: OidcConfig | undefined;
  readonly proxy: ProxyConfig | undefined;
}

/** The settings of the console; where faults were recorded, they are of no use. */
export function readConsoleConfig(reader: VariableReader): ConsoleConfig {
  const host = reader.required('CONSOLE_HOST') ?? '';
  const oidc = readOidc(reader);
  const proxy = readProxy(reader);
  const grants = reader.optional('CONSOLE_GRANTS');
  if (oidc !== undefined && proxy !== undefined) {
    reader.fault({
      variable: 'CONSOLE_PROXY_SECRET',
      problem: 'CONSOLE_OIDC_ISSUER is set as well',
      allowed: 'a provider, or a proxy that has people sign in, not both',
    });
  }
  if (reader.isSet('CONSOLE_GRANTS') && oidc === undefined && proxy === undefined) {
    reader.fault({
      variable: 'CONSOLE_GRANTS',
      problem: 'nobody signs in',
      allowed: 'only with CONSOLE_OIDC_ISSUER or CONSOLE_PROXY_SECRET',
    });
  }
  const idleMinutes = reader.required('CONSOLE_IDLE_MINUTES') ?? 0;
  const sessionHours = reader.required('CONSOLE_SESSION_HOURS') ?? 0;
  return Object.freeze({
    port: reader.optional('CONSOLE_PORT'),
    host,
    isLocal: isLoopbackHost(host),
    origin: reader.optional('CONSOLE_ORIGIN'),
    idleSeconds: idleMinutes * 60,
    sessionSeconds: sessionHours * 3600,
    tokens: reader.optional('CONSOLE_TOKENS') ?? [],
    grants: grants ?? [],
    oidc,
    proxy,
  });
}

/** What people who sign in need whatever way they do. */
const OF_BOTH = ['CONSOLE_ORIGIN', 'CONSOLE_GRANTS'] as const;

const OF_OIDC = ['CONSOLE_OIDC_CLIENT_ID', 'CONSOLE_OIDC_CLIENT_SECRET'] as const;

function readOidc(reader: VariableReader): OidcConfig | undefined {
  const issuer = reader.optional('CONSOLE_OIDC_ISSUER');
  const scopes = reader.required('CONSOLE_OIDC_SCOPES') ?? '';
  const nameClaim = reader.required('CONSOLE_OIDC_NAME_CLAIM') ?? '';
  const groupsClaim = reader.required('CONSOLE_OIDC_GROUPS_CLAIM') ?? '';
  if (!reader.isSet('CONSOLE_OIDC_ISSUER')) {
    refuseAlone(reader, OF_OIDC, 'CONSOLE_OIDC_ISSUER');
    return undefined;
  }
  requireAll(reader, [...OF_BOTH, ...OF_OIDC], 'CONSOLE_OIDC_ISSUER');
  return Object.freeze({
    issuer: issuer ?? '',
    clientId: reader.optional('CONSOLE_OIDC_CLIENT_ID') ?? '',
    clientSecret: new Secret(reader.optional('CONSOLE_OIDC_CLIENT_SECRET') ?? ''),
    ...{ scopes, nameClaim, groupsClaim },
  });
}

function readProxy(reader: VariableReader): ProxyConfig | undefined {
  const userHeader = reader.required('CONSOLE_PROXY_USER_HEADER') ?? '';
  const groupsHeader = reader.required('CONSOLE_PROXY_GROUPS_HEADER') ?? '';
  if (!reader.isSet('CONSOLE_PROXY_SECRET')) return undefined;
  requireAll(reader, OF_BOTH, 'CONSOLE_PROXY_SECRET');
  return Object.freeze({
    secret: new Secret(reader.optional('CONSOLE_PROXY_SECRET') ?? ''),
    ...{ userHeader, groupsHeader },
  });
}

function requireAll(
  reader: VariableReader,
  names: readonly VariableName[],
  because: VariableName,
): void {
  const missing = names.filter((name) => !reader.isSet(name));
  for (const name of missing) {
    const fault: VariableFault = {
      variable: name,
      problem: `is required with ${because} and not set`,
      allowed: LISTENER_VARIABLES[name].kind.allowed,
    };
    // Both ways of signing in need it.
    if (!reader.faults.some((other) => other.variable === name)) reader.fault(fault);
  }
}

function refuseAlone(
  reader: VariableReader,
  names: readonly VariableName[],
  without: VariableName,
): void {
  for (const variable of names.filter((name) => reader.isSet(name))) {
    reader.fault({ variable, problem: `${without} is not set`, allowed: `only with ${without}` });
  }
}
