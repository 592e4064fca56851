import { existsSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

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
