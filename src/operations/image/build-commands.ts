import { basename, dirname } from 'node:path';
import type { ContainerTool } from './container-tool.ts';

/** What is built, and where it goes. */
export interface ImageBuild {
  /** Repository and tag. */
  readonly image: string;
  /** Such as `linux/amd64`. */
  readonly platforms: readonly string[];
  /** Values of the Dockerfile's ARGs, by name. No secrets: they show in the process list. */
  readonly arguments: Readonly<Record<string, string>>;
  /** File that the tool writes the digest into, alone in a folder of its own. */
  readonly digestFile: string;
}

const DOCKERFILE = 'listener/Dockerfile';

/** Parameters of each run of the tool, in order, in the root of the repository. */
export function buildCommands(
  tool: ContainerTool,
  build: ImageBuild,
): readonly (readonly string[])[] {
  const { image, platforms, digestFile } = build;
  const buildArguments = Object.entries(build.arguments).flatMap(([name, value]) => [
    ...['--build-arg', `${name}=${value}`],
  ]);
  const common = ['--file', DOCKERFILE, '--platform', platforms.join(','), ...buildArguments];
  if (tool === 'docker') {
    return [
      ['buildx', 'build', ...common, '--tag', image, '--metadata-file', digestFile, '--push', '.'],
    ];
  }
  // A list of its own each time: podman adds to one that is there.
  const list = `localhost/file-processing:${basename(dirname(digestFile))}`;
  return [
    // The OCI format has no HEALTHCHECK.
    ['build', '--format', 'docker', ...common, '--manifest', list, '.'],
    ['manifest', 'push', '--all', '--rm', '--digestfile', digestFile, list, `docker://${image}`],
  ];
}

/**
 * The digest of what was pushed: the index, where there are several platforms.
 *
 * @param text - what the tool wrote into the digest file
 * @returns undefined when there is none in it
 */
export function digestIn(tool: ContainerTool, text: string): string | undefined {
  const digest = tool === 'docker' ? digestOfMetadata(text) : text.trim();
  return digest !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined;
}

/** Docker, "docker buildx build", `--metadata-file`. */
function digestOfMetadata(text: string): string | undefined {
  try {
    const metadata = JSON.parse(text) as { readonly 'containerimage.digest'?: string };
    return metadata['containerimage.digest'];
  } catch {
    return undefined;
  }
}
