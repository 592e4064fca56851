import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { RULES_MANIFEST } from '@file-processing/contract/rule-set.ts';
import { describe, expect, it } from 'vitest';
import { awsClients } from '../../../../src/operations/aws-clients.ts';
import type { OperationContext } from '../../../../src/operations/operation.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { ROOT } from '../../../support/run-main.ts';

const LOCATION = 's3://agency-rules/file-processing/';
const FILES = [
  'mappings/officer_detail.v1.json',
  `monitoring_files/etl-ba-research-client-etl.officer_detail.json`,
];

/** S3 in memory, with the order in which objects were put. */
function memoryS3() {
  const objects = new Map<string, string>();
  const puts: string[] = [];
  const send = async ({
    input,
    constructor: command,
  }: {
    input: { Bucket: string; Key: string; Body?: string };
    constructor: { name: string };
  }) => {
    const name = `s3://${input.Bucket}/${input.Key}`;
    if (command.name === 'PutObjectCommand') {
      puts.push(name);
      objects.set(name, input.Body ?? '');
      return {};
    }
    const text = objects.get(name);
    const { NoSuchKey } = await import('@aws-sdk/client-s3');
    if (text === undefined) throw new NoSuchKey({ message: 'none', $metadata: {} });
    return { Body: { transformToString: async () => text } };
  };
  const aws: OperationContext['aws'] = (target) => ({
    ...awsClients(target),
    s3: async () => ({ send }) as unknown as S3Client,
  });
  return { objects, puts, aws };
}

function environment(location = LOCATION) {
  const root = temporaryRoot();
  const folder = join(root, 'environments/etl-playground');
  cpSync(join(ROOT, 'listener/seed'), join(folder, 'rules'), { recursive: true });
  if (location)
    appendFileSync(join(folder, 'file_processing.tfvars'), `\nrules_location = "${location}"\n`);
  return root;
}

const checked: Partial<OperationContext> = {
  run: async () => ({ code: 0, stdout: '', stderr: '' }),
};

describe('manage rules-push', () => {
  it('puts the rules of the environment, and their manifest last', async () => {
    const { objects, puts, aws } = memoryS3();
    const context = { ...checked, root: environment(), aws };
    expect(await manage(['rules-push'], context)).toMatchObject({
      code: 0,
      out: `${LOCATION}: pushed, 3 files, 3 new or changed, 0 left out\n`,
    });
    expect(puts.at(-1)).toBe(`${LOCATION}${RULES_MANIFEST}`);
    expect([...objects.keys()]).toEqual(
      expect.arrayContaining(FILES.map((path) => LOCATION + path)),
    );
    expect(
      Object.keys(JSON.parse(objects.get(`${LOCATION}${RULES_MANIFEST}`) ?? '').files),
    ).toHaveLength(3);
  });

  it('puts only what has changed, and nothing the second time', async () => {
    const { puts, aws } = memoryS3();
    const root = environment();
    const context = { ...checked, root, aws };
    await manage(['rules-push'], context);
    puts.length = 0;
    expect((await manage(['rules-push'], context)).out).toContain('unchanged');
    appendFileSync(join(root, 'environments/etl-playground/rules', FILES[0] ?? ''), '\n');
    await manage(['rules-push'], context);
    expect(puts).toEqual([`${LOCATION}${FILES[0]}`, `${LOCATION}${RULES_MANIFEST}`]);
  });

  it('--dry-run puts nothing', async () => {
    const { puts, aws } = memoryS3();
    const { out } = await manage(['rules-push', '--dry-run'], {
      ...checked,
      root: environment(),
      aws,
    });
    expect(out).toContain('would be pushed, 3 files');
    expect(puts).toEqual([]);
  });

  it('pushes nothing that the check refuses, and says why', async () => {
    const { puts, aws } = memoryS3();
    const run = async () => ({
      code: 2,
      stdout: '',
      stderr: '- mappings/a.yaml:1:1: name: is "A"\n',
    });
    const { code, err } = await manage(['rules-push'], { run, root: environment(), aws });
    expect(code).not.toBe(0);
    expect(err).toContain('- mappings/a.yaml:1:1');
    expect(puts).toEqual([]);
  });

  it.each([
    ['without rules_location', '', [], 'has no rules_location'],
    ['for a folder that is not there', LOCATION, ['/nowhere'], 'there is no folder /nowhere'],
  ])('refuses to push %s', async (_name, location, operands, message) => {
    const context = { ...checked, root: environment(location), aws: memoryS3().aws };
    const { code, err } = await manage(['rules-push', ...operands], context);
    expect(code).not.toBe(0);
    expect(err).toContain(message);
  });
});
