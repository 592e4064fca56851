import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { fallbackFolderFor } from '../../../listener/local/postgres/place.ts';
import { readConfig } from '../../../listener/src/config.ts';
import { startRules } from '../../../listener/src/serve/rules-in-force.ts';
import { createLocalStore } from '../../../listener/src/storage/local-store.ts';
import { ruleTextsIn } from '../../../src/settings/rules-folder.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { eventually } from '../../support/eventually.ts';
import { synthesizeWorkload } from '../../support/synthesized-workload.ts';
import { cli, eventOf } from '../support/cli.ts';
import { copyCluster } from '../support/copy-cluster.ts';
import { createTestDatabase } from '../support/postgres.ts';
import {
  mountedFolder,
  OFFICER_RULES,
  OFFICERS_FILE,
  ruleFolder,
  rulesOfBucket,
  SAME_VERDICTS,
  writeRules,
} from '../support/rule-sets.ts';
import { type SynthesizedStack, synthesizedStack } from '../support/synthesized-stack.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const START = join(ROOT, 'listener/local/start.ts');
const PATHS = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  TMPDIR: process.env.TMPDIR,
};

/** One database for all tests of the file. */
let state: string;
beforeAll(async () => {
  state = await mkdtemp(join(inject('postgresCluster'), '../start-'));
  // As root, PostgreSQL runs as another user, who has to get to its data.
  await chmod(state, 0o711);
  await copyCluster(inject('postgresCluster'), join(state, 'postgres'));
});
afterAll(async () => {
  await rm(state, { recursive: true, force: true });
  // Made where the server's user could not reach the copy of the cluster, and then never removed.
  expect(existsSync(fallbackFolderFor(join(state, 'postgres')))).toBe(false);
});

async function writeStack(change: (resource: SynthesizedStack['resource']) => void = () => {}) {
  const stack = await synthesizedStack();
  change(stack.resource);
  const folder = await mkdtemp(join(state, 'stack-'));
  const path = join(folder, 'cdk.tf.json');
  await writeFile(path, JSON.stringify(stack));
  return { path, data: join(folder, 'data') };
}

interface Stack {
  readonly path: string;
  readonly data: string;
}

/** Starts the local flow of a stack that is synthesized; it ends with the test. */
function start(stack: Stack, ...parameters: string[]) {
  return endingWithTest(launchFlow(stack, ...parameters));
}

function launchFlow(stack: Stack, ...parameters: string[]) {
  return launchIn({}, stack, ...parameters);
}

function launchIn(
  environment: Record<string, string>,
  { path, data }: Stack,
  ...parameters: string[]
) {
  const flow = ['--stack', path, '--data', data, '--state', state];
  return launch(process.execPath, [START, ...flow, ...parameters], environment);
}

/** Starts as the README says. */
function npmStart(parameters: string[], environment: Record<string, string>) {
  return endingWithTest(launch('npm', ['start', '--', ...parameters], environment));
}

function endingWithTest<Flow extends { end(): Promise<void> }>(flow: Flow): Flow {
  onTestFinished(flow.end);
  return flow;
}

function launch(command: string, parameters: string[], environment: Record<string, string> = {}) {
  const child = spawn(command, parameters, {
    cwd: ROOT,
    // A process group of its own, so that all of npm's processes get what a terminal would send.
    detached: true,
    env: { ...COMPILE_CACHE, ...PATHS, PORT: '0', METRICS_PORT: '0', ...environment },
  });
  const kill = (signal: NodeJS.Signals) => process.kill(-(child.pid ?? 0), signal);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return {
    pid: child.pid ?? 0,
    ended,
    /** Asks it to end and does not kill it: a kill would leave the database running. */
    async end() {
      if (child.exitCode === null) kill('SIGTERM');
      await ended;
    },
    kill,
    output: () => out,
    errors: () => err,
    prints: (text: string | RegExp) => eventually(() => expect(out + err).toMatch(text)),
  };
}

/** Ids of the processes that a process has started. */
async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child = 0]) => child);
}

async function listenerOf(pid: number): Promise<number> {
  for (const child of await childrenOf(pid)) {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(child)]);
    if (stdout.includes('listener-entry')) return child;
  }
  throw new Error('there is no listener');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const BUCKET = 'etl-ba-research-client-etl';

