import { basename, join } from 'node:path';
import { partitionOf } from '@file-processing/contract/partition.ts';
import type { NodeGroupPlan } from '../../settings/check-nodes.ts';
import { architectureOfImage } from '../../settings/file-processing/nodes.ts';
import { EXIT, OperationError } from '../operation-error.ts';

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

/** Platforms that Amazon EKS has nodes for, x86 and Graviton. */
export const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;

/**
 * Reads a comma-separated list of platforms.
 *
 * @throws OperationError (EXIT.usage) with every one that is unknown
 */
export function parsePlatforms(text: string): readonly string[] {
  const platforms = [...new Set(text.split(',').map((platform) => platform.trim()))];
  const unknown = platforms.filter((platform) => !PLATFORMS.some((known) => known === platform));
  if (unknown.length === 0) return platforms;
  throw new OperationError(
    `--platform: '${unknown.join("', '")}' is not supported; ${PLATFORMS.join(', ')} or both are`,
    { code: EXIT.usage },
  );
}

/**
 * Sees that an image runs on every node that the pods may come to.
 *
 * @param nodeGroups - those of the settings
 * @throws OperationError (EXIT.usage) with every platform that is missing
 */
export function requirePlatformsOf(
  nodeGroups: readonly NodeGroupPlan[],
  platforms: readonly string[],
): void {
  const open = nodeGroups.filter(({ taints }) =>
    taints.every((taint) => taint.endsWith(':PreferNoSchedule')),
  );
  const needed = new Set(open.map(({ amiType }) => `linux/${architectureOfImage(amiType)}`));
  const missing = [...needed].filter((platform) => !platforms.includes(platform));
  if (missing.length === 0) return;
  throw new OperationError(
    `--platform: ${platforms.join(', ')} lacks ${missing.join(', ')}, which nodes are (ami_type)`,
    { code: EXIT.usage },
  );
}

/**
 * Reads one `--build-arg NAME=value` and adds it to those before.
 *
 * @throws OperationError (EXIT.usage) when it is not an assignment, or looks like a secret
 */
export function addBuildArgument(
  assignment: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(assignment) ?? [];
  // Not what was given: it may hold a secret.
  if (name === undefined || value === undefined) {
    throw new OperationError('--build-arg must be NAME=value', { code: EXIT.usage });
  }
  if (/password|secret|token/i.test(name)) {
    throw new OperationError(`--build-arg ${name} would put a secret into the image's history`, {
      next: 'the listener takes its secrets from its environment, when it runs',
      code: EXIT.usage,
    });
  }
  return { ...before, [name]: value };
}

const TRUST_STORES = {
  aws: 'https://truststore.pki.rds.amazonaws.com',
  'aws-us-gov': 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com',
  'aws-cn': 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn',
} as const;

/**
 * Where AWS publishes the authorities of a region's databases (Amazon RDS User Guide, "Using SSL/TLS
 * to encrypt a connection to a DB instance or cluster").
 */
export function rdsCaBundleUrl(region: string): string {
  return `${TRUST_STORES[partitionOf(region).name]}/${region}/${region}-bundle.pem`;
}

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
