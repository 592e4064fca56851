import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  findCheckov,
  type Limits,
  runCheckov,
  writeViews,
} from '../../../audit/scanners/checkov.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'find-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(path: string, mode = 0o755): string {
  const file = join(folder, path, 'checkov');
  mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, mode);
  return file;
}

describe('checkov', () => {
  it('is the program that CHECKOV names, before all others', () => {
    const named = program('named');
    program('.checkov/bin');
    expect(findCheckov(folder, { CHECKOV: named, PATH: '' })).toBe(named);
  });

  it("is the one in the checkout's .checkov, before the path", () => {
    const own = program('.checkov/bin');
    program('bin');
    expect(findCheckov(folder, { PATH: join(folder, 'bin') })).toBe(own);
  });

  it('is the first one on the path that can be run', () => {
    program('plain', 0o644);
    const found = program('second');
    const PATH = [join(folder, 'plain'), join(folder, 'second')].join(delimiter);
    expect(findCheckov(folder, { PATH })).toBe(found);
  });

  it('may be missing', () => {
    expect(findCheckov(folder, { PATH: join(folder, 'nowhere') })).toBeUndefined();
    expect(findCheckov(folder, {})).toBeUndefined();
  });

  it('is not looked for elsewhere when CHECKOV names no program', () => {
    program('bin');
    expect(() =>
      findCheckov(folder, { CHECKOV: join(folder, 'typo'), PATH: join(folder, 'bin') }),
    ).toThrow('must be a program');
  });

  it('is not a folder, whatever CHECKOV or PATH say', () => {
    mkdirSync(join(folder, 'bin/checkov'), { recursive: true });
    const named = join(folder, 'bin/checkov');
    expect(() => findCheckov(folder, { CHECKOV: named, PATH: '' })).toThrow(
      `CHECKOV = ${named} must be a program, and not a folder`,
    );
    expect(findCheckov(folder, { PATH: join(folder, 'bin') })).toBeUndefined();
  });
});

describe('a run of checkov', () => {
  /** A report with one passed check, and with one that failed. */
  const report = (failed: boolean) => {
    const one = {
      ...{ check_id: 'CKV_AWS_1', check_name: 'One', resource: 'aws_sns_topic.t' },
      ...{ file_path: '/plan.json', file_abs_path: join(folder, 'views/plan.json') },
    };
    const results = { passed_checks: failed ? [] : [one], failed_checks: failed ? [one] : [] };
    return JSON.stringify({ check_type: 'terraform_plan', results });
  };

  /** Runs a shell script in its place, which finds a whole report in $GREEN and in $RED. */
  const run = async (script: string, limits?: Limits) => {
    const file = join(folder, 'checkov');
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    for (const name of ['green', 'red']) writeFileSync(join(folder, name), report(name === 'red'));
    const env = { ...process.env, GREEN: join(folder, 'green'), RED: join(folder, 'red') };
    const [only] = await runCheckov(file, [join(folder, 'views')], folder, env, limits);
    return only?.checks.map(({ passed }) => passed);
  };
  const GREEN = 'cp "$GREEN" results_json.json';
  const RED = 'cp "$RED" results_json.json';

  it.each([
    ['nothing failed, with 0', GREEN, true],
    ['a check failed, with 1', `${RED}; exit 1`, false],
    ['Python warned', `${GREEN}; echo 'x.py:1: DeprecationWarning: y' >&2`, true],
    ['it wrote to standard output', `${GREEN}; echo '{}'`, true],
  ])('counts where it ends as %s', async (_, script, passed) => {
    expect(await run(script)).toEqual([passed]);
  });

  it.each([
    ['is killed behind its report', `${GREEN}; kill -9 $$`, 'it was ended by SIGKILL'],
    ['is stopped behind its report', `${RED}; kill -15 $$`, 'it was ended by SIGTERM'],
    ['ends with 2', `${GREEN}; exit 2`, 'it ended with 2'],
    ['ends with 137', `${RED}; exit 137`, 'it ended with 137'],
    ['ends with 1, and nothing failed', `${GREEN}; exit 1`, 'it ended with 1'],
    ['ends with 0, and something failed', RED, 'it ended with 0'],
    ['says that a check broke', `${GREEN}; echo 'ERROR:x: Failed to run check' >&2`, 'broke down'],
    ['shows a traceback', `${GREEN}; echo 'Traceback (most recent call last):' >&2`, 'broke down'],
    ['leaves half of its report', 'head -c 90 "$GREEN" > results_json.json', 'JSON'],
    ['leaves an empty report', ': > results_json.json', 'JSON'],
    ['leaves no report', 'cat "$GREEN"', 'ENOENT'],
    ['only complains', 'echo no space left >&2; exit 1', 'no space left'],
  ])('is an error where it %s', async (_, script, reason) => {
    await expect(run(script)).rejects.toThrow(reason);
  });

  it('is an error, with the code of a scanner that is broken', async () => {
    await expect(run(`${GREEN}; kill -9 $$`)).rejects.toMatchObject({ code: 69 });
  });

  it('is an error where it floods its output', async () => {
    const limits = { milliseconds: 600_000, bytes: 100_000 };
    await expect(run(`${GREEN}; yes`, limits)).rejects.toThrow('more than 100000 characters');
    await expect(run(`${GREEN}; yes >&2`, limits)).rejects.toThrow('more than 100000 characters');
  });

  it('is an error where it never ends, though what it forked holds its output open', async () => {
    const limits = { milliseconds: 50, bytes: 100_000 };
    await expect(run(`${GREEN}; sleep 3 & sleep 3`, limits)).rejects.toThrow('longer than 0.05 s');
  });

  it('is an error where it is not a program', async () => {
    const views = [join(folder, 'views')];
    await expect(runCheckov(join(folder, 'gone'), views, folder, {})).rejects.toThrow('ENOENT');
  });
});

it('names each manifest after its resource, so that a verdict leads back to it', () => {
  const manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } };
  writeViews(folder, { format_version: '1.2' }, [
    { stack: 'app', address: 'kubernetes_namespace_v1.n', manifest },
  ]);
  expect(readdirSync(join(folder, 'manifests'))).toEqual(['kubernetes_namespace_v1.n.yaml']);
  const text = readFileSync(join(folder, 'manifests/kubernetes_namespace_v1.n.yaml'), 'utf8');
  expect(parse(text)).toEqual(manifest);
  expect(JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))).toStrictEqual({
    format_version: '1.2',
  });
});