test('--once judges the files of several buckets, each by its own prefixes', async () => {
  const stack = await writeStack((resource) => {
    delete resource.aws_s3_bucket_notification;
    const { data } = resource.kubernetes_config_map_v1.config;
    for (const name of ['S3_BUCKET', 'S3_PREFIXES', 'S3_SUFFIX']) delete data[name];
    data.S3_BUCKETS =
      '[{"name":"one","prefixes":["a/"]},{"name":"two","prefixes":["b/"],"account":"210987654321"}]';
  });
  for (const path of ['one/a', 'two/a', 'two/b', 'three/a']) {
    await mkdir(join(stack.data, path), { recursive: true });
    await writeFile(join(stack.data, path, 'f.csv'), 'n\n1\n');
  }
  const flow = start(stack, '--once');
  expect(await flow.ended).toBe(0);
  const verdicts = flow.output().trim().split('\n').sort();
  expect(verdicts).toEqual([
    expect.stringContaining('three/a/f.csv: the event notifications are for the buckets one, two'),
    expect.stringContaining('two/a/f.csv: the event notification covers only b/*'),
    expect.stringMatching(/^[A-Z]+ +one\/a\/f\.csv: /),
    expect.stringMatching(/^[A-Z]+ +two\/b\/f\.csv: /),
  ]);
});

