import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument } from 'commander';
import { stackArgument, varOption } from '../command-options.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { guardPlan } from '../terraform/guards/guard-plan.ts';
import { openStack } from '../terraform/open-stack.ts';
import { changesOf, type ResourceChange, summaryOf } from '../terraform/plan-json.ts';
import { requirePlannable } from '../terraform/preconditions.ts';
import { withPlan } from '../terraform/review.ts';
import { DEFAULT_STACK, isStackName, type StackName } from '../terraform/stacks.ts';
import { textTable } from '../text-table.ts';

/** Options of `upgrade-notes`. */
export interface UpgradeNotesOptions {
  readonly var: Readonly<Record<string, string>>;
}

/** What a newer version of this project changes in a deployed stack. */
export interface UpgradeNotes {
  readonly stack: StackName;
  readonly from: string;
  /** Entries of the change log that `from` lacks, without what was only added; headings among them. */
  readonly changeLog: readonly string[];
  /** What a plan of the deployed stack would do, and whose change each is. */
  readonly changes: readonly (ResourceChange & { readonly because: Cause })[];
}

/**
 * `version`: the address is one that only one of the two versions has. `version, settings or drift`: both versions
 * have it, or neither.
 */
export type Cause = 'version' | 'version, settings or drift';

/** As `plan`. */
const HAS_CHANGES = 2;

/** `manage upgrade-notes`: what this version of the project changes in a stack that an older one deployed. */
export const upgradeNotes: Operation<UpgradeNotesOptions> = {
  name: 'upgrade-notes',
  summary:
    'show what this version changes in a stack that an older version deployed; exit code as for plan',
  describe: (command) =>
    command
      .addArgument(
        new Argument('<from>', 'git revision of this project that deployed it: a tag, a commit'),
      )
      .addArgument(stackArgument())
      .addOption(varOption()),
  execute: async (context, options, from = '', operand) => {
    const name = isStackName(operand) ? operand : DEFAULT_STACK;
    const older = await filesOf(context, from);
    const pair = async (path: string) => [await older(path), fileOf(context, path)] as const;
    const [olderLog, newerLog] = await pair('CHANGELOG.md');
    const recorded = await Promise.all(goldenFilesOf(name).map(pair));
    const changeLog = newEntries(olderLog, newerLog);
    // First of all, since it helps also where a plan can't be made.
    if (!options.json) context.stdout.write(changeLogText(from, changeLog));
    const stack = await openStack(context, { ...options, variables: options.var }, name);
    await requirePlannable(context, stack, [], { allowMessageLoss: true });
    return await withPlan(stack, { quiet: true }, async ({ json, isEmpty }) => {
      const changes = withCauses(changesOf(json).map(summaryOf), recorded);
      const notes: UpgradeNotes = { stack: name, from, changeLog, changes };
      context.stdout.write(options.json ? `${JSON.stringify(notes)}\n` : changesText(notes));
      await guardPlan(stack, json, {});
      return isEmpty ? EXIT.ok : HAS_CHANGES;
    });
  },
};

/** The recorded addresses of a stack: those of the least and of the most that it makes. */
function goldenFilesOf(stack: StackName): readonly string[] {
  return ['etl-playground', 'complete'].map(
    (environment) => `__tests__/golden/${environment}.${stack}.addresses.txt`,
  );
}

/**
 * Names the cause of each change, by the recorded addresses.
 *
 * @param recorded - texts of lists of addresses, a pair of the older and this version for each list
 */
export function withCauses(
  changes: readonly ResourceChange[],
  recorded: readonly (readonly [older: string, newer: string])[],
): UpgradeNotes['changes'] {
  const addresses = (texts: readonly string[]) =>
    new Set(texts.flatMap((text) => text.split('\n')));
  const older = addresses(recorded.map(([text]) => text));
  const newer = addresses(recorded.map(([, text]) => text));
  return changes.map((change) => {
    const isOfOne = older.has(change.address) !== newer.has(change.address);
    return { ...change, because: isOfOne ? 'version' : 'version, settings or drift' };
  });
}

/**
 * What a change log has more than an older one, but for what was only added; of each version and kind of change the
 * heading comes first.
 */
export function newEntries(older: string, newer: string): readonly string[] {
  const known = new Set(entriesOf(older).map(({ entry }) => entry));
  let shown = '';
  return entriesOf(newer)
    .filter(({ entry, kind }) => kind !== 'Added' && !known.has(entry))
    .flatMap(({ version, kind, entry }) => {
      const heading = `${version}: ${kind}`;
      const first = heading === shown ? [] : [heading];
      shown = heading;
      return [...first, `- ${entry}`];
    });
}

/** The entries of a text in the form of Keep a Changelog, each on one line. */
function entriesOf(text: string) {
  return text.split(/^## /m).flatMap((section) =>
    section.split(/^### /m).flatMap((part, index, parts) => {
      if (index === 0) return [];
      const [kind = '', ...lines] = part.split('\n');
      const version = parts[0]?.split('\n')[0]?.trim() ?? '';
      return lines
        .join('\n')
        .split(/^- /m)
        .slice(1)
        .map((entry) => ({ version, kind: kind.trim(), entry: entry.trim().replace(/\s+/g, ' ') }));
    }),
  );
}

function changeLogText(from: string, changeLog: readonly string[]): string {
  const lines = changeLog.length === 0 ? ['nothing but additions'] : changeLog;
  return [`Change log since ${from}:`, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

function changesText({ stack, changes }: UpgradeNotes): string {
  const table = textTable(
    changes.map(({ address, actions, because }) => [`  ${actions.join(', ')}`, address, because]),
  );
  return [
    '',
    `What a plan of ${stack} would do:`,
    changes.length === 0 ? '  nothing, or only outputs\n' : table,
  ].join('\n');
}

/**
 * The files of an older revision.
 *
 * @returns a function from a path to its text; empty where the revision lacks the file
 * @throws OperationError (EXIT.usage) where there is no such revision
 */
async function filesOf(
  { run, root }: OperationContext,
  from: string,
): Promise<(path: string) => Promise<string>> {
  const git = (...parameters: string[]) => run('git', parameters, { cwd: root });
  const found = await git('rev-parse', '--verify', '--end-of-options', `${from}^{commit}`);
  if (found.code !== 0) {
    throw new OperationError(`git finds no revision ${from} here: ${found.stderr.trim()}`, {
      next: 'name the tag or commit of this project that deployed the stack; git fetch --tags brings the tags',
      code: EXIT.usage,
    });
  }
  const commit = found.stdout.trim();
  return async (path) => {
    const { code, stdout } = await git('show', `${commit}:${path}`);
    return code === 0 ? stdout : '';
  };
}

/** A file of this version; empty where there is none, as in a checkout without tests. */
function fileOf({ root }: OperationContext, path: string): string {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
