import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ALL_RULES } from '../../audit/rules/all-rules.ts';
import { changeStack } from '../fixtures/audit/bad-stack.ts';
import { ROOT } from '../support/run-main.ts';
import { A_DAY, type AuditRun, reportsOf, runAuditHere } from './support/run-audit.ts';
import {
  copyOf,
  synthesizedFolder,
  type TemporaryFolder,
  temporaryFolder,
} from './support/synthesized-folder.ts';

const OWNER = ['--owner', 'A. Smith'];
const REASON = ['--reason', 'As the agency wants it, ticket 4711'];
const ACCEPT = ['--accept', ...OWNER, ...REASON];

let good: TemporaryFolder;
let root: string;
/** What accepting the good synthesis writes. */
let goodAccepted: TemporaryFolder;
const folders: TemporaryFolder[] = [];

beforeAll(async () => {
  good = synthesizedFolder('complete');
  goodAccepted = temporaryFolder();
  folders.push(good, goodAccepted);
  freshRoot();
  await run(good.path, ACCEPT);
  cpSync(join(root, 'audit/accepted'), goodAccepted.path, { recursive: true });
});
afterAll(() => {
  for (const { remove } of folders) remove();
});
// Outside of git, with the waivers and floors of the repository, and nothing accepted.
beforeEach(freshRoot);

function freshRoot(): void {
  const folder = temporaryFolder();
  folders.push(folder);
  root = folder.path;
  for (const name of ['audit/waivers.yaml', 'audit/floors.json', 'environments']) {
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  }
}

function acceptGood(): void {
  cpSync(goodAccepted.path, join(root, 'audit/accepted'), { recursive: true });
}

function changed(change: Parameters<typeof changeStack>[1], stack?: string): string {
  const copy = copyOf(good);
  folders.push(copy);
  changeStack(copy.path, change, stack);
  return copy.path;
}

function run(
  from: string,
  parameters: readonly string[] = [],
  now = A_DAY,
  rules = ALL_RULES,
): Promise<AuditRun> {
  const all = ['--only-rules', '--json', '--from', from, '--out', join(root, 'out')];
  return runAuditHere([...all, ...parameters], { root, now, rules });
}

async function findingsOf(from: string, parameters: readonly string[] = []) {
  const ran = await run(from, parameters);
  return (reportsOf(ran)[0]?.findings ?? []).map(
    ({ rule, place, message }) => `${rule} ${place} ${message}`,
  );
}

const accepted = (name: string) => join(root, 'audit/accepted/complete', name);
const acceptances = (ran: AuditRun) => reportsOf(ran)[0]?.acceptances ?? [];

/** A harmless change of the synthesis. */
const raised = () =>
  changed(({ resource }) => {
    resource.aws_kms_key.logs.deletion_window_in_days = 29 + 1;
    resource.aws_cloudwatch_log_group.sns_failed.retention_in_days = 400;
  });

describe('JSON that nobody accepted', () => {
  it('is one finding, which a command settles', async () => {
    expect(await findingsOf(good.path)).toEqual([
      expect.stringMatching(/^not-yet-accepted file-processing\/terraform Nobody accepted the \d+/),
    ]);
    expect((await run(good.path, ACCEPT)).code).toBe(0);
    expect(await findingsOf(good.path)).toEqual([]);
    expect((await run(good.path)).code).toBe(0);
  });

  it('is told by the types and arguments that no other environment has', async () => {
    await run(good.path, ACCEPT);
    const other = changed(({ provider, resource }) => {
      provider.aws[0].default_tags[0].tags.Environment = 'elsewhere';
      resource.aws_iam_user = { somebody: { name: 'somebody' } };
      resource.aws_sns_topic.file_processing.tracing_config = 'PassThrough';
    });
    const found = (await findingsOf(other)).find((line) => line.startsWith('not-yet-accepted'));
    expect(found).toMatch(
      /elsewhere yet\.\nNo accepted JSON has these of their types and arguments:\nfile-processing: aws_iam_user\nfile-processing: aws_sns_topic tracing_config\.$/,
    );
  });

  it('is told to have nothing of its own where that is so', async () => {
    await run(good.path, ACCEPT);
    const other = changed(({ provider }) => {
      provider.aws[0].default_tags[0].tags.Environment = 'elsewhere';
    });
    expect((await findingsOf(other)).join()).toContain(
      'All their types and arguments are in JSON that somebody accepted for another environment',
    );
  });

  it('is not a finding where the rules alone judge', async () => {
    const ran = await run(good.path, ['--without-accepted']);
    expect(reportsOf(ran)[0]?.findings).toEqual([]);
    expect(reportsOf(ran)[0]?.notes.join()).toContain('left out by --without-accepted');
    expect(ran.code).toBe(0);
  });
});

