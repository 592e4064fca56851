import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { LISTENER_VARIABLES } from '@file-processing/contract/listener-variables.ts';
import type { VariableReader } from './read-variables.ts';

/** How a connection to PostgreSQL is protected; the words are libpq's. */
export type SslMode = 'disable' | 'require' | 'verify-full';

/** Where the database is and how long anything with it may take. */
export interface DatabaseConfig {
  /** Host name or address; a folder means a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Schema of our tables. */
  readonly schema: string;
  readonly user: string;
  /** Role that the listener signs in as, where `user` is the one that migrates. */
  readonly listenerUser: string | undefined;
  readonly password: Secret | undefined;
  /** Region to sign tokens for, where IAM takes the place of the password. */
  readonly iamRegion: string | undefined;
  readonly sslMode: SslMode;
  /** Authorities for `verify-full`, in PEM; without it those that Node.js trusts. */
  readonly sslAuthorities: string | undefined;
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

interface Address {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Of the address's `sslmode`; `DB_SSL` takes precedence. */
  readonly sslMode?: SslMode;
}

/**
 * The database's settings, or undefined when faults were recorded. `DATABASE_URL` takes
 * precedence over the single variables, which are the fallback.
 */
export function readDatabaseConfig(reader: VariableReader): DatabaseConfig | undefined {
  const faultsBefore = reader.faults.length;
  const address = reader.isSet('DATABASE_URL') ? addressOfUrl(reader) : addressOfParts(reader);
  const explicitSslMode = reader.optional('DB_SSL') ?? address?.sslMode;
  const sslAuthorities = readAuthorities(reader);
  const iamRegion = readIamRegion(reader, address);
  const listenerUser = readListenerUser(reader, address);
  const schema = reader.optional('DB_SCHEMA');
  const poolSize = reader.optional('DB_POOL_SIZE');
  const connectSeconds = reader.optional('DB_CONNECT_TIMEOUT_SECONDS');
  const statementSeconds = reader.optional('DB_STATEMENT_TIMEOUT_SECONDS');

  const { host, port, database, user } = address ?? {};
  if (reader.faults.length > faultsBefore || !host || !port || !database || !user) return undefined;
  if (!schema || !poolSize || !connectSeconds || !statementSeconds) return undefined;
  return Object.freeze({
    host,
    port,
    database,
    schema,
    user,
    listenerUser,
    password: address?.password === undefined ? undefined : new Secret(address.password),
    iamRegion,
    sslMode: explicitSslMode ?? defaultSslMode(host),
    sslAuthorities,
    poolSize,
    connectTimeoutMs: connectSeconds * 1000,
    statementTimeoutMs: statementSeconds * 1000,
  });
}

/**
 * Encrypted and checked, except where the packets never leave this machine: there a server
 * rarely has a certificate, and nobody can listen in.
 */
export function defaultSslMode(host: string): SslMode {
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host) || host.startsWith('/');
  return loopback ? 'disable' : 'verify-full';
}

/** IAM takes the place of a password; a token must not travel in the clear. */
function readIamRegion(reader: VariableReader, address: Address | undefined): string | undefined {
  if (reader.optional('DB_IAM_AUTH') !== 'true') return undefined;
  const fault = (problem: string, allowed: string) =>
    reader.fault({ variable: 'DB_IAM_AUTH', value: 'true', problem, allowed });
  if (address?.password !== undefined)
    fault('a password is set as well', 'a password or DB_IAM_AUTH, not both');
  if ((reader.optional('DB_SSL') ?? address?.sslMode) === 'disable') {
    fault('TLS is switched off', 'DB_SSL=verify-full or require');
  }
  const region = reader.optional('AWS_REGION');
  if (region === undefined)
    fault('AWS_REGION is not set', 'AWS_REGION with the region of the database');
  return region;
}

/** Rights of the tables' owner on its own tables would be no rights at all. */
function readListenerUser(
  reader: VariableReader,
  address: Address | undefined,
): string | undefined {
  const name = reader.optional('DB_LISTENER_USER');
  if (name !== undefined && name === address?.user) {
    reader.fault({
      variable: 'DB_LISTENER_USER',
      value: name,
      problem: 'DB_USER is the same role',
      allowed: LISTENER_VARIABLES.DB_LISTENER_USER.kind.allowed,
    });
  }
  return name;
}

