import { type Command as Commander, Option } from 'commander';
import { nodeGroupsOf } from '../../settings/check-nodes.ts';
import type { CommonOptions, OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';
import { awsTargetOf, type Target } from '../target.ts';
import { applyTargets } from '../terraform/apply-stack.ts';
import { buildAndPush, requireTool } from './build-and-push.ts';
import {
  addBuildArgument,
  buildCommands,
  type ContainerTool,
  containerTool,
  PLATFORMS,
  parsePlatforms,
  rdsCaBundleUrl,
  requirePlatformsOf,
} from './build-commands.ts';
import { digestOfTag, repositoryUri, signIn } from './ecr.ts';
import { type GitRevision, gitRevision, revisionTag } from './git-revision.ts';
import {
  type EcrRepository,
  ecrRepository,
  type ImageRepository,
  imageRepository,
  REPOSITORY_ADDRESSES,
  requireTag,
} from './image-reference.ts';
import { containerImageFile, writeContainerImage } from './image-to-deploy.ts';

/** How an image is built and pushed. */
export interface PutImageOptions extends CommonOptions {
  /** Platforms, separated by commas. @default linux/amd64,linux/arm64 */
  readonly platform: string;
  /** Registry and name. @default the stack's own repository, else that of the image that is set */
  readonly repository?: string;
  /** @default the commit */
  readonly tag?: string;
  /** Build what differs from the commit, and mark the tag. @default false */
  readonly allowDirty: boolean;
  /** More ARGs of the Dockerfile. */
  readonly buildArg: Readonly<Record<string, string>>;
  /** Make the repository without asking. @default false */
  readonly autoApprove: boolean;
  /** Say what would be done. @default false */
  readonly dryRun: boolean;
}

/** What was done, or with `dryRun` would be done. */
export interface PutImageReport {
  /** With its digest; of a dry run with its tag, unless the image is there already. */
  readonly image: string;
  readonly tag: string;
  readonly commit: string;
  /** Where the image was written to, relative to the checkout. */
  readonly file: string;
  /** False when the registry held the tag already. */
  readonly pushed: boolean;
  /** False when the file named the image already. */
  readonly written: boolean;
}

/**
 * Builds the listener's image, pushes it and writes it, with its digest, beside the tfvars. A tag
 * that the repository holds already is not built again: it can't be given twice.
 *
 * @throws OperationError, SettingsError; the file is as it was then
 */
export async function putImage(
  context: OperationContext,
  options: PutImageOptions,
  target: Target,
): Promise<PutImageReport> {
  const { name: environment, fileProcessing: settings } = target.environment;
  const tool = containerTool(context.env.CONTAINER_TOOL);
  const platforms = parsePlatforms(options.platform);
  requirePlatformsOf(nodeGroupsOf(settings), platforms);
  const chosen = imageRepository(options.repository, settings);
  const revision = await gitRevision(context);
  const automaticTag = revisionTag(revision, context.clock.now(), options.allowDirty);
  const tag = options.tag === undefined ? automaticTag : requireTag(options.tag);
  const report = { tag, commit: revision.commit, file: containerImageFile(environment) };

  const known = await uriOf(target, chosen);
  const ecr = known === undefined ? undefined : ecrOf(context, target, known);
  const digest = ecr && (await digestOfTag(await ecr.clients.ecr(), ecr.repository, tag));
  if (known !== undefined && digest !== undefined) {
    context.stderr.write(`${known}:${tag} is there already and is not built again.\n`);
    return await finish(context, options, {
      ...report,
      image: `${known}@${digest}`,
      pushed: false,
    });
  }

  await requireTool(context, tool);
  const buildArguments = {
    ...labelsOf(revision, context.clock.now()),
    RDS_CA_BUNDLE_URL: rdsCaBundleUrl(target.region),
    ...options.buildArg,
  };
  const build = { platforms, arguments: buildArguments };
  if (options.dryRun) {
    const image = `${known ?? `the new repository ${settings.repository_name}`}:${tag}`;
    describeBuild(context, tool, { ...build, image });
    return { ...report, image, pushed: false, written: false };
  }
  const uri = known ?? (await makeRepository(context, options, target));
  const registry = ecr ?? ecrOf(context, target, uri);
  if (registry !== undefined) {
    const { host } = registry.repository;
    context.stderr.write(`Signing ${tool} in to ${host}\n`);
    await signIn(context, tool, await registry.clients.ecr(), host);
  }
  context.stderr.write(`Building ${uri}:${tag} for ${platforms.join(' and ')}\n`);
  const pushed = await buildAndPush(context, tool, { ...build, image: `${uri}:${tag}` });
  return await finish(context, options, { ...report, image: `${uri}@${pushed}`, pushed: true });
}

async function uriOf(target: Target, chosen: ImageRepository): Promise<string | undefined> {
  return chosen.own ? await repositoryUri(await target.clients.ecr(), chosen.name) : chosen.uri;
}

/** Applies the stack's own resource, so that Terraform never finds a repository that it does not know. */
async function makeRepository(
  context: OperationContext,
  options: PutImageOptions,
  target: Target,
): Promise<string> {
  const { repository_name } = target.environment.fileProcessing;
  context.stderr.write(`There is no repository ${repository_name} yet.\n`);
  await applyTargets(context, options, REPOSITORY_ADDRESSES);
  const uri = await repositoryUri(await target.clients.ecr(), repository_name);
  if (uri !== undefined) return uri;
  throw new OperationError(`the stack was applied, and there is no repository ${repository_name}`, {
    next: 'npm run manage -- plan',
  });
}

/** Clients of the region that a repository of ECR is in; undefined for another registry. */
function ecrOf(
  context: OperationContext,
  { environment, region, profile, clients }: Target,
  uri: string,
): { readonly repository: EcrRepository; readonly clients: Target['clients'] } | undefined {
  const repository = ecrRepository(uri);
  if (repository === undefined) return undefined;
  const there = repository.region === region;
  return {
    repository,
    clients: there ? clients : context.aws(awsTargetOf(environment, repository.region, profile)),
  };
}

function labelsOf({ commit, changedFiles, source = '' }: GitRevision, now: Date) {
  return {
    REVISION: changedFiles.length === 0 ? commit : `${commit}-dirty`,
    CREATED: now.toISOString(),
    SOURCE: source,
  };
}

async function finish(
  context: OperationContext,
  { dryRun, environment }: PutImageOptions,
  report: Omit<PutImageReport, 'written'>,
): Promise<PutImageReport> {
  if (dryRun) return { ...report, written: false };
  const written = await writeContainerImage(context.root, environment, report.image);
  return { ...report, written };
}

function describeBuild(
  { stderr }: OperationContext,
  tool: ContainerTool,
  build: Parameters<typeof buildAndPush>[2],
): void {
  const commands = buildCommands(tool, { ...build, folder: 'FOLDER' }, (file) => `$(cat ${file})`);
  for (const parameters of commands) stderr.write(`would run: ${tool} ${parameters.join(' ')}\n`);
}

/** Adds the options of {@link PutImageOptions} that every command which builds has. */
export function withBuildOptions(command: Commander): Commander {
  return command
    .option('--platform <list>', 'platforms, separated by commas', PLATFORMS.join(','))
    .option('--repository <uri>', "registry and name (default: the stack's own repository)")
    .option('--tag <tag>', 'tag (default: the commit)')
    .option('--allow-dirty', 'build what is not committed, and mark the tag', false)
    .addOption(
      new Option(
        '--build-arg <name=value>',
        'ARG of listener/Dockerfile, such as NODE_IMAGE (repeatable; no secrets)',
      )
        .default({}, 'none')
        .argParser(addBuildArgument),
    );
}