describe('JSON that differs from what was accepted', () => {
  beforeEach(acceptGood);

  it('is a finding for each block, by what changed, and none for the rules alone', async () => {
    const from = raised();
    expect(await findingsOf(from)).toEqual([
      'differs-from-accepted file-processing/aws_cloudwatch_log_group.sns_failed retention_in_days is 400, accepted was 365.',
    ]);
    expect((await run(from)).code).toBe(1);
    expect(await findingsOf(from, ['--without-accepted'])).toEqual([]);
  });

  it('is settled by accepting it', async () => {
    const from = raised();
    expect((await run(from, ACCEPT)).code).toBe(0);
    expect(await findingsOf(from)).toEqual([]);
    // What was there before is not accepted any more.
    expect((await findingsOf(good.path)).join()).toContain('retention_in_days is 365');
  });

  it('is seen beside what other rules say, which accepting does not silence', async () => {
    const from = changed(({ resource }) => {
      resource.aws_ecr_repository.file_processing.image_tag_mutability = 'MUTABLE';
    });
    const rules = (lines: readonly string[]) => lines.map((line) => line.split(' ')[0]);
    expect(rules(await findingsOf(from))).toEqual(['images-are-trusted', 'differs-from-accepted']);
    const refused = await run(from, ACCEPT);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('nothing was accepted, since other rules are red');
    expect(refused.stderr).toContain('complete: images-are-trusted');
    expect(rules(await findingsOf(from))).toEqual(['images-are-trusted', 'differs-from-accepted']);
  });

  it('is no other image, and no other revision of the password', async () => {
    const from = changed(({ variable }) => {
      variable.image.default = `${variable.image.default.split('@')[0]}@sha256:${'cd'.repeat(32)}`;
      variable.db_password_revision.default += 1;
    });
    expect(await findingsOf(from)).toEqual([]);
  });

  it('is the account of a stranger, a prefix that is gone and an output that says something else', async () => {
    const from = changed(({ resource, output }) => {
      resource.aws_s3_bucket_notification.bucket.topic.pop();
      output.namespace.value = 'another';
      resource.aws_cloudwatch_metric_alarm.dead_letters.alarm_actions = [
        'arn:aws-us-gov:sns:us-gov-west-1:999999999999:on-call',
      ];
    });
    const found = (await findingsOf(from)).filter((line) => line.startsWith('differs-from'));
    expect(found).toEqual([
      expect.stringContaining(
        'alarm_actions has gained "arn:aws-us-gov:sns:us-gov-west-1:999999999999:on-call"',
      ),
      expect.stringContaining('filter_prefix = "from_client/tx_austin/"'),
      expect.stringContaining('value is "another", accepted was "file-processing"'),
    ]);
  });

  it('is a stack that is gone', async () => {
    const from = copyOf(good);
    folders.push(from);
    const manifest = join(from.path, 'manifest.json');
    const { stacks, ...rest } = JSON.parse(readFileSync(manifest, 'utf8'));
    delete stacks['postgres-on-demand'];
    writeFileSync(manifest, JSON.stringify({ ...rest, stacks }));
    expect((await findingsOf(from.path)).join('\n')).toContain(
      'postgres-on-demand/aws_rds_cluster.database Is gone',
    );
  });

  it('is shown by what a waiver does not cover', async () => {
    const file = join(root, 'audit/waivers.yaml');
    const waiver = {
      rule: 'differs-from-accepted',
      address: 'file-processing/aws_cloudwatch_log_group.sns_failed',
      finding: 'retention_in_days is 400, accepted was 365.',
      reason: 'We would rather waive than accept what we changed.',
      owner: 'platform team',
      expires: '2027-06-30',
    };
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n- ${JSON.stringify(waiver)}\n`);
    const found = await findingsOf(raised());
    expect(found.join('\n')).toContain(
      "differs-from-accepted can't be waived: accept the JSON with --accept",
    );
    expect(found.some((line) => line.startsWith('differs-from-accepted'))).toBe(true);
  });
});

describe('the report', () => {
  it('says who accepted what, each block with whoever was last', async () => {
    await run(good.path, ACCEPT);
    const from = raised();
    const second = [
      '--accept',
      '--owner',
      'B. Jones',
      '--reason',
      'The auditors want 400 days of logs',
    ];
    await run(from, second, new Date('2026-12-24T12:00:00Z'));
    const [newest, first] = acceptances(await run(from));
    expect(newest).toMatchObject({
      owner: 'B. Jones',
      reason: 'The auditors want 400 days of logs',
      date: '2026-12-24',
      accepted: ['file-processing/aws_cloudwatch_log_group.sns_failed'],
      judgedBy: ['own rules'],
    });
    expect(first?.owner).toBe('A. Smith');
    expect(first?.accepted).toContain('file-processing/aws_sns_topic.file_processing');
    expect(first?.accepted).not.toContain('file-processing/aws_cloudwatch_log_group.sns_failed');
    const html = readFileSync(join(root, 'out/complete/report.html'), 'utf8');
    expect(html).toContain('B. Jones');
    const text = await runAuditHere(['--only-rules', '--from', from, '--out', join(root, 'out')], {
      root,
    });
    expect(text.stdout).toContain('A. Smith  2026-12-01');
  });

  it('says what somebody accepted to be gone', async () => {
    await run(good.path, ACCEPT);
    const from = changed(({ resource }) => {
      delete resource.aws_kms_alias.logs;
      resource.aws_kms_alias.log = {
        name: 'alias/other',
        target_key_id: '${aws_kms_key.logs.key_id}',
      };
    });
    const ran = await run(from, ACCEPT);
    expect(acceptances(ran)[0]?.gone).toEqual(['file-processing/aws_kms_alias.logs']);
  });

  it('has the commit, and the digest of the inputs where there is none', async () => {
    const unversioned = acceptances(await run(good.path, ACCEPT))[0]?.version;
    expect(unversioned).toMatch(/^unversioned, inputs SHA-256 [0-9a-f]{64}, JSON given in /);
    const git = (...parameters: readonly string[]) =>
      execFileSync(
        'git',
        ['-C', root, '-c', 'user.name=T', '-c', 'user.email=t@example.org', ...parameters],
        {
          encoding: 'utf8',
        },
      ).trim();
    rmSync(join(root, 'audit/accepted'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{}');
    writeFileSync(join(root, '.gitignore'), 'out/\n');
    git('init', '-q');
    // A folder that git has not taken in is not what its commits hold.
    expect(acceptances(await run(good.path, ACCEPT))[0]?.version).toMatch(/^unversioned/);
    rmSync(join(root, 'audit/accepted'), { recursive: true });
    git('add', '-A');
    git('commit', '-q', '-m', 'x');
    const commit = git('rev-parse', 'HEAD');
    expect(acceptances(await run(good.path, ACCEPT))[0]?.version).toMatch(
      new RegExp(`^${commit}, JSON given in`),
    );
    // What was accepted before is not a part of what is accepted.
    git('add', '-A');
    git('commit', '-q', '-m', 'y');
    rmSync(join(root, 'audit/accepted'), { recursive: true });
    const next = git('rev-parse', 'HEAD');
    expect(acceptances(await run(good.path, ACCEPT))[0]?.version).toMatch(
      new RegExp(`^${next}, JSON given in`),
    );
    writeFileSync(join(root, 'package.json'), '{ }');
    expect(acceptances(await run(raised(), ACCEPT))[0]?.version).toMatch(
      new RegExp(`^${next} with uncommitted changes, JSON given in`),
    );
  });
});

describe('the accepted files', () => {
  beforeEach(acceptGood);
  const texts = () =>
    readdirSync(accepted('')).map((name) => [name, readFileSync(accepted(name), 'utf8')]);

  it('are a file for each stack, and the same whenever the same is accepted', async () => {
    const before = texts();
    expect(before.map(([name]) => name)).toEqual([
      'acceptance.json',
      'file-processing.tf.json',
      'foundation-network.tf.json',
      'postgres-on-demand.tf.json',
    ]);
    await run(good.path, ['--accept', '--owner', 'Somebody else', ...REASON]);
    expect(texts()).toEqual(before);
  });

  it.each([
    ['is edited by hand', (text: string) => text.replace('"name"', '"nane"')],
    ['is half written', (text: string) => text.slice(0, text.length / 2)],
    ['has a conflict of git', (text: string) => `<<<<<<< HEAD\n${text}`],
    ['is empty', () => ''],
    ['is another JSON value', () => '[]'],
  ])('are one clear error where one %s', async (_, edit) => {
    for (const name of ['file-processing.tf.json', 'acceptance.json']) {
      const before = readFileSync(accepted(name), 'utf8');
      writeFileSync(accepted(name), edit(before.replace('A. Smith', 'B. "name" Jones')));
      const ran = await run(good.path);
      expect(ran.code).toBe(64);
      expect(ran.stderr).toMatch(new RegExp(`^error: audit/accepted/complete/${name} `));
      expect(ran.stderr).toContain('next: restore the folder from git');
      writeFileSync(accepted(name), before);
    }
    expect((await run(good.path)).code).toBe(0);
  });

  it('are an error before any rule looks', async () => {
    writeFileSync(accepted('acceptance.json'), '');
    let looks = 0;
    const counting = ALL_RULES.slice(0, 1).map((one) => ({
      ...one,
      judge: () => {
        looks += 1;
        return [];
      },
    }));
    expect((await run(good.path, [], A_DAY, counting)).code).toBe(64);
    expect(looks).toBe(0);
  });

  it('are an error where a block has no acceptance, though its file has the recorded digest', async () => {
    const names = ['file-processing.tf.json', 'acceptance.json'] as const;
    const before = names.map((name) => readFileSync(accepted(name), 'utf8'));
    const [stack = '', acceptance = ''] = before;
    const more = JSON.stringify({ ...JSON.parse(stack), 'aws_iam_user.more': { name: 'more' } });
    const changed = JSON.parse(acceptance);
    changed.digests[names[0]] = createHash('sha256').update(more).digest('hex');
    writeFileSync(accepted(names[0]), more);
    writeFileSync(accepted(names[1]), JSON.stringify(changed));
    const ran = await run(good.path);
    for (const [at, name] of names.entries()) writeFileSync(accepted(name), before[at] ?? '');
    expect(ran.stderr).toContain(
      'acceptance.json names nobody who accepted file-processing/aws_iam_user.more',
    );
    expect(ran.code).toBe(64);
  });

  it('are an error where one is missing, or one more is there', async () => {
    cpSync(accepted('file-processing.tf.json'), accepted('more.tf.json'));
    expect((await run(good.path)).stderr).toContain(
      'more.tf.json is not a file that acceptance.json names',
    );
    rmSync(accepted('more.tf.json'));
    rmSync(accepted('file-processing.tf.json'));
    expect((await run(good.path)).stderr).toContain('file-processing.tf.json is missing');
  });

  it('are read with the line ends of another system', async () => {
    for (const [name = '', text = ''] of texts()) {
      writeFileSync(accepted(name), text.replaceAll('\n', '\r\n'));
    }
    expect((await run(good.path)).code).toBe(0);
  });

  it('are written anew where they are broken, and not read by --without-accepted', async () => {
    writeFileSync(accepted('file-processing.tf.json'), '{');
    expect((await run(good.path, ['--without-accepted'])).code).toBe(0);
    expect((await run(good.path, ACCEPT)).code).toBe(0);
    expect((await run(good.path)).code).toBe(0);
  });

  it('hold no region but that of the environment', () => {
    expect(
      texts()
        .map(([, text]) => text)
        .join(),
    ).not.toContain('us-east-1');
  });
});

describe('--accept', () => {
  it.each([
    ['without an owner', ['--accept', ...REASON], '--owner is missing'],
    [
      'with a reason of a word',
      ['--accept', ...OWNER, '--reason', 'ok'],
      '--reason must be at least',
    ],
    ['and its opposite', [...ACCEPT, '--without-accepted'], 'exclude each other'],
    ['left out with an owner', OWNER, '--owner and --reason are of --accept'],
    [
      'of an environment outside of the folder',
      [...ACCEPT, '--environment', '..'],
      "can't be accepted",
    ],
  ])('%s is refused', async (_, parameters, message) => {
    const ran = await run(good.path, parameters);
    expect(ran.code).toBe(64);
    expect(ran.stderr).toContain(message);
    expect(existsSync(join(root, 'audit/accepted'))).toBe(false);
  });

  it('tells all that is missing at once', async () => {
    const { stderr } = await run(good.path, ['--accept']);
    expect(stderr).toContain('--owner');
    expect(stderr).toContain('--reason');
  });

  it('writes nothing for any environment where one of several is red', async () => {
    mkdirSync(join(root, 'src'));
    const waivers = join(root, 'audit/waivers.yaml');
    writeFileSync(waivers, readFileSync(waivers, 'utf8').replaceAll('2027-', '2020-'));
    const ran = await run(good.path, ACCEPT);
    expect(ran.stderr).toContain('waiver-expired');
    expect(existsSync(join(root, 'audit/accepted'))).toBe(false);
  });
});
