import { existsSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { awsTargetOf, type Target } from '../target.ts';
import { digestOfTag, hasDigest } from './ecr.ts';
import { ecrRepository, parseImageReference } from './image-reference.ts';

/**
 * An image by its digest. One that is named by its tag is looked up in Amazon ECR, since the tag may
 * name another image tomorrow; one of ECR that is named by its digest must be there.
 *
 * @returns `repository@sha256:...`
 * @throws OperationError when it is not an image (EXIT.usage), is not in ECR, or is named by a tag of
 * another registry (EXIT.refused)
 */
export async function resolveImage(
  context: OperationContext,
  { environment, region, profile, clients }: Target,
  text: string,
): Promise<string> {
  const { repository, tag, digest } = parseImageReference(text);
  const ecr = ecrRepository(repository);
  if (ecr === undefined) {
    if (digest !== undefined) return `${repository}@${digest}`;
    throw new OperationError(`${text} has no digest, and its tag may be moved to another image`, {
      next: `name it by its digest: ${repository}@sha256:…, as the registry shows it`,
      code: EXIT.refused,
    });
  }
  const there =
    ecr.region === region ? clients : context.aws(awsTargetOf(environment, ecr.region, profile));
  const client = await there.ecr();
  if (digest !== undefined) {
    if (await hasDigest(client, ecr, digest)) return `${repository}@${digest}`;
    throw new OperationError(`${repository} holds no image ${digest}`, { next: listOf(ecr.name) });
  }
  if (tag === undefined) {
    throw new OperationError(`${text} has neither tag nor digest`, {
      next: `name one of its images: ${listOf(ecr.name)}`,
      code: EXIT.usage,
    });
  }
  const found = await digestOfTag(client, ecr, tag);
  if (found !== undefined) return `${repository}@${found}`;
  throw new OperationError(`${repository} holds no image ${tag}`, { next: listOf(ecr.name) });
}

function listOf(name: string): string {
  return `aws ecr describe-images --repository-name ${name}`;
}

/** The file beside the tfvars that names the image; synth reads it. Relative to the checkout. */
export function containerImageFile(environment: string): string {
  return join('environments', environment, 'container_image.txt');
}

/**
 * Writes the image into the file, whole or not at all.
 *
 * @param root - the checkout
 * @returns false when it was there already
 */
export async function writeContainerImage(
  root: string,
  environment: string,
  image: string,
): Promise<boolean> {
  const path = join(root, containerImageFile(environment));
  const text = `${image}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
  const unfinished = `${path}.${process.pid}`;
  try {
    await writeFile(unfinished, text, { flag: 'wx' });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return true;
}
