import { resolve } from 'node:path';
import { configMapKey, readRulesLocation } from '@file-processing/contract/rule-set.ts';
import { Option } from 'commander';
import { formatFinding } from '../../settings/finding.ts';
import {
  configMapFaults,
  environmentRulesFolder,
  type RuleTexts,
  ruleTextsIn,
} from '../../settings/rules-folder.ts';
import { secondsOption, waitOption } from '../command-options.ts';
import type { Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { checkRules } from '../rules-check.ts';
import { type Target, targetOf } from '../target.ts';
import { EXEC_DEADLINE_SECONDS, runInJob } from './exec.ts';
import { pushRules } from './rules-push.ts';

interface Options {
  readonly last?: string;
  readonly since?: string;
  readonly deadline: number;
  readonly wait: number;
}

/** Where a rule set that is only tried lies: below the prefix of those in force, which the listener's role may read. */
const REHEARSAL = 'rehearsal/';

/** Where the ConfigMap with it is mounted in the Job's pod. */
const MOUNTED = '/etc/file-processing/rehearsal';

/** `manage rules-rehearse`: has the listener's program judge the last deliveries by a rule set, in the cluster. */
export const rulesRehearse: Operation<Options> = {
  name: 'rules-rehearse',
  summary:
    'judge the last deliveries by a rule set in the cluster, and show which verdicts would change',
  describe: (command) =>
    command
      .argument('[folder]', 'the rule set (default: environments/<name>/rules)')
      .addOption(
        new Option(
          '--last <number>',
          'the last deliveries of each monitored file, up to this number',
        ),
      )
      .addOption(new Option('--since <time>', 'deliveries since: a date, or 7d').conflicts('last'))
      .addOption(
        secondsOption(
          '--deadline <seconds>',
          'until it is stopped as failed',
          EXEC_DEADLINE_SECONDS,
        ),
      )
      .addOption(waitOption('how long its pod may take to start'))
      .addHelpText(
        'after',
        `
The folder goes along: with rules_location below that prefix, as rehearsal/; else as a ConfigMap that
is deleted at the end. A Job runs "rules rehearse", as manage exec does; nothing is recorded.
Exit code: that of rules rehearse; 1: a delivery would fail that did not.`,
      ),
  execute: async (context, options, operand) => {
    if ((options.last === undefined) === (options.since === undefined)) {
      throw new OperationError('one of --last and --since is needed', { code: EXIT.usage });
    }
    // What the pod writes is in its log, and reports have values.
    if (options.json) {
      throw new OperationError(
        '--json is not for this command: its output is a log of the cluster',
        {
          code: EXIT.usage,
        },
      );
    }
    const target = targetOf(context, options);
    const folder = resolve(
      context.root,
      operand ?? environmentRulesFolder(target.environment.name),
    );
    await checkRules(context, folder);
    const { place, files } = await bring(context, target, folder, ruleTextsIn(folder));
    const which =
      options.last === undefined ? ['--since', options.since ?? ''] : ['--last', options.last];
    const { deadline, wait } = options;
    const command = ['rules', 'rehearse', place, ...which];
    return await runInJob(context, target, command, { deadline, wait, ...(files && { files }) });
  },
};

/** What a Job needs to find a rule set. */
interface Brought {
  /** As `rules rehearse` takes it. */
  readonly place: string;
  /** What is mounted for it. */
  readonly files?: { readonly folder: string; readonly data: Readonly<Record<string, string>> };
}

async function bring(
  { stderr }: OperationContext,
  { environment, clients }: Target,
  folder: string,
  texts: RuleTexts,
): Promise<Brought> {
  const location = readRulesLocation(environment.fileProcessing.rules_location);
  if (location !== undefined && 'bucket' in location) {
    const prefix = `${location.prefix}${REHEARSAL}`;
    await pushRules(await clients.s3(), { bucket: location.bucket, prefix }, texts);
    const place = `s3://${location.bucket}/${prefix}`;
    stderr.write(`${place} has the rule set to try; those in force are untouched\n`);
    return { place };
  }
  const faults = configMapFaults(folder, texts);
  if (faults.length > 0) {
    throw new OperationError(faults.map(formatFinding).join('\n'), { code: EXIT.refused });
  }
  const data = Object.fromEntries(
    [...texts].map(([path, text]) => [configMapKey(path) ?? '', text]),
  );
  return { place: MOUNTED, files: { folder: MOUNTED, data } };
}
