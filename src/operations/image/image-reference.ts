import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { EXIT, OperationError } from '../operation-error.ts';

/** An image reference taken apart (OCI Distribution Specification, "Pulling manifests"). */
export interface ImageReference {
  /** Registry and name, without tag and digest. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
}

/** A repository of Amazon ECR. */
export interface EcrRepository {
  /** Account that owns it. */
  readonly registryId: string;
  readonly region: string;
  /** Host that one signs in to. */
  readonly host: string;
  readonly name: string;
}

const REPOSITORY = /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const ECR =
  /^((\d{12})\.dkr\.(?:ecr|ecr-fips)\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?)\/([a-z0-9][a-z0-9._/-]*)$/;

/**
 * Takes `[registry/]name[:tag][@sha256:digest]` apart.
 *
 * @throws OperationError (EXIT.usage) when it is not one
 */
export function parseImageReference(text: string): ImageReference {
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  // A colon before a slash is that of the registry's port.
  const colon = name.lastIndexOf(':') > name.lastIndexOf('/') ? name.lastIndexOf(':') : name.length;
  const repository = name.slice(0, colon);
  const tag = colon < name.length ? name.slice(colon + 1) : undefined;
  const valid =
    REPOSITORY.test(repository) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!valid) {
    throw new OperationError(
      `'${text}' is not an image; [registry/]name[:tag][@sha256:digest] is needed`,
      { code: EXIT.usage },
    );
  }
  return { repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/**
 * Checks a tag.
 *
 * @throws OperationError (EXIT.usage) when a registry would refuse it
 */
export function requireTag(tag: string): string {
  if (TAG.test(tag)) return tag;
  throw new OperationError(
    `'${tag}' is not a tag; 1 to 128 letters, digits, underscores, dots and hyphens are needed, beginning with none of the last two`,
    { code: EXIT.usage },
  );
}

/** The repository of Amazon ECR that a name is; undefined for one of another registry. */
export function ecrRepository(repository: string): EcrRepository | undefined {
  const [, host, registryId, region, name] = ECR.exec(repository) ?? [];
  return host && registryId && region && name ? { host, registryId, region, name } : undefined;
}

/** Which repository an image is pushed to. */
export type ImageRepository =
  /** The stack's own, by its name. */
  | { readonly own: true; readonly name: string }
  /** Another one: registry and name. */
  | { readonly own: false; readonly uri: string };

/** The stack's repository and its lifecycle; what they refer to, such as their key, comes along. */
export const REPOSITORY_ADDRESSES = [
  'aws_ecr_repository.file_processing',
  'aws_ecr_lifecycle_policy.file_processing',
] as const;

/**
 * Chooses the repository: the given one, else the stack's own, else that of the image that is set.
 *
 * @param given - `--repository`, registry and name
 * @throws OperationError (EXIT.usage) when there is none
 */
export function imageRepository(
  given: string | undefined,
  {
    create_repository,
    repository_name,
    image,
  }: Pick<FileProcessingSettings, 'create_repository' | 'repository_name' | 'image'>,
): ImageRepository {
  if (given !== undefined) {
    const { repository, tag, digest } = parseImageReference(given);
    if (tag === undefined && digest === undefined) return { own: false, uri: repository };
    throw new OperationError(`--repository ${given} must be without tag and digest`, {
      next: `--repository ${repository}`,
      code: EXIT.usage,
    });
  }
  if (create_repository) return { own: true, name: repository_name };
  if (image !== '') return { own: false, uri: parseImageReference(image).repository };
  throw new OperationError(
    'create_repository is false and image is empty: no repository is known',
    {
      next: 'name one by --repository, such as 123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/file-processing',
      code: EXIT.usage,
    },
  );
}
