import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import { EXIT } from '../exit-codes.ts';
import { OperationError } from '../operation-error.ts';
import { parseImageReference } from './image-reference.ts';

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
