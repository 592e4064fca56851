import type { ECRClient, ImageDetail, ImageIdentifier } from '@aws-sdk/client-ecr';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import type { ContainerTool } from './build-commands.ts';
import type { EcrRepository } from './image-reference.ts';

/** Registry and name of a repository of the account; undefined when there is none of that name. */
export async function repositoryUri(ecr: ECRClient, name: string): Promise<string | undefined> {
  const { DescribeRepositoriesCommand } = await import('@aws-sdk/client-ecr');
  const answer = await ecr
    .send(new DescribeRepositoriesCommand({ repositoryNames: [name] }))
    .catch(undefinedIf('RepositoryNotFoundException'));
  return answer?.repositories?.[0]?.repositoryUri;
}

/** Digest of the image with a tag; undefined when the repository has no such tag. */
export async function digestOfTag(
  ecr: ECRClient,
  repository: EcrRepository,
  tag: string,
): Promise<string | undefined> {
  return (await imageOf(ecr, repository, { imageTag: tag }))?.imageDigest;
}

/** Whether the repository holds an image. */
export async function hasDigest(
  ecr: ECRClient,
  repository: EcrRepository,
  digest: string,
): Promise<boolean> {
  return (await imageOf(ecr, repository, { imageDigest: digest })) !== undefined;
}

async function imageOf(
  ecr: ECRClient,
  { registryId, name: repositoryName }: EcrRepository,
  imageId: ImageIdentifier,
): Promise<ImageDetail | undefined> {
  const { DescribeImagesCommand } = await import('@aws-sdk/client-ecr');
  const answer = await ecr
    .send(new DescribeImagesCommand({ registryId, repositoryName, imageIds: [imageId] }))
    .catch(undefinedIf('ImageNotFoundException'));
  return answer?.imageDetails?.[0];
}

function undefinedIf(name: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && error.name === name) return undefined;
    throw error;
  };
}

/**
 * Signs the tool in to a registry of Amazon ECR; the password, which ends after twelve hours, goes
 * over standard input (Amazon ECR User Guide, "Private registry authentication").
 *
 * @throws OperationError when there is no password or the registry refuses it
 */
export async function signIn(
  context: OperationContext,
  tool: ContainerTool,
  ecr: ECRClient,
  host: string,
): Promise<void> {
  const { GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const token = authorizationData?.[0]?.authorizationToken ?? '';
  const [user, password] = Buffer.from(token, 'base64').toString('utf8').split(/:(.*)/s, 2);
  if (!user || !password) throw new OperationError('Amazon ECR gave no password');
  const { code, stdout, stderr } = await context.run(
    tool,
    ['login', '--username', user, '--password-stdin', host],
    { input: password },
  );
  if (code !== 0) {
    const said = `${stderr}${stdout}`.replaceAll(password, '***').trim();
    throw new OperationError(`${tool} login ${host} ended with ${code}:\n${said}`, {
      next: `check that ${tool} can store credentials, and that ${host} can be reached from here`,
      code: EXIT.unavailable,
    });
  }
}
