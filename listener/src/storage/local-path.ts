import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/**
 * The file below a folder that stands for a key, after all symbolic links.
 *
 * A key is somebody else's text, so what leads out of the folder is refused, whether by `..`, by an
 * absolute path or by a link; so are keys that a file system would take for another key (an empty
 * or `.` segment).
 *
 * @returns the path, or why there is none
 */
export async function localPath(
  folder: string,
  key: string,
): Promise<{ path: string } | { missing: string }> {
  const problem = problemOf(key);
  if (problem !== undefined)
    return { missing: `${JSON.stringify(key)} is no local file: ${problem}` };
  try {
    const root = await realpath(folder);
    const path = await realpath(join(root, ...key.split('/')));
    const below = relative(root, path);
    if (below === '' || below.split(sep)[0] === '..' || isAbsolute(below)) {
      return { missing: `${JSON.stringify(key)} leads out of ${folder}` };
    }
    return { path };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(String(code))) {
      return { missing: `there is no ${JSON.stringify(key)} in ${folder}` };
    }
    throw error;
  }
}

function problemOf(key: string): string | undefined {
  if (key.includes('\0')) return 'it has a NUL';
  if (isAbsolute(key)) return 'it is an absolute path';
  // A separator on some systems, part of a name on others.
  if (key.includes('\\')) return 'it has a backslash';
  const odd = key.split('/').find((segment) => ['', '.', '..'].includes(segment));
  return odd === undefined ? undefined : `it has the segment ${JSON.stringify(odd)}`;
}
