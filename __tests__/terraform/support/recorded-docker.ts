import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/** One run of docker or podman. */
export interface RecordedRun {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly input: string;
}

/** Programs `docker` and `podman` that only record: no engine runs on the machines of the tests. */
export interface RecordedDocker {
  /** A PATH on which they come first. */
  readonly path: string;
  /** Digest that every build tells. */
  readonly digest: string;
  /** Every run so far. */
  readonly runs: () => readonly RecordedRun[];
  /** Makes runs fail whose first parameters are these; `undefined` lets everything succeed. */
  readonly fail: (command: string | undefined) => void;
  readonly close: () => void;
}

const PROGRAM = `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');
const folder = join(__dirname);
const parameters = process.argv.slice(2);
const input = parameters.includes('--password-stdin') ? readFileSync(0, 'utf8') : '';
const program = basename(process.argv[1]);
appendFileSync(join(folder, 'runs'), JSON.stringify({ program, parameters, input }) + '\\n');
const failing = join(folder, 'failing');
if (existsSync(failing) && parameters.join(' ').startsWith(readFileSync(failing, 'utf8'))) {
  process.stderr.write('denied: ' + input + '\\n');
  process.exit(1);
}
const after = (name) => parameters[parameters.indexOf(name) + 1];
const digest = readFileSync(join(folder, 'digest'), 'utf8');
if (parameters.includes('--metadata-file')) {
  writeFileSync(after('--metadata-file'), JSON.stringify({ 'containerimage.digest': digest }));
}
for (const name of ['--iidfile', '--digestfile']) {
  if (parameters.includes(name)) writeFileSync(after(name), digest);
}
`;

/** Puts the programs into a folder of their own. */
export function recordedDocker(): RecordedDocker {
  const folder = mkdtempSync(join(tmpdir(), 'recorded-docker-'));
  const file = (name: string) => join(folder, name);
  const digest = `sha256:${'5'.repeat(64)}`;
  writeFileSync(file('digest'), digest);
  // The programs have no ending, so what they are depends on the next package.json above them.
  writeFileSync(file('package.json'), '{"type":"commonjs"}');
  for (const name of ['docker', 'podman']) {
    writeFileSync(file(name), PROGRAM);
    chmodSync(file(name), 0o755);
  }
  return {
    path: `${folder}${delimiter}${process.env.PATH}`,
    digest,
    runs: () =>
      existsSync(file('runs'))
        ? readFileSync(file('runs'), 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as RecordedRun)
        : [],
    fail: (command) => {
      if (command === undefined) rmSync(file('failing'), { force: true });
      else writeFileSync(file('failing'), command);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
