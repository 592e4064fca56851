import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../../../src/settings/environment.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';

const GIVEN = ['--region', 'us-gov-west-1', '--bucket', 'dev-drop'];
const DATABASE = ['--db-host', 'db.dev.internal', '--db-name', 'etl_db', '--db-user', 'etl_user'];

/** Runs the command where nobody can be asked. */
async function newEnvironment(parameters: readonly string[], root = temporaryRoot()) {
  return { root, ...(await manage(['new-environment', ...parameters], { root })) };
}

/** Runs it at a terminal; a question is answered by the first answer whose variable it names. */
async function answered(answers: readonly (readonly [variable: string, answer: string])[]) {
  const root = temporaryRoot();
  const left = [...answers];
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    const at = left.findIndex(([variable]) => question.includes(`\n${variable}`));
    return at === -1 ? '' : left.splice(at, 1)[0]?.[1];
  };
  const result = await manage(['new-environment', 'dev'], { root, ask });
  return { root, questions, ...result };
}

function textOf(root: string, name: string, table: string): string {
  return readFileSync(join(root, 'environments', name, `${table}.tfvars`), 'utf8');
}

/** Nothing of the environment, and nothing that was written on the way to it. */
function expectNothingWritten(root: string): void {
  expect(readdirSync(join(root, 'environments')).sort()).toEqual(['complete', 'etl-playground']);
  expect(readdirSync(root)).toEqual(['environments']);
}

