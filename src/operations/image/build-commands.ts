import { basename, join } from 'node:path';
import type { ContainerTool } from './container-tool.ts';

/** What is built, and where it goes. */
export interface ImageBuild {
  /** Repository and tag. */
  readonly image: string;
  /** Such as `linux/amd64`. */
  readonly platforms: readonly string[];
  /** Values of the Dockerfile's ARGs, by name. No secrets: they show in the process list. */
  readonly arguments: Readonly<Record<string, string>>;
  /** Folder of this build alone, which the tool writes into. */
  readonly folder: string;
}

const DOCKERFILE = 'listener/Dockerfile';

/** The file in the build's folder that holds the digest in the end. */
export const digestFile = (folder: string) => join(folder, 'digest');

/**
 * Parameters of each run of the tool, in order, in the root of the repository.
 *
 * @param read - reads a file that a run before has written
 */
export function* buildCommands(
  tool: ContainerTool,
  build: ImageBuild,
  read: (file: string) => string,
): Generator<readonly string[], void> {
  const { image, platforms, folder } = build;
  const buildArguments = Object.entries(build.arguments).flatMap(([name, value]) => [
    ...['--build-arg', `${name}=${value}`],
  ]);
  const source = ['--file', DOCKERFILE, ...buildArguments];
  const platform = ['--platform', platforms.join(',')];
  const digest = digestFile(folder);
  if (tool === 'docker') {
    const push = ['--tag', image, '--metadata-file', digest, '--push'];
    yield ['buildx', 'build', ...source, ...platform, ...push, '.'];
    return;
  }
  // The OCI format has no HEALTHCHECK.
  const podmanBuild = ['build', '--format', 'docker', ...source];
  // Podman 4.3 knows no $BUILDPLATFORM: it would run the first stage once on each platform, emulated.
  // So that stage is built by itself, and is named by its ID, which fits whatever platform. Without a
  // platform of its own, podman would take the base that it fetched last, of another one too.
  const stage = join(folder, 'stage');
  const local = ['--platform', 'local'];
  yield [...podmanBuild, ...local, '--target', 'build', '--iidfile', stage, '.'];
  const context = `build=container-image://${read(stage)
    .trim()
    .replace(/^sha256:/, '')}`;
  // A list of its own each time: podman adds to one that is there.
  const list = `localhost/file-processing:${basename(folder)}`;
  yield [...podmanBuild, ...platform, '--build-context', context, '--manifest', list, '.'];
  yield ['manifest', 'push', '--all', '--rm', '--digestfile', digest, list, `docker://${image}`];
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
