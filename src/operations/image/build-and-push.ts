import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removedAtExit } from '../files.ts';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import {
  buildCommands,
  type ContainerTool,
  digestFile,
  digestIn,
  type ImageBuild,
} from './build-commands.ts';

/**
 * Sees that the tool is there, before anything is changed.
 *
 * @throws OperationError (EXIT.unavailable)
 */
export async function requireTool({ run }: OperationContext, tool: ContainerTool): Promise<void> {
  const { code, stderr } = await run(
    tool,
    tool === 'docker' ? ['buildx', 'version'] : ['--version'],
  );
  if (code === 0) return;
  throw new OperationError(`${tool} does not work: ${stderr.trim()}`, {
    next:
      tool === 'docker'
        ? 'install the buildx plugin of docker, or use podman by CONTAINER_TOOL=podman'
        : 'install podman, or use docker by CONTAINER_TOOL=docker',
    code: EXIT.unavailable,
  });
}

/**
 * Builds the image for its platforms and pushes it, showing what the tool says.
 *
 * @returns its digest
 * @throws OperationError when a step fails
 */
export function buildAndPush(
  context: OperationContext,
  tool: ContainerTool,
  build: Omit<ImageBuild, 'folder'>,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'image-digest-'));
  return removedAtExit(folder, async () => {
    const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    for (const parameters of buildCommands(tool, { ...build, folder }, read)) {
      const { code } = await context.run(tool, parameters, {
        cwd: context.root,
        output: 'progress',
      });
      if (code !== 0) throw failureOf(tool, parameters, code);
    }
    const digest = digestIn(tool, read(digestFile(folder)));
    if (digest !== undefined) return digest;
    throw new OperationError(`${tool} pushed ${build.image} and named no digest`, {
      next: `use a newer ${tool}; the image is in the registry: update-image --image ${build.image}`,
    });
  });
}

function failureOf(
  tool: ContainerTool,
  parameters: readonly string[],
  code: number,
): OperationError {
  const command = parameters
    .slice(0, 2)
    .filter((one) => !one.startsWith('-'))
    .join(' ');
  return new OperationError(
    `${tool} ${command} ended with ${code}; container_image.txt is as it was`,
    {
      next:
        tool === 'docker'
          ? 'what failed is above. For several platforms docker needs a builder (docker buildx create --use), or build one: --platform linux/amd64'
          : 'what failed is above',
    },
  );
}
