import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';

/** Programs that build and push images. */
export const CONTAINER_TOOLS = ['docker', 'podman'] as const;
export type ContainerTool = (typeof CONTAINER_TOOLS)[number];

/**
 * The program that builds and pushes.
 *
 * @param name - CONTAINER_TOOL @default docker
 * @throws OperationError (EXIT.usage) for any other
 */
export function containerTool(name: string | undefined): ContainerTool {
  const tool = CONTAINER_TOOLS.find((one) => one === (name || 'docker'));
  if (tool !== undefined) return tool;
  throw new OperationError(
    `CONTAINER_TOOL is '${name}'; ${CONTAINER_TOOLS.join(' or ')} is needed`,
    {
      code: EXIT.usage,
    },
  );
}
