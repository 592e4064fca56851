import { join, relative } from 'node:path';

/** Where the reports on an environment go. */
export function reportFolder(out: string, environment: string): string {
  return join(out, environment.replaceAll(/[^\w.-]/g, '_'));
}

/** A path as a report shows it: from the current folder, with slashes. */
export function shownPath(path: string): string {
  return (relative(process.cwd(), path) || '.').replaceAll('\\', '/');
}
