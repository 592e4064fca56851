import { EXIT } from '../exit-codes.ts';
import type { OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';

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
