import { rename, rm } from 'node:fs/promises';

/**
 * Gives a finished folder its place in a cache that several runs share. One that is whole stays:
 * another run has made it meanwhile, and may be using it.
 *
 * @param isWhole whether what is in the place can be used
 */
export async function putInPlace(
  finished: string,
  place: string,
  isWhole: () => boolean,
): Promise<void> {
  // Renaming never replaces a folder that holds something.
  const isFree = await rename(finished, place).then(
    () => true,
    () => false,
  );
  if (isFree || isWhole()) return;
  await rm(place, { recursive: true, force: true });
  await rename(finished, place);
}