test('--once judges the sample that the first start brings, and knows it the second time', async () => {
  const stack = await writeStack(({ kubernetes_config_map_v1 }) => {
    expect(kubernetes_config_map_v1.config.data.WRITE_REPORTS).toBe('true');
  });
  const first = start(stack, '--once');
  expect(await first.ended).toBe(0);
  expect(first.output()).toMatch(/^FAILED .*Officer_Detail\.csv: 12 rows, 9 faults \(.*\n$/);
  const second = start(stack, '--once');
  expect(await second.ended).toBe(0);
  expect(second.output()).toMatch(
    /^FAILED .*Officer_Detail\.csv: 12 rows, 9 faults, judged before/,
  );
  // Of the reports that the stack writes to the bucket, none appears in the drop folder.
  expect(await readdir(stack.data)).toEqual([BUCKET]);
  expect(await readdir(join(stack.data, BUCKET))).toEqual(['from_client']);
});

describe('a rejected file whose entry has a contact and targets for copies', () => {
  const key = 'from_client/nm/officers.csv';
  let stack: Stack;
  let folder: string;
  let flow: ReturnType<typeof launch>;
  beforeAll(async () => {
    stack = await writeStack();
    folder = await mkdtemp(join(state, 'mail-'));
    const rules = join(folder, 'rules');
    await writeRules(rules, {
      ...OFFICER_RULES,
      'monitoring_files/nm/officers.yaml': {
        ...{ ...OFFICERS_FILE, bucket: BUCKET },
        contact: { email: 'clerk@example.org' },
        onVerdict: { copy: { prefix: 'checked/' } },
      },
    });
    await copyCluster(inject('postgresCluster'), join(folder, 'postgres'));
    const environment = {
      ROUTING_TARGETS: JSON.stringify([{ bucket: BUCKET, prefix: 'checked/' }]),
    };
    flow = launchIn(environment, stack, '--rules', rules, '--mail', '--state', folder);
    await flow.prints(/ready: copy a CSV file into/);
    await mkdir(dirname(join(stack.data, BUCKET, key)), { recursive: true });
    await writeFile(join(stack.data, BUCKET, key), 'n\nmarker-of-a-value\n');
  });
  afterAll(() => flow.end());

  test('--mail keeps what the contact and the operators are told of it, without a value of it', async () => {
    await flow.prints(/^MAIL {7}to clerk@example\.org: .*\.eml$/m);
    await flow.prints(/^MAIL {7}to operators@localhost\.localdomain: .*\.eml$/m);
    const names = await readdir(join(folder, 'mail'));
    const mails = await Promise.all(
      names.map((name) => readFile(join(folder, 'mail', name), 'utf8')),
    );
    expect(mails.filter((mail) => /^To: clerk@example\.org\r$/m.test(mail))).not.toEqual([]);
    expect(mails.join('\n')).toContain('officers.csv');
    expect(mails.join('\n')).not.toContain('marker-of-a-value');
  });

  test('is copied by its verdict where ROUTING_TARGETS allows it, and its copy is not a delivery', async () => {
    const rejected = join(stack.data, BUCKET, 'checked/rejected/from_client/nm');
    await eventually(async () => {
      const [version = ''] = await readdir(rejected);
      expect(await readdir(join(rejected, version))).toEqual([
        'officers.csv',
        'officers.csv.rejects.csv',
      ]);
    });
    // What is dropped after the copies is told of after them.
    await writeFile(join(stack.data, BUCKET, 'elsewhere.csv'), 'n\n1\n');
    await flow.prints(/NO EVENT .*elsewhere\.csv/);
    expect(flow.output()).not.toContain('checked/');
  });
});

// LocalStack's way, with the same files: __tests__/localstack/rules.test.ts.
test('files have the same verdicts by validate, npm start, and a pod of the manifests', async () => {
  const stack = await writeStack();
  const keyOf = (name: string) => `from_client/nm/${name}/officers.csv`;
  const fileOf = (name: string) => join(stack.data, BUCKET, keyOf(name));
  for (const [name, text] of SAME_VERDICTS) {
    await mkdir(dirname(fileOf(name)), { recursive: true });
    await writeFile(fileOf(name), text);
  }
  const rules = await ruleFolder(rulesOfBucket(BUCKET));

  const schema = join(rules, 'mappings/officers.yaml');
  for (const [name, , verdict] of SAME_VERDICTS) {
    const validated = await cli(['validate', fileOf(name), '--schema', schema, '--json']);
    expect(JSON.parse(validated.out), name).toMatchObject({ verdict });
  }

  const flow = start(stack, '--once', '--rules', rules);
  expect(await flow.ended).toBe(0);
  for (const [name, , verdict] of SAME_VERDICTS) {
    expect(flow.output()).toMatch(
      new RegExp(`^${verdict.toUpperCase()} .*${name}/officers\\.csv: 1 row`, 'm'),
    );
  }
  expect(flow.output()).toMatch(/bad\/officers\.csv: 1 row, 1 fault \(1 type-error\)/);

  const given = await createTestDatabase();
  onTestFinished(() => given.drop());
  const { settings, mounted } = await podOf(rules);
  // What only Terraform knows, and the database of the cluster, have no part in a verdict.
  const inPod = Object.entries(settings).filter(
    ([name, value]) => !name.startsWith('DB_') && !value.includes('${'),
  );
  const environment = {
    ...Object.fromEntries(inPod),
    ...{ RULES_LOCATION: mounted, DATABASE_URL: given.url, LOCAL_S3_ROOT: stack.data },
  };
  const location = readConfig(environment, { database: true, httpIntake: false }).rulesLocation;
  const inForce = await startRules({
    ...{ location: location ?? { folder: '' }, database: given.database },
    ...{ store: createLocalStore(stack.data), logger: pino({ enabled: false }) },
  });
  await inForce.stop();
  for (const [name, , verdict] of SAME_VERDICTS) {
    const event = eventOf(BUCKET, keyOf(name));
    await cli(['run', 's3_data_quality_job', '--event-json', event], environment);
    const { out } = await cli(['runs', 'list', '--limit', '1', '--json'], environment);
    expect(JSON.parse(out)).toMatchObject([{ key: keyOf(name), verdict, rules: 'officers 1' }]);
  }
});

/** Environment and mounted rule set of a pod that the stack with a rule set deploys. */
async function podOf(rules: string) {
  const { resources } = synthesizeWorkload({ bucket_name: BUCKET }, undefined, ruleTextsIn(rules));
  const dataOf = (name: string) =>
    (resources[`kubernetes_config_map_v1.${name}`] as { data: Record<string, string> }).data;
  expect(dataOf('config').RULES_LOCATION).toBe('/etc/file-processing/rules');
  return { settings: dataOf('config'), mounted: await mountedFolder(dataOf('rules')) };
}

test.each([
  ['that is not there', '/nowhere', 'there is no folder /nowhere\n'],
  ['that is broken', undefined, '- mappings/a.yaml:1:1: name: is "A"'],
])('a rule set %s ends the start with 2', async (_name, folder, message) => {
  const broken = { 'mappings/a.yaml': 'name: A\ntableSchema: {}\n' };
  const flow = start(await writeStack(), '--rules', folder ?? (await ruleFolder(broken)));
  expect(await flow.ended).toBe(2);
  expect(flow.errors()).toContain(message);
});

test.skipIf(!existsSync('/proc')).each(['--data', '--state'])(
  '%s with a folder that no file system has ends the start with 2, at once',
  async (option) => {
    const flow = start(await writeStack(), option, '/proc/none');
    expect(await flow.ended).toBe(2);
    expect(flow.errors()).toMatch(/^\/proc\/none can't be used \(ENOENT\): .*\n$/);
  },
);

describe('while it runs', () => {
  let stack: Stack;
  let flow: ReturnType<typeof launch>;
  beforeAll(async () => {
    stack = await writeStack((resource) => {
      resource.kubernetes_config_map_v1.config.data.REPORT_PREFIX = 'from_client/reports/';
    });
    flow = launchFlow(stack);
    await flow.prints(/ready: copy a CSV file into .*from_client/);
  });
  afterAll(() => flow.end());

  test('a file that is dropped is judged', async () => {
    await writeFile(join(stack.data, BUCKET, 'from_client', 'a b.csv'), 'n\n1\n');
    await flow.prints(/WARNED +\S+\/from_client\/a b\.csv: 1 row, 0 faults, rules: none/);
  });

  test('another one on the same state is refused with 2, and this one runs on', async () => {
    const other = start(stack, '--once');
    expect(await other.ended).toBe(2);
    expect(other.errors()).toMatch(
      /is in use by another process: .*name another folder by --state/,
    );
  });

  test('a file without an event notification, or that the listener ignores, is told and not judged', async () => {
    await writeFile(join(stack.data, BUCKET, 'elsewhere.csv'), 'n\n1\n');
    await flow.prints(
      /NO EVENT .*elsewhere\.csv: the event notification covers only from_client\/\*/,
    );
    await writeFile(join(stack.data, 'beside.csv'), 'n\n1\n');
    await flow.prints(/NO EVENT .*beside\.csv: it is in no bucket; drop it below /);
    await mkdir(join(stack.data, BUCKET, 'from_client/reports'));
    await writeFile(join(stack.data, BUCKET, 'from_client/reports/a.csv'), 'n\n1\n');
    await flow.prints(/IGNORED .*a\.csv: the key is under our report prefix/);
  });

  test('the address of the database is for its owner alone', async () => {
    await flow.prints('DATABASE_URL_FILE=');
    const url = (await readFile(join(state, 'database-url'), 'utf8')).trim();
    expect((await stat(join(state, 'database-url'))).mode & 0o077).toBe(0);
    expect(flow.output()).not.toContain(new URL(url).password);
  });

  test('a listener that is killed starts again and takes what lands', async () => {
    process.kill(await listenerOf(flow.pid), 'SIGKILL');
    await flow.prints(/the listener ended \(SIGKILL\) and is started again/);
    await writeFile(join(stack.data, BUCKET, 'from_client', 'after.csv'), 'n\n1\n');
    await flow.prints(/WARNED .*after\.csv/);
  });

  test('Ctrl-C leaves no process', async () => {
    const children = await childrenOf(flow.pid);
    expect(children.length).toBeGreaterThanOrEqual(2);
    flow.kill('SIGINT');
    expect(await flow.ended).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  test('a second start shows the sample once more, and once', async () => {
    const again = start(stack);
    await again.prints('ready:');
    await again.prints(/WARNED .*a b\.csv: 1 row, 0 faults, judged before/);
    expect(again.output().match(/FAILED .*Officer_Detail/g)).toHaveLength(1);
  });
});

test('npm start is at most 20 lines: stacks, places, the sample and a command for all of it', async () => {
  const folder = await mkdtemp(join(state, 'npm-'));
  const flow = npmStart(['--data', join(folder, 'data'), '--state', state], {
    CDKTF_OUTPUT: join(folder, 'out'),
  });
  await flow.prints(/^ready: .*\n/m);
  expect(flow.output().split('\n').slice(0, -1).length).toBeLessThanOrEqual(20);
  expect(flow.errors()).toBe('');
  expect(flow.output()).toMatch(/^ {2}foundation-network {2}\d+ resources in /m);
  expect(flow.output()).toMatch(/^ {2}file-processing {5}\d+ resources in /m);
  expect(flow.output()).toMatch(/^ {2}listener .*\n {2}SNS .*\n {2}PostgreSQL .*/m);
  expect(flow.output()).toMatch(
    /faulty on purpose:\nFAILED .*\n {2}record 12, line 12, .*: unclosed-quote: .*\n {2}record 11, line 11, .*: missing-cell: .*\n {2}record 8, line 8, .*: type-error: .*\n[^ ]/,
  );
  const [command = ''] = /DATABASE_URL_FILE=.* runs show .*/.exec(flow.output()) ?? [];
  const pasted = launch('sh', ['-c', command]);
  expect(await pasted.ended).toBe(0);
  expect(pasted.output()).toMatch(
    /^FAILED[\s\S]*unclosed-quote[\s\S]*primary-key[\s\S]*verdict: failed/,
  );
});

test('a wrong option is one line and 2, before any synthesis', async () => {
  const CDKTF_OUTPUT = join(await mkdtemp(join(state, 'npm-')), 'out');
  const flow = endingWithTest(launch(process.execPath, [START, '--onse'], { CDKTF_OUTPUT }));
  expect(await flow.ended).toBe(2);
  expect(flow.errors()).toBe("Unknown option '--onse'; npm start -- --help lists the options\n");
  expect(existsSync(CDKTF_OUTPUT)).toBe(false);
});

test('settings that cannot be synthesized end the start as they end npm run synth', async () => {
  const flow = npmStart(['--once'], { ENVIRONMENT: 'nowhere' });
  expect(await flow.ended).toBe(1);
  expect(flow.errors()).toMatch(/^1 fault in the settings:\n {2}environments\/nowhere: .*\n$/);
});

test('a changed stack is followed: bucket, filter and environment', async () => {
  const stack = await writeStack((resource) => {
    resource.aws_s3_bucket_notification = {
      bucket: { bucket: 'other-bucket', topic: [{ filter_prefix: 'inbox/' }] },
    };
    Object.assign(resource.kubernetes_config_map_v1.config.data, {
      S3_BUCKET: 'other-bucket',
      S3_PREFIXES: 'inbox/',
      REPORT_PREFIX: 'inbox/reports/',
    });
  });
  const first = start(stack, '--once');
  expect(await first.ended).toBe(0);
  expect(first.output()).toContain('other-bucket/inbox/nm_albuquerque/Officer_Detail.csv');
});

test('a setting that the listener refuses ends the start with its own words and its code', async () => {
  const stack = await writeStack((resource) => {
    resource.kubernetes_config_map_v1.config.data.WORKER_CONCURRENCY = '1000';
  });
  const flow = start(stack);
  expect(await flow.ended).toBe(EXIT.usage);
  expect(flow.errors()).toMatch(/^1 fault in the environment:\n- WORKER_CONCURRENCY=.*\n$/);
});

test.each(['data', 'state'])(
  'a folder for --%s that cannot be made is one line',
  async (option) => {
    const { path, data } = await writeStack();
    // Nobody makes a folder below a file, not even root.
    const folder = join(path, option);
    const flow = start({ path, data }, `--${option}`, folder);
    expect(await flow.ended).toBe(2);
    expect(flow.output() + flow.errors()).toMatch(
      /^\S+ can't be used \(ENOTDIR\): --data and --state name other folders\n$/,
    );
  },
);

test('without a synthesized stack the start says what to do', async () => {
  const flow = start({ path: '/nowhere/cdk.tf.json', data: '/nowhere' });
  expect(await flow.ended).toBe(2);
  expect(flow.errors()).toBe(
    "/nowhere/cdk.tf.json can't be read (ENOENT): run npm run synth first\n",
  );
});
