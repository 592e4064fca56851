import { type OperationContext, waitFor } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { type Candidate, type Edge, findEdge, isLoopback } from './edge.ts';

const COMPOSE = ['compose', '-f', 'docker-compose.yml'] as const;

/**
 * Starts LocalStack by the compose file, with the program that CONTAINER_TOOL names.
 *
 * @throws OperationError (unavailable) when that is missing or fails
 */
export async function startContainer(context: OperationContext): Promise<void> {
  const tool = containerTool(context);
  const parameters = [...COMPOSE, 'up', '-d', 'localstack'];
  const next = `start ${tool}, which needs its compose command, choose docker or podman by CONTAINER_TOOL, or run LocalStack without a container: test-support/localstack/README.md`;
  context.stderr.write(`starting LocalStack: ${tool} ${parameters.join(' ')}\n`);
  const result = await context
    .run(tool, parameters, { cwd: context.root })
    .catch((cause: unknown) => {
      if (!(cause instanceof OperationError)) throw cause;
      throw new OperationError(`no LocalStack answers, and ${cause.message}`, {
        code: EXIT.unavailable,
        next,
        cause,
      });
    });
  if (result.code === 0) return;
  throw new OperationError(
    `no LocalStack answers, and ${tool} ${parameters.join(' ')} failed:\n${result.stderr.trim()}`,
    { code: EXIT.unavailable, next },
  );
}

/** Whether an address answers from inside LocalStack's container; undefined where there is none. */
export async function answersInContainer(
  context: OperationContext,
  url: string,
): Promise<boolean | undefined> {
  const exec = [...COMPOSE, 'exec', '-T', 'localstack'];
  const run = (parameters: readonly string[]) =>
    context.run(containerTool(context), [...exec, ...parameters], { cwd: context.root });
  try {
    if ((await run(['true'])).code !== 0) return undefined;
    return (await run(['curl', '-sS', '-I', '--max-time', '5', url])).code === 0;
  } catch (error) {
    // There is no such program, so there is no container of ours.
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}

function containerTool({ env }: OperationContext): string {
  return env.CONTAINER_TOOL || 'docker';
}

/** Seconds until LocalStack answers once its container runs. */
const START_SECONDS = 120;

/**
 * The LocalStack that answers; where none does and this machine is meant, it is started.
 *
 * @returns undefined in a dry run that would have to start it
 * @throws OperationError (unavailable) where it can't be started, or is to be elsewhere
 */
export async function runningEdge(
  context: OperationContext,
  places: readonly Candidate[],
  dryRun: boolean,
): Promise<Edge | undefined> {
  const running = await findEdge(places);
  if (running !== undefined) return running;
  const urls = places.map(({ url }) => url).join(' or ');
  if (!places.every(({ url }) => isLoopback(new URL(url).hostname))) {
    throw new OperationError(`no LocalStack answers at ${urls}`, {
      code: EXIT.unavailable,
      next: 'start it there: the compose file starts it only where this machine is meant',
    });
  }
  if (dryRun) return undefined;
  await startContainer(context);
  const started = await waitFor(context.clock, START_SECONDS, () => findEdge(places));
  if (started !== undefined) return started;
  throw new OperationError(
    `LocalStack was started, but does not answer at ${urls} after ${START_SECONDS} s`,
    { code: EXIT.unavailable, next: 'docker compose logs --tail 200 localstack' },
  );
}
