import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalSettings } from './synthesized-settings.ts';

const SAMPLE = fileURLToPath(new URL('./samples/Officer_Detail.csv', import.meta.url));

/**
 * Makes the drop folder with a file that has faults, so that the first start shows a verdict. A
 * folder that is there stays as it is.
 *
 * @returns whether the folder was made
 */
export async function prepareDropFolder(
  root: string,
  { bucket, filters }: Pick<LocalSettings, 'bucket' | 'filters'>,
): Promise<boolean> {
  const made = (await mkdir(root, { recursive: true })) !== undefined;
  const path = join(root, bucket, ...sampleKey(filters).split('/'));
  await mkdir(dirname(path), { recursive: true });
  if (made) await copyFile(SAMPLE, path);
  return made;
}

/** A key that the notification announces. */
export function sampleKey(filters: LocalSettings['filters']): string {
  const { prefix, suffix } = filters[0] ?? { prefix: '', suffix: '' };
  const name = 'nm_albuquerque/Officer_Detail.csv';
  return `${prefix}${name.endsWith(suffix) ? name : name.replace(/\.csv$/, suffix)}`;
}
