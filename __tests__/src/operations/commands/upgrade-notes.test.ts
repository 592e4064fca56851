import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newEntries, withCauses } from '../../../../src/operations/commands/upgrade-notes.ts';
import type { Runner } from '../../../../src/operations/runner.ts';
import { manage, temporaryRoot } from '../../../support/manage.ts';
import { playedTerraform } from '../../../support/played-terraform.ts';
import { run } from '../../../support/run-program.ts';

const OLDER_LOG = `# Changelog

## [0.2.0] - 2026-11-28

### Changed

- A that was
  known.
`;
const NEWER_LOG = `# Changelog

## [Unreleased]

### Added

- B, which harms nobody.

### Changed

- C on
  two lines.
- D.

## [0.2.0] - 2026-11-28

### Changed

- A that was known.
- E, corrected later.
`;

describe('the change log', () => {
  test('shows what the older one lacks, but for additions, below version and kind', () => {
    expect(newEntries(OLDER_LOG, NEWER_LOG)).toStrictEqual([
      '[Unreleased]: Changed',
      '- C on two lines.',
      '- D.',
      '[0.2.0] - 2026-11-28: Changed',
      '- E, corrected later.',
    ]);
  });

  test('that is the same shows nothing', () => {
    expect(newEntries(NEWER_LOG, NEWER_LOG)).toStrictEqual([]);
  });

  test('that the older revision lacked is shown as a whole', () => {
    expect(newEntries('', OLDER_LOG)).toStrictEqual([
      '[0.2.0] - 2026-11-28: Changed',
      '- A that was known.',
    ]);
  });
});

describe('the cause of a change', () => {
  const recorded = [['aws_a.gone\naws_a.both\n', 'aws_a.new\naws_a.both\n']] as const;

  test.each([
    ['aws_a.new', 'version'],
    ['aws_a.gone', 'version'],
    ['aws_a.both', 'version, settings or drift'],
    ['aws_a.unrecorded', 'version, settings or drift'],
  ])('of %s is %s', (address, because) => {
    const change = { address, actions: ['create'] };
    expect(withCauses([change], recorded)).toStrictEqual([{ ...change, because }]);
  });
});

/** A checkout with a revision `deployed` and something newer, and the command in it. */
async function upgradeNotes(
  parameters: readonly string[],
  planned: Readonly<Record<string, object>>,
) {
  const root = temporaryRoot();
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...words], {
      cwd: root,
      stdio: 'ignore',
    });
  const golden = '__tests__/golden/etl-playground.file-processing.addresses.txt';
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write(golden, 'aws_sqs_queue.old\n');
  write('CHANGELOG.md', OLDER_LOG);
  git('init', '--quiet');
  git('add', 'CHANGELOG.md', golden);
  git('commit', '--quiet', '--message', 'deployed');
  git('tag', 'deployed');
  write(golden, 'aws_sqs_queue.new\n');
  write('CHANGELOG.md', NEWER_LOG);

  const played = playedTerraform({ resources: planned as Record<string, Record<string, unknown>> });
  const runner: Runner = async (program, words, options) => {
    if (program !== 'git') return await played.run(program, words, options);
    const { exitCode: code, ...written } = await run('git', words, { directory: root });
    return { code, ...written };
  };
  const result = await manage(['upgrade-notes', '--profile', '', ...parameters], {
    root,
    env: { CDKTF_OUTPUT: join(root, 'out') },
    run: runner,
  });
  return { ...result, commands: played.commands };
}

describe('upgrade-notes', () => {
  const planned = { 'aws_sqs_queue.new': {}, 'aws_sns_topic.events': {} };

  test('shows change log and plan, and ends with 2 as a plan does', async () => {
    const { code, out, commands } = await upgradeNotes(['deployed'], planned);
    expect(out).toContain(
      'Change log since deployed:\n  [Unreleased]: Changed\n  - C on two lines.',
    );
    expect(out).toMatch(/create +aws_sqs_queue\.new +version\n/);
    expect(out).toMatch(/create +aws_sns_topic\.events +version, settings or drift\n/);
    expect(commands).toEqual(['plan']);
    expect(code).toBe(2);
  });

  test('ends with 0 where the upgrade changes nothing', async () => {
    const { code, out } = await upgradeNotes(['deployed'], {});
    expect(out).toContain('nothing, or only outputs');
    expect(code).toBe(0);
  });

  test('shows the change log also where no plan can be made', async () => {
    const { code, out } = await upgradeNotes(['deployed'], { 'kubernetes_secret_v1.database': {} });
    expect(out).toContain('Change log since deployed:\n  [Unreleased]: Changed');
    expect(out).not.toContain('What a plan');
    expect(code).toBe(64);
  });

  test('prints the same as JSON', async () => {
    const { out } = await upgradeNotes(['deployed', '--json'], planned);
    expect(JSON.parse(out)).toMatchObject({
      stack: 'file-processing',
      from: 'deployed',
      changes: [{ because: 'version' }, { because: 'version, settings or drift' }],
    });
  });

  test.each(['v9.9.9', '--help-me', 'a:b'])('refuses %s, which git does not know', async (from) => {
    const { code, err, commands } = await upgradeNotes(['--', from], planned);
    expect(err).toContain(`git finds no revision ${from} here`);
    expect([code, commands]).toEqual([64, []]);
  });
});
