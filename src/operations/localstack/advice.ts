import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { environmentRulesFolder } from '../../settings/rules-folder.ts';
import { isLoopback } from './edge.ts';
import { LOCALSTACK_CREDENTIALS, LOCALSTACK_REGION } from './localstack-target.ts';

/** What a listener needs to trust LocalStack. */
export interface ListenerNeeds {
  readonly topicArn: string;
  /** LocalStack by http: it names its certificates so. */
  readonly endpoint: string;
  readonly port: number;
  /** The rule set that it applies, below the repository's folder. */
  readonly rulesFolder: string;
}

/** Host by which a container reaches the machine that it runs on. */
export const CONTAINER_HOST = 'host.docker.internal';

/** The command that starts the listener, ready to copy. The database is that of docker-compose.yml. */
export function listenerCommand(needs: ListenerNeeds): string {
  const { topicArn, endpoint, port, rulesFolder } = needs;
  const environment = {
    PORT: String(port),
    SNS_TOPIC_ARNS: topicArn,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_SNS: endpoint,
    AWS_REGION: LOCALSTACK_REGION,
    AWS_ACCESS_KEY_ID: LOCALSTACK_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCALSTACK_CREDENTIALS.secretAccessKey,
    DATABASE_URL: 'postgresql://postgres:postgres@localhost:5432/postgres',
    RULES_LOCATION: `"$PWD/${rulesFolder}"`,
  };
  return [
    ...Object.entries(environment).map(([name, value]) => `${name}=${value} \\`),
    'npx file-processing serve --migrate',
  ].join('\n');
}

/** The rule set of an environment where it has its own, else the one of the repository: as `npm start` takes it. */
export function rulesFolderOf(root: string, environment: string): string {
  const own = environmentRulesFolder(environment);
  return existsSync(join(root, own)) ? own : 'listener/seed';
}

/** What to do when a container can't reach a port of the machine that it runs on. */
export function reachAdvice(platform: NodeJS.Platform, host: string, port: number): string {
  if (isLoopback(host)) {
    return `In a container ${host} is the container itself: give ${CONTAINER_HOST} in its place.`;
  }
  if (platform === 'linux') {
    return [
      `${CONTAINER_HOST} has to be mapped to the host on Linux: docker-compose.yml does so (extra_hosts:`,
      `"${CONTAINER_HOST}:host-gateway"); for a LocalStack that was started otherwise, add`,
      `--add-host ${CONTAINER_HOST}:host-gateway to its docker run, or give the address of docker0`,
      `(ip -4 addr show docker0) in place of ${host}. A firewall may have to allow port ${port}.`,
    ].join('\n');
  }
  return `Is Docker Desktop running, and does ${host} resolve in a container? ${CONTAINER_HOST} is the name of this machine there.`;
}

/** A listener that was asked to confirm and did not. */
export interface Unconfirmed {
  readonly host: string;
  readonly port: number;
  readonly endpoint: string;
  /** The system that the command runs on. */
  readonly platform: NodeJS.Platform;
  /** How the listener has to be started. */
  readonly command: string;
  /** Whether LocalStack reaches it; undefined where there is no container to ask. */
  readonly isReached: boolean | undefined;
}

/** What to do when no confirmation came from a listener that is up. */
export function unconfirmedAdvice(unconfirmed: Unconfirmed): string {
  const { host, port, endpoint, platform, command, isReached } = unconfirmed;
  const refused = `the listener refused the message, and its log says why. It has to run with\n\n${command}\n\nand AWS_ENDPOINT_URL_SNS has to be the address by which LocalStack calls itself (LOCALSTACK_HOST). Whether another program has the port: lsof -nP -iTCP:${port} -sTCP:LISTEN.`;
  if (isReached === true) return `LocalStack reaches ${endpoint}, so ${refused}`;
  const reach = reachAdvice(platform, host, port);
  if (isReached === false) return `LocalStack does not reach ${endpoint}. ${reach}`;
  return `either ${refused}\n\nOr LocalStack does not reach ${endpoint}. ${reach}`;
}