/** The settings of `bootstrap-database`. */
export type BootstrapConfig = DatabaseConfig & {
  readonly listenerUser: string;
  readonly masterSecretArn: string;
  readonly region: string;
};

/**
 * The database's settings for the one command that makes it, or undefined when faults were
 * recorded. The connection is the master user's, whatever says how `DB_USER` signs in.
 */
export function readBootstrapConfig(reader: VariableReader): BootstrapConfig | undefined {
  const database = readDatabaseConfig(reader);
  const listenerUser = reader.required('DB_LISTENER_USER');
  const masterSecretArn = reader.required('DB_MASTER_SECRET_ARN');
  const region = masterSecretArn?.split(':')[3];
  if (!database || !listenerUser || !masterSecretArn || !region) return undefined;
  return Object.freeze({ ...database, listenerUser, masterSecretArn, region });
}

function addressOfParts(reader: VariableReader): Address | undefined {
  if (!['DB_HOST', 'DB_NAME', 'DB_USER'].some((name) => reader.isSet(name as 'DB_HOST'))) {
    reader.fault({
      variable: 'DATABASE_URL',
      problem: 'no database is named',
      allowed: 'DATABASE_URL or DATABASE_URL_FILE, or DB_HOST with DB_NAME and DB_USER',
    });
    return undefined;
  }
  return {
    host: reader.required('DB_HOST'),
    port: reader.optional('DB_PORT'),
    database: reader.required('DB_NAME'),
    user: reader.required('DB_USER'),
    password: reader.optional('DB_PASSWORD'),
  };
}

/** What ends the host of an address, where a password of `user:password@` holds it as it is. */
const RAW_IN_PASSWORD = /^[a-z]+:\/\/[^:@/?#]*:[^@/?#]*([/?#]).*@/is;

function addressOfUrl(reader: VariableReader): Address | undefined {
  const text = reader.optional('DATABASE_URL');
  if (text === undefined) return undefined;
  const allowed = LISTENER_VARIABLES.DATABASE_URL.kind.allowed;
  const fault = (problem: string) => {
    reader.fault({ variable: 'DATABASE_URL', problem, allowed });
    return undefined;
  };

  const url = URL.parse(text);
  const [, raw] = RAW_IN_PASSWORD.exec(text) ?? [];
  if (raw !== undefined && !url?.username) {
    return fault(
      `holds a raw '${raw}' before the '@'; in a password it is '${encodeURIComponent(raw)}'`,
    );
  }
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    return fault('is not a PostgreSQL address');
  }
  if (url.hash !== '') return fault("holds a raw '#'; it is '%23'");
  const parts = decodeAll([url.hostname, url.pathname.slice(1), url.username, url.password]);
  if (parts === undefined)
    return fault("holds a percent sign that is not an escape ('%' is '%25')");
  const [host, database, user, password] = parts;
  if (!host) return fault('has no host');
  if (!database) return fault('has no database');
  if (!user) return fault('has no user');

  const unknown = [...url.searchParams.keys()].find((name) => name !== 'sslmode');
  if (unknown !== undefined) return fault(`has the unknown parameter '${unknown}'`);
  const sslModeText = url.searchParams.get('sslmode');
  const sslMode =
    sslModeText === null ? undefined : LISTENER_VARIABLES.DB_SSL.kind.read(sslModeText);
  if (sslModeText !== null && sslMode === undefined) {
    return fault(
      `holds sslmode '${sslModeText}'; known are ${LISTENER_VARIABLES.DB_SSL.kind.allowed}`,
    );
  }
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 5432 : Number(url.port),
    database,
    user,
    password: password === '' ? undefined : password,
    ...(sslMode === undefined ? {} : { sslMode }),
  };
}

function decodeAll(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch {
    return undefined;
  }
}

function readAuthorities(reader: VariableReader): string | undefined {
  const path = reader.optional('DB_SSL_CA_FILE');
  if (path === undefined) return undefined;
  const fault = (problem: string) =>
    reader.fault({
      variable: 'DB_SSL_CA_FILE',
      value: path,
      problem,
      allowed: 'a file of PEM certificates that this process may read',
    });
  try {
    const pem = readFileSync(path, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
    fault('the file holds no certificate');
  } catch {
    fault("the file can't be read");
  }
  return undefined;
}

/**
 * A value that no log line, error or JSON shows by accident: only {@link Secret.reveal} gives it
 * out, so every use can be found by searching for that word.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that hands it to a driver. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
