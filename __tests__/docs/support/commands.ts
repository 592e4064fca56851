import { commandLinesIn, inlineCodeIn } from './markdown.ts';

/** A command that a page tells its reader to run. */
export interface DocumentedCommand {
  /** What is run, without parameters: `npm run audit`, `manage apply`, `file-processing runs list`. */
  readonly name: string;
  /** What follows. */
  readonly parameters: readonly string[];
}

/** Programs whose first parameter says what they do. */
const WITH_SUBCOMMANDS = new Set(['npm', 'cdktf', 'docker', 'kubectl', 'terraform', 'aws']);
/** What every shell has. */
const OF_THE_SHELL = new Set(['cat', 'cp', 'done', 'echo', 'export', 'for', 'mkdir', 'touch']);

/** The commands of a page: all of its shell blocks, and those of our own programs in its text. */
export function commandsIn(page: string): readonly DocumentedCommand[] {
  const inText = inlineCodeIn(page).filter((code) =>
    /(^| )(npm (run|start|test|ci)|npx) /.test(`${code} `),
  );
  return [...commandLinesIn(page), ...inText]
    .flatMap((line) => [commandOf(line), commandInClusterOf(line)])
    .filter((command) => command !== undefined);
}

/** The listener's command that `manage exec` runs. */
function commandInClusterOf(line: string): DocumentedCommand | undefined {
  const [, command] = / manage -- exec (?:.* )?-- (.+)$/.exec(line) ?? [];
  return command === undefined ? undefined : commandOf(`npx file-processing ${command}`);
}

/** Reads a command line; undefined for one that names no command, sets a variable or copies a file. */
export function commandOf(line: string): DocumentedCommand | undefined {
  const words = line.match(/(?:[^\s']|'[^']*')+/g) ?? [];
  const first = words.findIndex((word) => !/^[A-Z][A-Z0-9_]*=/.test(word));
  const [program = '', ...parameters] = words.slice(first < 0 ? words.length : first);
  if (program === '' || OF_THE_SHELL.has(program)) return undefined;
  if (program === 'npx') return subcommand(parameters[0] ?? '', parameters.slice(1));
  if (program === 'npm' && parameters[0] === 'run') {
    return npmScript(parameters.slice(1).filter((word) => word !== '--silent'));
  }
  if (WITH_SUBCOMMANDS.has(program)) return subcommand(program, parameters);
  return { name: program, parameters };
}

function npmScript([script = '', ...parameters]: readonly string[]): DocumentedCommand | undefined {
  // What follows a second one is another program's.
  const [first = -1, second = parameters.length] = parameters.flatMap((word, index) =>
    word === '--' ? [index] : [],
  );
  const rest = parameters.filter((_, index) => index !== first && index < second);
  return script === 'manage'
    ? subcommand('manage', rest)
    : { name: `npm run ${script}`, parameters: rest };
}

function subcommand(program: string, parameters: readonly string[]): DocumentedCommand | undefined {
  const at = parameters.findIndex((word) => /^[a-z][a-z0-9-]*$/.test(word));
  if (at < 0) return undefined;
  const [command = ''] = parameters.slice(at);
  const rest = [...parameters.slice(0, at), ...parameters.slice(at + 1)];
  const hasCommands = program === 'file-processing' && ['rules', 'runs', 'dead'].includes(command);
  if (hasCommands && /^[a-z]+$/.test(rest[0] ?? '')) {
    return { name: `${program} ${command} ${rest[0]}`, parameters: rest.slice(1) };
  }
  return { name: `${program} ${command}`, parameters: rest };
}
