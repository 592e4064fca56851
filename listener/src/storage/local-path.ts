import { mkdir, realpath } from 'node:fs/promises';
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
    if (path === root || leadsOut(root, path)) {
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

/**
 * The path below a folder that a new file for a key gets, its folders made. As in {@link localPath},
 * what leads out of the folder is refused: each part is looked at before the next one is made.
 *
 * @throws Error that says why there is none
 */
export async function newLocalPath(folder: string, key: string): Promise<string> {
  const problem = problemOf(key);
  if (problem !== undefined) throw new Error(`it is no local file: ${problem}`);
  const root = await realpath(folder);
  const segments = key.split('/');
  const name = segments.pop() ?? '';
  let parent = root;
  for (const segment of segments) {
    const path = join(parent, segment);
    await mkdir(path).catch(unlessThere);
    parent = await realpath(path);
    if (leadsOut(root, parent)) throw new Error(`it leads out of ${folder}`);
  }
  return join(parent, name);
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function leadsOut(root: string, path: string): boolean {
  const below = relative(root, path);
  return below.split(sep)[0] === '..' || isAbsolute(below);
}

function problemOf(key: string): string | undefined {
  if (key.includes('\0')) return 'it has a NUL';
  if (isAbsolute(key)) return 'it is an absolute path';
  // A separator on some systems, part of a name on others.
  if (key.includes('\\')) return 'it has a backslash';
  const odd = key.split('/').find((segment) => ['', '.', '..'].includes(segment));
  return odd === undefined ? undefined : `it has the segment ${JSON.stringify(odd)}`;
}
