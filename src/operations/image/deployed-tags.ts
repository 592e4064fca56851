import type { ECRClient, ImageDetail } from '@aws-sdk/client-ecr';
import type { OperationContext } from '../operation.ts';
import type { OpenStack } from '../terraform/open-stack.ts';
import { managedResources, type StateJson } from '../terraform/plan-json.ts';
import { digestOfTag } from './ecr.ts';
import {
  type EcrRepository,
  ecrRepository,
  parseImageReference,
  REPOSITORY_ADDRESSES,
} from './image-reference.ts';

/** What an image may be made of, so that a copy of its manifest is the same to the byte. */
const MEDIA_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

const LONGEST_TAG = 128;

/**
 * The tag by which the lifecycle of the repository knows that an environment runs an image. Tags can't be moved
 * there, so each image has one of its own.
 *
 * @param digest - `sha256:` and 64 hexadecimal digits
 */
export function deployedTag(environment: string, digest: string): string {
  return `deployed-${environment}-${digest.replace(/^sha256:/, '')}`.slice(0, LONGEST_TAG);
}

/** What keeps the images that a stack runs from expiring. */
export interface DeployedTags {
  /** Gives the image that is about to run its tag; the second time it does nothing. */
  readonly add: () => Promise<void>;
  /** Takes the tags away of images that neither run nor are the way back, once another image runs. */
  readonly prune: () => Promise<void>;
}

const NOTHING: DeployedTags = { add: async () => undefined, prune: async () => undefined };

/**
 * Tags for the image of a stack, where that is in the stack's own repository: another one has the lifecycle of its
 * owner. A tag that can't be given is a warning, since the image can run without.
 *
 * @param state - before the apply: it knows the repository, and the image that runs, which is the way back
 */
export function deployedTags(
  context: OperationContext,
  { environment, settings, clients, name }: OpenStack,
  state: StateJson,
  image: string = settings.image,
): DeployedTags {
  const repository = ownRepository(state);
  const { repository: uri, tag, digest: named } = referenceOf(image);
  if (name !== 'file-processing' || repository === undefined) return NOTHING;
  if (!isSame(ecrRepository(uri), repository)) return NOTHING;
  const before = referenceOf(String(state.outputs?.image?.value ?? '')).digest;
  let added: Promise<string | undefined> | undefined;
  const attempt = async <T>(work: (ecr: ECRClient) => Promise<T>): Promise<T | undefined> => {
    try {
      return await work(await clients.ecr());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      context.stderr.write(
        `warning: the tags of the images that run in ${environment} are not up to date (${reason}); without one an image expires once it is old enough\n`,
      );
      return undefined;
    }
  };
  const add = () => {
    added ??= attempt(async (ecr) => {
      const digest = named ?? (tag && (await digestOfTag(ecr, repository, tag)));
      if (!digest) throw new Error(`${image} is not there`);
      await addTag(ecr, repository, digest, deployedTag(environment, digest));
      return digest;
    });
    return added;
  };
  return {
    add: async () => {
      await add();
    },
    prune: async () => {
      const running = await add();
      if (running === undefined || running === before) return;
      await attempt((ecr) => pruneTags(ecr, repository, environment, [running, before]));
    },
  };
}

/** Whether an image of the repository has the tag of an environment. */
export async function hasDeployedTag(
  ecr: ECRClient,
  repository: EcrRepository,
  environment: string,
  digest: string,
): Promise<boolean> {
  const { DescribeImagesCommand } = await import('@aws-sdk/client-ecr');
  const { imageDetails = [] } = await ecr.send(
    new DescribeImagesCommand({ ...nameOf(repository), imageIds: [{ imageDigest: digest }] }),
  );
  return imageDetails.some((detail) => isTagged(detail, environment));
}

function isTagged({ imageDigest = '', imageTags = [] }: ImageDetail, environment: string): boolean {
  return imageTags.includes(deployedTag(environment, imageDigest));
}

async function addTag(
  ecr: ECRClient,
  repository: EcrRepository,
  digest: string,
  imageTag: string,
): Promise<void> {
  const { BatchGetImageCommand, PutImageCommand } = await import('@aws-sdk/client-ecr');
  const { images: [found] = [] } = await ecr.send(
    new BatchGetImageCommand({
      ...nameOf(repository),
      imageIds: [{ imageDigest: digest }],
      acceptedMediaTypes: MEDIA_TYPES,
    }),
  );
  if (found === undefined) throw new Error(`${repository.name} holds no image ${digest}`);
  const { imageManifest, imageManifestMediaType } = found;
  await ecr
    .send(
      new PutImageCommand({
        ...nameOf(repository),
        ...{ imageManifest, imageManifestMediaType, imageTag, imageDigest: digest },
      }),
    )
    .catch((error) => {
      // It has the tag already.
      if (error.name !== 'ImageAlreadyExistsException') throw error;
    });
}

/** A tag that is the only one stays: to take the last one away deletes the image (Amazon ECR API, BatchDeleteImage). */
async function pruneTags(
  ecr: ECRClient,
  repository: EcrRepository,
  environment: string,
  kept: readonly (string | undefined)[],
): Promise<void> {
  const { BatchDeleteImageCommand, paginateDescribeImages } = await import('@aws-sdk/client-ecr');
  const imageIds: { readonly imageTag: string }[] = [];
  for await (const { imageDetails = [] } of paginateDescribeImages(
    { client: ecr },
    { ...nameOf(repository), filter: { tagStatus: 'TAGGED' } },
  )) {
    const old = imageDetails.filter(
      (detail) =>
        isTagged(detail, environment) &&
        !kept.includes(detail.imageDigest) &&
        (detail.imageTags ?? []).length > 1,
    );
    for (const { imageDigest = '' } of old) {
      imageIds.push({ imageTag: deployedTag(environment, imageDigest) });
    }
  }
  // A request takes a hundred; what is left goes the next time.
  if (imageIds.length === 0) return;
  await ecr.send(
    new BatchDeleteImageCommand({ ...nameOf(repository), imageIds: imageIds.slice(0, 100) }),
  );
}

function nameOf({ registryId, name: repositoryName }: EcrRepository) {
  return { registryId, repositoryName };
}

function ownRepository(state: StateJson): EcrRepository | undefined {
  const [address] = REPOSITORY_ADDRESSES;
  const held = managedResources(state).find((resource) => resource.address === address);
  return ecrRepository(String(held?.values.repository_url ?? ''));
}

function referenceOf(image: string): Partial<ReturnType<typeof parseImageReference>> & {
  readonly repository: string;
} {
  return image === '' ? { repository: '' } : parseImageReference(image);
}

function isSame(one: EcrRepository | undefined, { registryId, region, name }: EcrRepository) {
  return one?.registryId === registryId && one.region === region && one.name === name;
}
