import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './support/run-main.ts';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const WORKFLOWS = readdirSync(join(ROOT, '.github/workflows'));

describe('the workflow of CI', () => {
  const workflow = parse(read('.github/workflows/ci.yml'));

  it('runs what .ci/run runs, and may only read', () => {
    const runs = workflow.jobs.ci.steps.flatMap(({ run }: { run?: string }) => run ?? []);
    expect(runs).toEqual([expect.stringMatching(/ \.ci\/run$/)]);
    expect(workflow.permissions).toStrictEqual({ contents: 'read' });
    expect(workflow.jobs.ci.permissions).toBeUndefined();
  });
});

describe('the workflow of the evidence', () => {
  const workflow = parse(read('.github/workflows/evidence.yml'));
  const { steps, permissions } = workflow.jobs.evidence;

  it('signs in by a token of its own, and may else only read', () => {
    expect(workflow.permissions).toStrictEqual({ contents: 'read' });
    expect(permissions).toStrictEqual({ contents: 'read', 'id-token': 'write' });
    expect(JSON.stringify(workflow)).not.toMatch(/aws-(access-key-id|secret-access-key)/);
  });

  it('judges the drift and keeps the reports also where the audit is red', () => {
    const after = steps.findIndex(({ name }: { name?: string }) => name === 'Audit') + 1;
    for (const step of steps.slice(after)) expect(step.if).toBe('success() || failure()');
    expect(steps.at(-1).with.path).toBe('audit-report\ndrift-report\n');
  });

  it('looks at AWS alone where it has no runner inside of the network', () => {
    const drift = steps.find(({ name }: { name?: string }) => name === 'Drift');
    expect(drift.env.SCOPE).toContain("vars.EVIDENCE_RUNNER == '' && '--aws-only'");
    expect(drift.run).toContain('npm run manage -- drift "$ENVIRONMENT"');
  });
});

describe('the workflows', () => {
  it.each(WORKFLOWS)('of %s have every action pinned to a commit, with its version', (name) => {
    const uses = read(join('.github/workflows', name)).match(/uses: .*/g) ?? [];
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses) expect(line).toMatch(/^uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('are linted by .ci/run', () => {
    expect(read('.ci/run')).toContain('actionlint $PWD/.github/workflows/*.yml');
  });
});

/** The file that tells what a folder depends on, by ecosystem. */
const MANIFESTS: Readonly<Record<string, string>> = {
  docker: 'Dockerfile',
  'docker-compose': 'docker-compose.yml',
  'github-actions': '.github/workflows/ci.yml',
  gomod: 'go.mod',
  npm: 'package-lock.json',
  pip: 'requirements.txt',
};

describe('the updates of dependencies', () => {
  const updates: { 'package-ecosystem': string; directory?: string; directories?: string[] }[] =
    parse(read('.github/dependabot.yml')).updates;
  const files = updates.flatMap((update) =>
    [update.directory ?? [], update.directories ?? []]
      .flat()
      .map((folder) => join('.', folder, MANIFESTS[update['package-ecosystem']] ?? 'unknown')),
  );

  it('look at files that there are', () => {
    for (const file of files) expect(existsSync(join(ROOT, file)), file).toBe(true);
  });

  it('look at all that the tests install', () => {
    const installed = readdirSync(join(ROOT, 'test-support'), {
      recursive: true,
      encoding: 'utf8',
    }).filter((file) => /(^|\/)(go\.mod|requirements\.txt)$/.test(file));
    expect(installed).not.toEqual([]);
    for (const file of installed) expect(files).toContain(join('test-support', file));
  });
});

test.each(
  readdirSync(join(ROOT, '.github/ISSUE_TEMPLATE')).filter((name) => name !== 'config.yml'),
)('the form %s has what GitHub demands', (name) => {
  const form = parse(read(`.github/ISSUE_TEMPLATE/${name}`));
  expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
  const asked = form.body.filter(({ type }: { type: string }) => type !== 'markdown');
  const ids = asked.map(({ id }: { id: string }) => id);
  expect(new Set(ids).size).toBe(asked.length);
  for (const { type, attributes } of asked) {
    expect(['textarea', 'input', 'dropdown', 'checkboxes']).toContain(type);
    expect(attributes.label).toEqual(expect.any(String));
  }
});

it('the owners are of folders that there are', () => {
  const folders = read('.github/CODEOWNERS').match(/^\/\S+/gm) ?? [];
  expect(folders.length).toBeGreaterThan(3);
  for (const folder of folders) expect(existsSync(join(ROOT, folder)), folder).toBe(true);
});

describe('the version', () => {
  const version: string = JSON.parse(read('package.json')).version;

  it('is one for all workspaces', () => {
    for (const folder of JSON.parse(read('package.json')).workspaces) {
      expect(JSON.parse(read(`${folder}/package.json`)).version, folder).toBe(version);
    }
  });

  it('is the newest of the change log', () => {
    const [, newest] = read('CHANGELOG.md').match(/^## \[(\d+\.\d+\.\d+)\]/m) ?? [];
    expect(newest).toBe(version);
  });
});
