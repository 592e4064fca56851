import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Testing } from 'cdktf';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FileProcessingStack } from '../src/file-processing/stack.ts';
import { loadEnvironment } from '../src/settings/environment.ts';
import { ROOT, runMain, STACKS } from './support/run-main.ts';

const ENVIRONMENTS = ['etl-playground', 'complete'] as const;

/** All addresses of a stack's JSON, sorted: what Terraform would replace if one changed. */
function addresses(json: string): string {
  const { resource = {}, data = {}, output = {}, variable = {} } = JSON.parse(json);
  const named = (prefix: string, types: Record<string, object>) =>
    Object.entries(types).flatMap(([type, names]) =>
      Object.keys(names).map((name) => `${prefix}${type}.${name}`),
    );
  const lines = [
    ...named('', resource),
    ...named('data.', data),
    ...named('', { output, variable }),
  ];
  return `${lines.sort().join('\n')}\n`;
}

const SYNTHESES = {
  'etl-playground': runMain({ environment: 'etl-playground' }),
  complete: runMain({ environment: 'complete' }),
};

describe.each(ENVIRONMENTS)('the environment %s', (environment) => {
  const synthesis = SYNTHESES[environment];

  it('is synthesized without a fault', () => {
    expect(synthesis.stderr.replaceAll(/\(.*\n/g, '')).toBe('');
    expect(synthesis.status).toBe(0);
  });

  it.each(STACKS)('has the addresses of %s that are recorded', async (stack) => {
    await expect(addresses(synthesis.json[stack])).toMatchFileSnapshot(
      `golden/${environment}.${stack}.addresses.txt`,
    );
  });

  it('has the addresses of its database that are recorded, if it has one', async () => {
    const json = synthesis.json['postgres-on-demand'];
    expect(json === undefined).toBe(environment === 'etl-playground');
    if (json === undefined) return;
    await expect(addresses(json)).toMatchFileSnapshot(
      `golden/${environment}.postgres-on-demand.addresses.txt`,
    );
  });

  it('says how many resources there are, what is unwise, where the JSON lies and what to do next', () => {
    expect(synthesis.stdout).toMatch(/^file-processing: \d+ resources in .*cdk\.tf\.json$/m);
    expect(synthesis.stdout).toMatch(/^Warnings \(\d+\)$/m);
    expect(synthesis.stdout).toMatch(/npm run manage -- apply foundation-network/);
  });
});

describe('the JSON', () => {
  const first = SYNTHESES['etl-playground'];

  it('is the same to the byte in a second run from another working directory', () => {
    expect(runMain({ cwd: tmpdir() }).json).toEqual(first.json);
  });

  it('needs no Terraform', () => {
    const { status, stderr, json } = runMain({ env: { PATH: '' } });
    expect(status, stderr).toBe(0);
    expect(json).toEqual(SYNTHESES['etl-playground'].json);
  });

  it('is the same on another day, on which it warns of the version', () => {
    const years = Date.UTC(2030, 0, 1) / 1000;
    const later = runMain({ env: { SOURCE_DATE_EPOCH: `${years}` } });
    expect(later.json).toEqual(SYNTHESES['etl-playground'].json);
    expect(later.stdout).toContain('is no longer supported by EKS since 2028-03-27');
    expect(first.stdout).not.toContain('supported by EKS');
  });

  it.each(ENVIRONMENTS)('of %s is what cdktf writes when it is not made lighter', (environment) => {
    const { name, fileProcessing, rules } = loadEnvironment(ROOT, environment);
    const stack = new FileProcessingStack(Testing.app(), 'file-processing', {
      environment: name,
      settings: fileProcessing,
      rules,
    });
    const { '//': _, ...synthesized } = JSON.parse(SYNTHESES[environment].json['file-processing']);
    expect(synthesized).toEqual(JSON.parse(Testing.synth(stack)));
  });
});

describe('a copy of the checkout', () => {
  let root: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'checkout-'));
    for (const entry of ['main.ts', 'package.json', 'src', 'environments']) {
      cpSync(join(ROOT, entry), join(root, entry), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  });

  beforeEach(() => {
    rmSync(join(root, 'environments/dev'), { recursive: true, force: true });
    mkdirSync(join(root, 'environments/dev'));
    write('foundation_network.tfvars', '');
  });

  afterAll(() => rmSync(root, { recursive: true }));

  function write(file: string, text: string): void {
    writeFileSync(join(root, 'environments/dev', file), text);
  }

  it('gives the same JSON to the byte', () => {
    expect(runMain({ root }).json).toEqual(SYNTHESES['etl-playground'].json);
  });

  it("with faults in a user's environment ends with code 1, names them all on standard error, and writes nothing", () => {
    write('file_processing.tfvars', 'bucket_name = "x"\nreplicas = 0\n');
    const { status, stdout, stderr } = runMain({ root, environment: 'dev' });
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^2 faults in the settings:\n.*:1: bucket_name.*\n.*:2: replicas.*\n/);
  });

  it('says without a stack trace what a stack cannot be made of', () => {
    const prefixes = JSON.stringify([...Array(20).keys()].map((n) => `${n}${'x'.repeat(190)}/`));
    write('file_processing.tfvars', `bucket_name = "drop-box"\ns3_prefixes = ${prefixes}\n`);
    const { status, stderr } = runMain({ root, environment: 'dev' });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^1 fault in the settings:\n.*: s3_prefixes: the listener's policy.*\n$/,
    );
  });

  it('with a password keeps it out of JSON, output and errors', () => {
    const bucket = 'bucket_name = "drop-box"\n';
    const password = 'db_password = "MARKER-7f3a"\ndb_host = "db"\ndb_name = "a"\ndb_user = "b"\n';
    write('file_processing.tfvars', bucket + password);
    const env = { TF_VAR_db_password: 'MARKER-7f3a' };
    const good = runMain({ root, environment: 'dev', env });
    write('file_processing.tfvars', `${password}db_password = "MARKER-7f3a"\ndb_port = "MARKER`);
    const bad = runMain({ root, environment: 'dev', env });
    expect([good.status, bad.status]).toEqual([0, 1]);
    expect(JSON.stringify([good, bad])).not.toContain('MARKER-7f3a');
  });

  it('has a database only with a file for it, and may then have the listener find it', () => {
    write('file_processing.tfvars', 'bucket_name = "drop-box"\ndatabase = "on_demand"\n');
    const without = runMain({ root, environment: 'dev' });
    expect(without.status).toBe(1);
    expect(without.stderr).toMatch(/:2: database: needs postgres_on_demand\.tfvars/);
    write('postgres_on_demand.tfvars', '');
    const { status, json, stdout } = runMain({ root, environment: 'dev' });
    expect(status).toBe(0);
    expect(json['postgres-on-demand']).toHaveResourceAt('aws_db_instance.database');
    expect(json['file-processing']).toHaveDataSourceAt('data.aws_db_instance.database');
    expect(stdout).toContain('postgres_on_demand.tfvars: alarm_topic_arn: ');
  });

  it('with an image only in container_image.txt deploys it, and without any deploys no listener', () => {
    write('file_processing.tfvars', 'bucket_name = "drop-box"\n');
    const without = runMain({ root, environment: 'dev' }).json['file-processing'];
    expect(without).not.toHaveResourceAt('kubernetes_deployment_v1.sns_listener');
    expect(without).toHaveResourceAt('kubernetes_service_account_v1.sa');
    const image = `repo/file-processing@sha256:${'a'.repeat(64)}`;
    write('container_image.txt', `${image}\n`);
    const withImage = runMain({ root, environment: 'dev' }).json['file-processing'];
    expect(withImage).toHaveResourceAt('kubernetes_deployment_v1.sns_listener');
    expect(withImage).toHaveVariableNamed('image', { default: image });
  });
});
