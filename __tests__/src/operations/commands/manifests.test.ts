import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { EXIT } from '../../../../src/operations/operation-error.ts';
import { environmentStacks } from '../../../audit/support/stacks.ts';
import { manage } from '../../../support/manage.ts';

const OUTPUTS = {
  sns_topic_arn: { value: 'arn:topic', type: 'string', sensitive: false },
  service_account_role_arn: { value: 'arn:role', type: 'string', sensitive: false },
};
let folder: string;
let outputsFile: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  outputsFile = join(folder, 'outputs.json');
  writeFileSync(outputsFile, JSON.stringify(OUTPUTS));
  const stacks = environmentStacks('complete');
  const paths = Object.keys(stacks).map((name) => [name, { synthesizedStackPath: `${name}.json` }]);
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ stacks: Object.fromEntries(paths) }),
  );
  for (const [name, json] of Object.entries(stacks)) {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(json));
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

const manifests = (...parameters: string[]) =>
  manage(['manifests', '--environment', 'complete', '--from', folder, ...parameters]);

describe('manage manifests', () => {
  it('prints every object with the outputs in it, and nothing that only Terraform knows', async () => {
    const { code, out, err } = await manifests('--outputs-file', outputsFile);
    const kinds = parseAllDocuments(out).map((document) => document.toJS().kind);
    expect(code).toBe(EXIT.ok);
    expect(kinds).toEqual(expect.arrayContaining(['Namespace', 'Deployment', 'Service']));
    expect(kinds).not.toContain('Secret');
    expect(err).toContain('left out, make it by hand: Secret ');
    expect(out).toContain('SNS_TOPIC_ARNS: arn:topic\n');
    expect(out).toContain('eks.amazonaws.com/role-arn: arn:role\n');
    expect(out).not.toContain('${');
  });

  it('writes a folder for kubectl apply -k, and the same one again', async () => {
    const written = join(folder, 'written');
    const read = () =>
      readdirSync(written).map((name) => readFileSync(join(written, name), 'utf8'));
    const { err } = await manifests('--outputs-file', outputsFile, '-o', written);
    const first = read();
    await manifests('--outputs-file', outputsFile, '-o', written);
    expect(err).toMatch(/^\d+ objects are in /);
    expect(readdirSync(written)).toContain('kustomization.yaml');
    expect(read()).toEqual(first);
  });

  it.each([
    ['.git', (place: string) => mkdirSync(join(place, '.git'))],
    ['notes.txt', (place: string) => writeFileSync(join(place, 'notes.txt'), 'mine')],
    ['other.yaml', (place: string) => writeFileSync(join(place, 'other.yaml'), 'mine: 1')],
  ])('removes nothing from a folder that holds %s', async (name, make) => {
    const place = mkdtempSync(join(folder, 'foreign-'));
    make(place);
    const { code, err } = await manifests('--outputs-file', outputsFile, '-o', place);
    expect([code, readdirSync(place)]).toEqual([EXIT.refused, [name]]);
    expect(err).toContain('holds more than manifests of an earlier run');
  });

  it('refuses in one line a folder that cannot be made', async () => {
    symlinkSync('nowhere', join(folder, 'dangling'));
    const parameters = ['--outputs-file', outputsFile, '-o', join(folder, 'dangling')];
    const { code, err } = await manifests(...parameters);
    rmSync(join(folder, 'dangling'));
    expect(code).toBe(EXIT.failed);
    expect(err).toMatch(/^error: \S+dangling can't be used \(EEXIST\)\nnext: .*\n$/);
  });

  it('takes a value that is given', async () => {
    const { out } = await manifests(
      '--outputs-file',
      outputsFile,
      '--set',
      'SNS_TOPIC_ARN=arn:mine',
    );
    expect(out).toContain('SNS_TOPIC_ARNS: arn:mine\n');
  });

  it('names what has no value yet, and writes nothing', async () => {
    writeFileSync(join(folder, 'none.json'), '{}');
    const { code, out, err } = await manifests('--outputs-file', join(folder, 'none.json'));
    expect([code, out]).toEqual([EXIT.refused, '']);
    expect(err).toMatch(/SERVICE_ACCOUNT_ROLE_ARN: .*the output service_account_role_arn/);
    expect(err).toMatch(/SNS_TOPIC_ARN: /);
  });

  it.each([
    [[], /--from needs --outputs-file/],
    [['--outputs-file', '/nowhere'], /\/nowhere can't be read as outputs/],
    [['--outputs-file', 'package.json', '--set', 'x'], /NAME=VALUE is needed/],
  ])('refuses %j', async (parameters, message) => {
    const { code, out, err } = await manifests(...parameters);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(message);
  });
});
