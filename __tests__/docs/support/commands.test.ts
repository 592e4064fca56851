import { describe, expect, it, test } from 'vitest';
import { commandOf, commandsIn } from './commands.ts';
import { anchorsOf, commandLinesIn, filesWrittenIn, linksIn } from './markdown.ts';

describe('commandOf', () => {
  test.each([
    ['npm test', 'npm test', []],
    ['npm start -- --once', 'npm start', ['--', '--once']],
    ['npm run audit -- --from cdktf.out', 'npm run audit', ['--from', 'cdktf.out']],
    ['npm run manage -- apply', 'manage apply', []],
    ['npm run --silent manage -- plan x --json', 'manage plan', ['x', '--json']],
    ['npm run manage -- exec --wait 9 -- runs list --json', 'manage exec', ['--wait', '9']],
    ['npx file-processing runs list --json', 'file-processing runs list', ['--json']],
    ["A=b npx file-processing run job --event-json '{ }'", 'file-processing run', undefined],
    ['npx cdktf deploy file-processing', 'cdktf deploy', ['file-processing']],
    ['terraform -chdir=a init', 'terraform init', ['-chdir=a']],
  ])('reads %s', (line, name, parameters) => {
    const command = commandOf(line);
    expect(command?.name).toBe(name);
    if (parameters !== undefined) expect(command?.parameters).toEqual(parameters);
  });

  test.each(['export A=1', 'A=1', 'cp a b', 'npx file-processing', 'npm run manage -- <x> --help'])(
    'passes over %s',
    (line) => {
      expect(commandOf(line)).toBeUndefined();
    },
  );
});

it('commandsIn finds those of shell blocks, and our own in the text', () => {
  const page =
    'Run `npx cdktf diff a`, not `b`.\n\n```bash\nnpm ci && npm test # all\ndocker \\\n  run x\n```\n\n```json\nno\n```\n';
  expect(commandsIn(page).map(({ name }) => name)).toEqual([
    'npm ci',
    'npm test',
    'docker run',
    'cdktf diff',
  ]);
});

it('commandsIn finds the command of the listener that manage exec runs', () => {
  const page = '```bash\nnpm run manage -- exec --wait 9 -- backfill --since X\n```\n';
  expect(commandsIn(page)).toEqual([
    { name: 'manage exec', parameters: ['--wait', '9'] },
    { name: 'file-processing backfill', parameters: ['--since', 'X'] },
  ]);
});

it('commandLinesIn takes a pipe apart', () => {
  expect(commandLinesIn('```bash\na -x | b\n```\n')).toEqual(['a -x', 'b']);
});

it('anchorsOf gives the anchors of GitHub', () => {
  expect(anchorsOf('# What `a_b` is, now\n## Two\n## Two\n```bash\n# none\n```\n')).toEqual([
    'what-a_b-is-now',
    'two',
    'two-1',
  ]);
});

it('linksIn finds the links of the text, not of code', () => {
  expect(linksIn('[a](b.md#c) `[d](e)`\n```\n[f](g)\n```\n')).toEqual(['b.md#c']);
});

it('a file that a shell block writes is not a command', () => {
  const page = "```bash\nmkdir a\ncat > a/b.json <<'EOF'\n{\n  npm no\n}\nEOF\nnpm test\n```\n";
  expect(commandLinesIn(page)).toEqual(['mkdir a', 'npm test']);
  expect(filesWrittenIn(page)).toStrictEqual([{ path: 'a/b.json', content: '{\n  npm no\n}\n' }]);
});