describe('an environment by options', () => {
  test('that the file system does not take is one line, and nothing stays behind', async () => {
    const root = temporaryRoot();
    rmSync(join(root, 'environments'), { recursive: true });
    const { code, err } = await newEnvironment(['dev', ...GIVEN], root);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: environments\/dev can't be written: ENOENT.*\n$/);
    expect(readdirSync(root)).toEqual([]);
  });

  test('is one that the settings are read from, without a placeholder', async () => {
    const { code, root } = await newEnvironment([
      ...['dev', ...GIVEN, ...DATABASE, '--profile', 'etl-dev', '--vpc-cidr', '10.7.0.0/16'],
      ...['--api-cidrs', '10.7.1.0/24, 10.7.2.0/24', '--db-port', '5433'],
      ...['--account', '210987654321'],
    ]);
    expect(code).toBe(0);
    const { foundationNetwork, fileProcessing, placeholders } = loadEnvironment(root, 'dev');
    expect(foundationNetwork).toMatchObject({
      aws_region: 'us-gov-west-1',
      aws_profile: 'etl-dev',
      account_id: '210987654321',
      name_prefix: 'dev',
      vpc_cidr: '10.7.0.0/16',
    });
    expect(fileProcessing).toMatchObject({
      aws_region: 'us-gov-west-1',
      aws_profile: 'etl-dev',
      account_id: '210987654321',
      foundation_name_prefix: 'dev',
      cluster_endpoint_private_access_cidrs: ['10.7.1.0/24', '10.7.2.0/24'],
      bucket_name: 'dev-drop',
      image: '',
      db_host: 'db.dev.internal',
      db_port: 5433,
      db_name: 'etl_db',
      db_user: 'etl_user',
    });
    expect(placeholders).toEqual([]);
    expect(readdirSync(root)).toEqual(['environments']);
  });

  test('takes what is left out from what was given, or from nobody', async () => {
    const { root } = await newEnvironment(['dev', ...GIVEN, '--vpc-cidr', '10.7.0.0/16']);
    const { fileProcessing } = loadEnvironment(root, 'dev');
    expect(fileProcessing).toMatchObject({
      aws_profile: '',
      account_id: '',
      cluster_endpoint_private_access_cidrs: ['10.7.0.0/16'],
      db_host: '',
    });
  });

  test.each([
    ['with commas', ['--bucket', 'dev-drop, dev-letters']],
    ['one by one', ['--bucket', 'dev-drop', '--bucket', 'dev-letters']],
  ])('of several buckets, %s, lists them', async (_, buckets) => {
    const parameters = ['dev', '--region', 'us-gov-west-1', ...buckets];
    const { code, root } = await newEnvironment(parameters);
    expect(code).toBe(0);
    expect(loadEnvironment(root, 'dev').fileProcessing).toMatchObject({
      bucket_name: '',
      buckets: [
        { name: 'dev-drop', prefixes: ['from_client/'] },
        { name: 'dev-letters', prefixes: ['from_client/'] },
      ],
    });
    expect(textOf(root, 'dev', 'file_processing')).toContain(
      'buckets = [{ name = "dev-drop" }, { name = "dev-letters" }]\n',
    );
  });

  test.each([
    ['dev-drop,Upper', '--bucket: buckets[1].name = "Upper": must be a bucket name'],
    ['dev-drop,dev-drop', '--bucket: buckets[1].name: dev-drop is that of buckets[0] too'],
  ])('of the buckets %s is not written', async (names, problem) => {
    const parameters = ['dev', '--region', 'us-gov-west-1', '--bucket', names];
    const { code, root, err } = await newEnvironment(parameters);
    expect(code).toBe(64);
    expect(err).toContain(problem);
    expectNothingWritten(root);
  });

  test('says of each variable what it does, and shows what else can be set', async () => {
    const { root } = await newEnvironment(['dev', ...GIVEN]);
    const text = textOf(root, 'dev', 'file_processing');
    expect(text).toContain(
      '# Bucket that the clients drop their files into. It must exist. Required, unless `buckets` names\n# several.\nbucket_name = "dev-drop"\n',
    );
    expect(text).toContain('\n# sns_endpoint_url = "https://files.example.gov/"\n');
    expect(
      text.split('\n').filter((line) => /^# .{99,}/.test(line) && !line.includes(' = ')),
    ).toEqual([]);
  });

  test('tells what comes next: the password only with a database, the image until there is one', async () => {
    const { out } = await newEnvironment(['dev', ...GIVEN, ...DATABASE]);
    expect(out).toMatch(/^environments\/dev\/foundation_network\.tfvars\n/);
    expect(out).toContain('npm run manage -- apply foundation-network --environment dev\n');
    expect(out).toContain('TF_VAR_db_password');
    expect(out).toContain('update-image');
    const image = '210987654321.dkr.ecr.us-gov-west-1.amazonaws.com/etl:1';
    const { out: other } = await newEnvironment(['dev', ...GIVEN, '--image', image]);
    expect(other).not.toContain('TF_VAR_db_password');
    expect(other).not.toContain('update-image');
  });

  test('is told as JSON', async () => {
    const { out } = await newEnvironment(['dev', ...GIVEN, '--json']);
    expect(JSON.parse(out)).toStrictEqual({
      environment: 'dev',
      files: [
        'environments/dev/foundation_network.tfvars',
        'environments/dev/file_processing.tfvars',
      ],
      warnings: expect.arrayContaining([expect.stringContaining('alarm_topic_arn')]),
      next: expect.arrayContaining(['npm run manage -- apply --environment dev']),
    });
  });
});

describe('an environment at a terminal', () => {
  test('is asked for, with what is taken when nothing is answered', async () => {
    const { code, root, questions } = await answered([
      ['aws_region', 'us-east-1'],
      ['bucket_name', 'dev-drop'],
    ]);
    expect(code).toBe(0);
    expect(questions).toContain('Addresses of the VPC.\nvpc_cidr [10.0.0.0/16]: ');
    expect(loadEnvironment(root, 'dev').fileProcessing).toMatchObject({
      aws_region: 'us-east-1',
      bucket_name: 'dev-drop',
      cluster_endpoint_private_access_cidrs: ['10.0.0.0/16'],
    });
  });

  test('is not asked about a database that it does not have', async () => {
    const { questions } = await answered([
      ['aws_region', 'us-east-1'],
      ['bucket_name', 'dev-drop'],
    ]);
    expect(questions.filter((question) => /\ndb_(name|user|port)/.test(question))).toEqual([]);
  });

  test('asks again where an answer is not allowed, or is needed', async () => {
    const { code, questions } = await answered([
      ['aws_region', ''],
      ['aws_region', 'moon-1'],
      ['aws_region', 'us-east-1'],
      ['bucket_name', 'Upper'],
      ['bucket_name', 'dev-drop'],
    ]);
    expect(code).toBe(0);
    expect(questions.filter((question) => question.includes('\naws_region'))).toHaveLength(3);
    expect(
      questions.filter((question) => question.startsWith('must be a bucket name')),
    ).toHaveLength(1);
  });
});

describe('nothing is written', () => {
  test('and every option at fault is named at once', async () => {
    const { code, err, root } = await newEnvironment([
      ...['dev', '--bucket', 'Upper', '--vpc-cidr', '10.0.0.1/16', '--db-host', 'db.internal'],
      ...['--db-port', 'many'],
    ]);
    expect(code).toBe(64);
    for (const line of [
      '--region: aws_region: is required; must be a region',
      '--vpc-cidr: vpc_cidr = "10.0.0.1/16": must be an IPv4 block',
      '--bucket: bucket_name = "Upper": must be a bucket name',
      '--db-port: db_port = "many": must be a whole number',
      '--db-name: db_name: is required; must be',
      '--db-user: db_user: is required; must be',
    ]) {
      expect(err).toContain(line);
    }
    expectNothingWritten(root);
  });

  test('and what is taken over from an option at fault is no fault of another', async () => {
    const { err } = await newEnvironment(['dev', ...GIVEN, '--vpc-cidr', '10.0.0.1/16']);
    expect(err).toContain('--vpc-cidr: vpc_cidr = "10.0.0.1/16": must be');
    expect(err).not.toContain('--api-cidrs');
  });

  test('where values do not go together', async () => {
    const { code, err, root } = await newEnvironment([
      'dev',
      ...GIVEN,
      '--vpc-cidr',
      '10.0.0.0/28',
    ]);
    expect(err).toContain('--vpc-cidr: vpc_cidr: 10.0.0.0/28 is too small to plan subnets in');
    expect(code).toBe(64);
    expectNothingWritten(root);
  });

  test('where the environment is there already, whatever it holds', async () => {
    const { code, err, root } = await newEnvironment(['etl-playground', ...GIVEN]);
    expect(err).toContain('environments/etl-playground already exists; nothing was written');
    expect(code).toBe(77);
    expectNothingWritten(root);
  });

  test.each(['../dev', '', 'a b', '-'.repeat(2)])('for the name %j', async (name) => {
    const { code, root } = await newEnvironment([...GIVEN, '--', name]);
    expect(code).toBe(64);
    expectNothingWritten(root);
  });

  test('and no expression of Terraform gets in by an answer', async () => {
    const { code, root } = await newEnvironment(['dev', ...GIVEN, '--profile', '${file("x")}']);
    expect(code).toBe(64);
    expect(existsSync(join(root, 'environments/dev'))).toBe(false);
  });
});
