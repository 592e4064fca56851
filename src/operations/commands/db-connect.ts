import { InvalidArgumentError } from 'commander';
import { type DatabaseTarget, databaseTarget, requireDatabase } from '../database/database.ts';
import type { Operation } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';

interface Options {
  readonly user?: string;
  readonly localPort?: number;
  readonly caFile?: string;
  readonly exec: boolean;
}

/** Where a client connects, and how it knows that it got there. */
interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** `manage db-connect`: how to sign in to the database on demand by psql, or psql itself. */
export const dbConnect: Operation<Options> = {
  name: 'db-connect',
  summary: 'show how to sign in to the database on demand with psql and IAM, or do it (--exec)',
  describe: (command) =>
    command
      .option('--user <name>', 'user of the database (default: that of the listener)')
      .option('--local-port <port>', 'port of a local relay, as shown in the output', portNumber)
      .option('--ca-file <file>', 'PEM file with the RDS certificate authorities (with --exec)')
      .option('--exec', 'run psql, with a token that is valid for 15 minutes', false)
      .addHelpText(
        'after',
        `
The database is in private subnets: a machine outside of them goes through a pod of the listener,
as the output shows; then --exec --local-port 15432 is psql through it.
Whoever is signed in to AWS needs rds-db:connect on that user. TLS goes all the way to the database.`,
      ),
  execute: async (context, options) => {
    const target = await databaseTarget(context, options);
    const user = options.user ?? target.environment.fileProcessing.db_user;
    if (user === '') {
      throw new OperationError('file-processing has no user in this database', {
        next: 'set database = "on_demand" in file_processing.tfvars, or name one by --user',
        code: EXIT.usage,
      });
    }
    if (options.exec && options.caFile === undefined) {
      throw new OperationError(
        '--exec needs --ca-file: without it psql cannot tell the database from another',
        {
          next: 'download the bundle of your region (Amazon RDS User Guide, "Certificate bundles by AWS Region")',
          code: EXIT.usage,
        },
      );
    }
    const { host, port } = await requireDatabase(target);
    const connection = { host, port, user, database: target.settings.db_name };
    if (!options.exec) {
      context.stdout.write(
        options.json
          ? `${JSON.stringify(connection)}\n`
          : instructions(target, connection, options.localPort ?? 15_432),
      );
      return EXIT.ok;
    }
    const { code } = await context.run('psql', [conninfo(connection, options)], {
      env: { PGPASSWORD: await tokenFor(target, connection) },
      output: 'inherit',
    });
    return code;
  },
};

/** Of whoever is signed in; it is made on this machine, RDS is not asked. */
async function tokenFor(
  { clients, region }: DatabaseTarget,
  { host, port, user }: Connection,
): Promise<string> {
  const { Signer } = await import('@aws-sdk/rds-signer');
  const { config } = await clients.rds();
  const signer = new Signer({
    hostname: host,
    port,
    username: user,
    region,
    credentials: config.credentials,
  });
  return await signer.getAuthToken();
}

/** libpq checks the certificate against `host`, and connects to `hostaddr` where there is one. */
function conninfo({ host, port, user, database }: Connection, options: Options): string {
  const { localPort, caFile } = options;
  const parts = {
    host,
    ...(localPort === undefined ? { port } : { hostaddr: '127.0.0.1', port: localPort }),
    user,
    dbname: database,
    sslmode: 'verify-full',
    ...(caFile !== undefined && { sslrootcert: caFile }),
  };
  return Object.entries(parts)
    .map(([name, value]) => `${name}='${String(value).replaceAll(/['\\]/g, '\\$&')}'`)
    .join(' ');
}

function instructions(
  { environment, region, profile }: DatabaseTarget,
  connection: Connection,
  localPort: number,
): string {
  const { host, port, user } = connection;
  const { namespace } = environment.fileProcessing;
  const inNamespace = `kubectl --namespace ${namespace}`;
  const signIn = profile === '' ? '' : ` --profile ${profile}`;
  return `# 1. A relay in a pod of the listener, which may reach the database; it ends with this command:
POD=$(${inNamespace} get pods --selector app=file-processing-sns --field-selector status.phase=Running --output name | head -n 1)
${inNamespace} exec "$POD" -- node -e '${relay(connection, localPort)}' &
${inNamespace} port-forward "$POD" ${localPort} &

# 2. psql through it; the token is good for 15 minutes to sign in:
PGPASSWORD="$(aws rds generate-db-auth-token --hostname ${host} --port ${port} --username ${user} --region ${region}${signIn})" \\
  psql "${conninfo(connection, { exec: false, localPort, caFile: 'global-bundle.pem' })}"

# global-bundle.pem: the bundle of your region (Amazon RDS User Guide, "Certificate bundles by AWS Region").
# Where this machine reaches the private subnets: step 2 alone, without hostaddr and with port='${port}'.
`;
}

/** Node.js is in every pod of the listener; nothing but the pod itself reaches its loopback. */
function relay({ host, port }: Connection, localPort: number): string {
  return [
    'const { connect, createServer } = require("net");',
    `createServer((client) => { const server = connect(${port}, "${host}");`,
    'client.on("error", () => server.destroy()).pipe(server);',
    'server.on("error", () => client.destroy()).pipe(client); })',
    `.listen(${localPort}, "127.0.0.1")`,
  ].join(' ');
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('A port from 1 to 65535 is needed.');
}
