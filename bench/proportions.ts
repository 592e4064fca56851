import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Rooms: a folder, and for the infrastructure each folder in it. */
const ROOMS = ['contract', 'src/*', 'audit', 'quality', 'listener', 'docs', 'bench'];

/** Rooms whose files are counted together. */
const COUNTED = ['contract', 'src', 'audit', 'quality', 'listener'];

/** Where a delivered message is in our hands: from the HTTP application to the commit. */
const WAY_OF_A_MESSAGE = [
  'listener/src/http/app.ts',
  'listener/src/intake/*.ts',
  'listener/src/sns/*.ts',
  'listener/src/queue/queue.ts',
];

/** The limits of the sources' proportions. */
export const LIMITS = { files: 650, filesFromPostToCommit: 25, shareOfARoom: 0.4 };

/** What is measured; lists, so that a limit that is passed shows by what. */
export interface Proportions {
  /** TypeScript files in contract, src, audit, quality and listener. */
  readonly files: readonly string[];
  /** Files that one has to know to follow a message from POST to commit: by imports of values. */
  readonly filesFromPostToCommit: readonly string[];
  /** Share of each room in the lines of TypeScript that is not a test, the largest first. */
  readonly shares: readonly (readonly [room: string, share: number])[];
}

/** Measures the sources. @param root the repository */
export function measureProportions(root: string): Proportions {
  const glob = (pattern: string) =>
    globSync(pattern, { cwd: root, exclude: (path) => path.endsWith('node_modules') }).sort();
  const linesOf = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1;
  const rooms = ROOMS.flatMap((room) => (room.endsWith('*') ? glob(room) : [room])).map((room) => {
    const lines = glob(`${room}/**/*.ts`).map(linesOf);
    return [room, lines.reduce((sum, count) => sum + count, 0)] as const;
  });
  const all = rooms.reduce((sum, [, lines]) => sum + lines, 0);
  return {
    files: COUNTED.flatMap((folder) => glob(`${folder}/**/*.ts`)),
    filesFromPostToCommit: reachable(root, WAY_OF_A_MESSAGE.flatMap(glob)),
    shares: rooms
      .map(([room, lines]) => [room, lines / all] as const)
      .sort(([, a], [, b]) => b - a),
  };
}

/** Our own files that some files load, they included. */
function reachable(root: string, from: readonly string[]): readonly string[] {
  const found = new Set(from);
  // A set goes on with what is added to it meanwhile.
  for (const file of found) {
    for (const imported of importsOf(file, readFileSync(join(root, file), 'utf8'))) {
      found.add(imported);
    }
  }
  return [...found].sort();
}

/** Our own files that a file imports values from; `import type` is gone when it runs. */
export function importsOf(file: string, source: string): readonly string[] {
  return [...source.matchAll(/^(?:import|export) (?!type )(?:[^'"]*? from )?'([^']+\.ts)';$/gms)]
    .map(([, specifier = '']) => specifier)
    .map((specifier) =>
      specifier.startsWith('.')
        ? normalize(join(dirname(file), specifier))
        : specifier.replace(/^@file-processing\//, ''),
    );
}

/** The measures for a reader, each with its limit. */
export function proportionsText({ files, filesFromPostToCommit, shares }: Proportions): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return [
    `${files.length} TypeScript files in ${COUNTED.join(', ')}; at most ${LIMITS.files}`,
    `${filesFromPostToCommit.length} files from POST to commit; at most ${LIMITS.filesFromPostToCommit}`,
    ...filesFromPostToCommit.map((file) => `  ${file}`),
    `lines of the rooms; at most ${percent(LIMITS.shareOfARoom)} each`,
    ...shares.map(([room, share]) => `  ${percent(share).padStart(6)}  ${room}`),
    '',
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(proportionsText(measureProportions(join(import.meta.dirname, '..'))));
}
