import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Evidence, evidenceOf, sha256 } from '../../audit/evidence.ts';
import { ROOT } from '../support/run-main.ts';
import { A_DAY } from './support/run-audit.ts';
import { type TemporaryFolder, temporaryFolder } from './support/synthesized-folder.ts';

const ENV = { PATH: process.env.PATH, USER: 'somebody' };

let checkout: TemporaryFolder;
let evidence: Evidence;

function git(...parameters: readonly string[]): void {
  const named = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];
  const { status, stderr } = spawnSync('git', ['-C', checkout.path, ...named, ...parameters], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}

beforeAll(async () => {
  checkout = temporaryFolder();
  for (const path of ['package.json', 'package-lock.json']) {
    cpSync(join(ROOT, path), join(checkout.path, path));
  }
  for (const workspace of ['contract', 'quality', 'listener']) {
    mkdirSync(join(checkout.path, workspace));
    cpSync(join(ROOT, workspace, 'package.json'), join(checkout.path, workspace, 'package.json'));
  }
  mkdirSync(join(checkout.path, 'audit/rules'), { recursive: true });
  // As in a checkout of somebody's: what npm prints is kept there.
  mkdirSync(join(checkout.path, 'node_modules'));
  writeFileSync(join(checkout.path, '.gitignore'), 'node_modules/\n');
  writeFileSync(join(checkout.path, 'audit/waivers.yaml'), '[]\n');
  writeFileSync(join(checkout.path, 'audit/rules/one.ts'), 'export {};\n');
  writeFileSync(join(checkout.path, 'audit/rules/one.json'), '{}\n');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'All');
  git('remote', 'add', 'origin', 'https://me:secret@example.com/agency/infra.git');
  evidence = await evidenceOf(checkout.path, ENV, A_DAY);
});
afterAll(() => checkout.remove());

describe('the evidence', () => {
  it('names the commit, its repository without a password, and a clean tree', () => {
    expect(evidence.commit).toStrictEqual({
      id: expect.stringMatching(/^[0-9a-f]{40}$/),
      clean: true,
      cleanInputs: true,
      repository: 'https://example.com/agency/infra.git',
    });
  });

  it('says that the tree has changes', async () => {
    const path = join(checkout.path, 'audit/waivers.yaml');
    writeFileSync(path, '# changed\n');
    const changed = await evidenceOf(checkout.path, ENV, A_DAY);
    writeFileSync(path, '[]\n');
    expect(changed.commit?.clean).toBe(false);
  });

  it('has no commit outside of git, and none of a repository around the folder', async () => {
    const folder = temporaryFolder();
    expect((await evidenceOf(folder.path, ENV, A_DAY)).commit).toBeUndefined();
    expect((await evidenceOf(join(checkout.path, 'audit'), ENV, A_DAY)).commit).toBeUndefined();
    folder.remove();
  });

  it('has the digests of what the verdict depends on', () => {
    expect(evidence.inputs).toContainEqual({ path: 'audit/waivers.yaml', sha256: sha256('[]\n') });
    expect(evidence.inputs.map(({ path }) => path)).toContain('package-lock.json');
  });

  it.each([
    ['a rule', 'audit/rules/one.ts', 'export const two = 2;\n'],
    ['a table of a rule', 'audit/rules/one.json', '{"two": 2}\n'],
  ])('has another version of the rules when %s changes', async (_, file, text) => {
    const path = join(checkout.path, file);
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, text);
    const { product } = await evidenceOf(checkout.path, ENV, A_DAY);
    writeFileSync(path, before);
    expect(product.rules).not.toBe(evidence.product.rules);
    expect(product.version).toBe(evidence.product.version);
  });

  it('names who ran it and on what, and no name of the machine', () => {
    expect(evidence.by).toStrictEqual({
      user: 'somebody',
      host: `${process.platform} ${process.arch}, no CI runner`,
    });
  });

  it('names the run of a CI', async () => {
    const { by } = await evidenceOf(
      checkout.path,
      {
        ...ENV,
        CI: 'true',
        GITHUB_ACTOR: 'octocat',
        GITHUB_SERVER_URL: 'https://github.com',
        GITHUB_REPOSITORY: 'agency/infra',
        GITHUB_RUN_ID: '7',
      },
      A_DAY,
    );
    expect(by).toMatchObject({
      user: 'octocat',
      run: 'https://github.com/agency/infra/actions/runs/7',
    });
    expect(by.host).toContain('a CI runner');
  });

  it('says when Terraform is not there', async () => {
    const { tools } = await evidenceOf(
      checkout.path,
      { ...ENV, TERRAFORM_BINARY: join(checkout.path, 'none') },
      A_DAY,
    );
    expect(tools.Terraform).toContain('not installed');
  });

  it('lists the packages of the image and of the infrastructure, without a trace of the machine', () => {
    const [image, infrastructure] = evidence.sboms.map(({ text }) => JSON.parse(text));
    const names = (list: { components: { name: string }[] }) =>
      list.components.map(({ name }) => name);
    // Of these koa and pg are needed by packages of development, too.
    for (const name of ['koa', 'pg', 'pg-boss', 'knex']) expect(names(image)).toContain(name);
    for (const name of ['cdktf', 'esbuild', 'vitest']) expect(names(image)).not.toContain(name);
    expect(names(infrastructure)).not.toContain('vitest');
    expect(names(infrastructure)).toContain('cdktf');
    expect(image).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { timestamp: A_DAY.toISOString() },
    });
    for (const { text } of evidence.sboms)
      expect(text).not.toContain(checkout.path.split('/').at(-1));
  });

  it('is the same, byte for byte, for the same inputs and clock, though npm prints it again', async () => {
    rmSync(join(checkout.path, 'node_modules/.cache'), { recursive: true });
    expect(await evidenceOf(checkout.path, ENV, A_DAY)).toStrictEqual(evidence);
  });

  it('says that lists of packages are missing where npm has none to give', async () => {
    const folder = temporaryFolder();
    const { sboms, missing } = await evidenceOf(folder.path, ENV, A_DAY);
    expect(sboms).toEqual([]);
    expect(missing).toHaveLength(2);
    expect(missing[0]).toMatch(/^There is no list of the packages of the image of the listener/);
    expect(missing.join()).not.toContain(folder.path);
    folder.remove();
  });
});
