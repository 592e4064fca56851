import { CONSOLE_RIGHTS } from '@file-processing/contract/console.ts';
import {
  BACKFILL,
  EXIT,
  INSTALLATION,
  JOBS,
  JUDGE,
  MIGRATE,
  ROLES,
} from '@file-processing/contract/listener-interface.ts';
import { VERDICTS } from '@file-processing/quality/verdict.ts';
import { Argument, Command as Commander, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import type { Command, CommandContext } from './cli/command-context.ts';
import { errorText, exitCodeOfError } from './cli/exit-codes.ts';
import { interruptible } from './cli/interruption.ts';
import {
  actor,
  bucketValue,
  DEAD_KINDS,
  dryRun,
  idValue,
  json,
  keyPattern,
  limitValue,
  mappingValue,
  optionalReason,
  PERIOD,
  pageSize,
  periodValue,
  portNumber,
  reason,
  requireRange,
  rightsValue,
  runValue,
  selecting,
  since,
  TIME,
  timeValue,
  until,
} from './cli/options.ts';
import { JUDGEMENT_STATUSES } from './database/judgements.ts';
import { SEED_FOLDER } from './rules/rule-set.ts';
import { PERIOD_STATES } from './schedule/transitions.ts';

/**
 * Runs one command.
 *
 * @param parameters what follows the program's name
 * @returns the exit code; nothing is thrown
 */
export async function runCli(
  parameters: readonly string[],
  context: CommandContext,
): Promise<number> {
  let code: number = EXIT.ok;
  const program = describeProgram(context, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(withoutSeparator(parameters), { from: 'user' });
    return code;
  } catch (error) {
    context.stderr.write(errorText(error));
    return exitCodeOfError(error);
  }
}

/** `run JOB -- --event-json ...` is an old form: what follows are options, not operands. */
function withoutSeparator(parameters: readonly string[]): string[] {
  const index = parameters[0] === 'run' ? parameters.indexOf('--') : -1;
  return parameters.filter((_, position) => position !== index);
}

/** Runs a command whose module is loaded then. */
type Execute = <Options>(load: () => Promise<Command<Options>>, options: Options) => Promise<void>;

function describeProgram(context: CommandContext, finish: (code: number) => void): Commander {
  // Each command's modules are loaded when it runs: `validate` needs neither pg nor an AWS client.
  const execute: Execute = async (load, options) => finish(await (await load())(context, options));
  // `serve`, `run` and `drain-queue` take the signals themselves: they have something to tidy up.
  const executeUntilSignal: Execute = (load, options) =>
    interruptible(0, () => execute(load, options));
  const program = new Commander('file-processing')
    .description('Checks the data quality of CSV files that land in S3.')
    .version(packageJson.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .addHelpText('after', EXIT_CODES_HELP)
    .hook('preAction', (_, command) => requireRange(command.opts()));

  program
    .command('serve')
    .description('accept messages from SNS and check the files they name')
    .addOption(
      new Option('--role <role>', 'which part of the work this process does')
        .choices(Object.keys(ROLES))
        .default('both'),
    )
    .option('--migrate', 'migrate an outdated schema first', false)
    .action((options) => execute(async () => (await import('./cli/serve.ts')).serve, options));

  program
    .command('bootstrap-database')
    .description('create the database, its migrator and its listener on a new Amazon RDS server')
    .action(() =>
      executeUntilSignal(async () => (await import('./cli/prepare-database.ts')).bootstrap, {}),
    );

  program
    .command('migrate')
    .description("bring the database's schema up to date")
    .option(MIGRATE.wait, 'wait for a database that is not available', false)
    .option('--print-sql', 'print the statements for a database administrator and run none', false)
    .action((options) =>
      executeUntilSignal(async () => (await import('./cli/prepare-database.ts')).migrate, options),
    );

  program
    .command('seed')
    .description('load monitored files and mappings from a folder of JSON files')
    .argument('[folder]', 'folder of the definitions', SEED_FOLDER)
    .action((folder) =>
      executeUntilSignal(async () => (await import('./cli/prepare-database.ts')).seed, { folder }),
    );

  program
    .command(JUDGE)
    .description('make one attempt at a waiting judgement, as a Kubernetes Job does')
    .argument('<run>', 'id of the run', runValue)
    .argument('<number>', 'number of the judgement', limitValue)
    .action((runId, number) =>
      execute(async () => (await import('./cli/judge.ts')).judge, { runId, number }),
    );

  program
    .command('run')
    .description('run a job for the objects of an event')
    .addArgument(new Argument('<job>', JOBS.join(', ')))
    .option('--event-json <json>', 'an S3 event, or the SNS message that carries one')
    .option('--events-file <file>', 'a file with one event, a JSON array, or one event per line')
    .option('--dry-run', 'check without a database, record nothing', false)
    .option('--definitions <folder>', 'monitored files and mappings of a dry run', SEED_FOLDER)
    .option('--invocation <id>', 'name of this call, the same for each attempt of a Job')
    .addOption(optionalReason())
    .addOption(json())
    .action((job, options) =>
      execute(async () => (await import('./cli/run.ts')).run, { job, ...options }),
    );

  describeRules(program, executeUntilSignal, execute);
  describeRuns(program, executeUntilSignal);
  describeDeliveries(program, executeUntilSignal);
  describeForget(program, execute);
  describeDead(program, executeUntilSignal);

  program
    .command('drain-queue')
    .description('process the messages in another queue, as serve does with its own')
    .argument('<url>', 'URL of the queue, such as that of a dead-letter queue')
    .addOption(json())
    .action((url, options) =>
      execute(async () => (await import('./cli/drain-queue.ts')).drain, { url, ...options }),
    );

  program
    .command(BACKFILL.command)
    .description('list buckets, and enqueue object versions that no message announced')
    .option('--bucket <bucket>', 'only this one of the settings')
    .option('--prefix <prefix>', 'only keys that begin with it')
    .requiredOption(
      '--since <time>',
      `objects last modified since: ${TIME}, or ${INSTALLATION}`,
      (text) => (text === INSTALLATION ? INSTALLATION : timeValue(text)),
    )
    .option('--until <time>', 'and before then', timeValue)
    .option('--dry-run', 'enqueue nothing', false)
    .addOption(optionalReason())
    .option('--notify', 'send notices of the verdicts, as for files announced by messages', false)
    .option('--log', 'write a log line, at warning level if something was found', false)
    .addOption(json())
    .action((options) =>
      executeUntilSignal(async () => (await import('./cli/backfill.ts')).backfill, options),
    );

  program
    .command('validate')
    .description('check local files; needs no database')
    .argument('<files...>', 'CSV files, or patterns such as deliveries/*.csv')
    .option('--schema <file>', 'a Table Schema, or a mapping as for seed')
    .option(
      '--reference <name=file>',
      "the file that the schema's foreign keys refer to by this name; repeatable",
      (file, files: readonly string[] = []) => [...files, file],
    )
    .option('--html <folder>', 'also write a page for each file, to read, print or mail')
    .addOption(json())
    .action((files, options) =>
      executeUntilSignal(async () => (await import('./cli/validate.ts')).validate, {
        files,
        ...options,
      }),
    );

  program
    .command('console')
    .description('serve pages on deliveries and their reports to a browser on this machine')
    .option('--port <port>', 'where (default: CONSOLE_PORT, else a free one)', portNumber)
    .option(
      '--allow <rights>',
      `rights of the person who opens the printed address: ${CONSOLE_RIGHTS.join(',')}`,
      rightsValue,
      ['look'],
    )
    .option(
      '--link',
      'print a path that admits one browser, within five minutes, to a console served for others from this database',
      false,
    )
    .addOption(actor())
    .action((options) =>
      execute(async () => (await import('./cli/console.ts')).serveConsole, options),
    );

  program
    .command('checker')
    .description(
      'write a page with which senders can check a file in their browser before they send it',
    )
    .argument('<mapping>', 'a mapping as for seed, or a Table Schema')
    .requiredOption('-o, --output <file>', 'the page, such as check.html')
    .action((mapping, options) =>
      executeUntilSignal(async () => (await import('./cli/checker.ts')).checker, {
        mapping,
        ...options,
      }),
    );

  program
    .command('infer')
    .description('propose a Table Schema from samples of one kind of file')
    .argument('<files...>', 'CSV files, or patterns')
    .action((files) =>
      executeUntilSignal(async () => (await import('./cli/infer.ts')).infer, { files }),
    );

  program
    .command('diff')
    .description('compare two deliveries by key: rows added, removed and changed, per column')
    .argument('<before>', 'a CSV file')
    .argument('<after>', 'the one that came after it')
    .option('--schema <file>', 'a Table Schema, or a mapping: values are compared by its types')
    .option(
      '--key <column>',
      "a column of the key; repeatable (default: the schema's primaryKey)",
      (column, columns: readonly string[] = []) => [...columns, column],
    )
    .option('--rows', 'list places and keys, the first 100 of each kind', false)
    .addOption(json())
    .action((before, after, options) =>
      executeUntilSignal(async () => (await import('./cli/diff.ts')).diff, {
        ...{ before, after },
        ...options,
      }),
    );

  program
    .command('onboard')
    .description('make a first rule set from samples of one kind of file, and judge them by it')
    .argument('<files...>', 'CSV files, or patterns')
    .option('--into <folder>', 'where the rule set is written; nothing there is replaced', 'rules')
    .option('--client <client>', 'who delivers')
    .option('--bucket <bucket>', 'where files arrive', bucketValue)
    .action((files, options) =>
      executeUntilSignal(async () => (await import('./cli/onboard.ts')).onboard, {
        files,
        ...options,
      }),
    );

  program
    .command('check')
    .description(
      'check what the listener depends on: the database, AWS, the buckets, the SMTP server',
    )
    .addOption(new Option('--only <part>', 'check only this part').choices(CHECK_PARTS))
    .option('--other-bucket <bucket>', 'a bucket that must not be readable')
    .addOption(json())
    .action((options) =>
      executeUntilSignal(async () => (await import('./cli/check.ts')).check, options),
    );

  program
    .command('healthcheck')
    .description('check whether the listener on this machine is running')
    .action(() =>
      executeUntilSignal(async () => (await import('./cli/healthcheck.ts')).healthcheck, {}),
    );
  return program;
}

/** @param take runs a command that takes signals itself */
function describeRules(program: Commander, execute: Execute, take: Execute): void {
  const rules = program
    .command('rules')
    .description('check, apply and show rule sets: folders of monitored files and mappings');
  rules
    .command('check')
    .description('check a rule set and judge samples by it; needs no database')
    .argument('<folder>', 'a rule set')
    .argument(
      '[samples...]',
      'files, each judged by the rule whose pattern matches the end of its path',
    )
    .addOption(json())
    .action((folder, samples, options) =>
      execute(async () => (await import('./cli/rules.ts')).checkRules, {
        ...{ folder, samples },
        ...options,
      }),
    );
  rules
    .command('diff')
    .description('show what applying a rule set would change')
    .argument('<folder>', 'a rule set')
    .addOption(json())
    .action((folder, options) =>
      execute(async () => (await import('./cli/rules.ts')).applyRules, {
        ...{ folder, dryRun: true },
        ...options,
      }),
    );
  rules
    .command('apply')
    .description('apply a rule set: all of it, or nothing')
    .argument('<folder>', 'a rule set')
    .option('--dry-run', 'say what would change, as diff does', false)
    .addOption(json())
    .action((folder, options) =>
      execute(async () => (await import('./cli/rules.ts')).applyRules, { folder, ...options }),
    );
  rules
    .command('rehearse')
    .description('judge the last deliveries by a rule set, and show which verdicts would change')
    .argument('<folder>', 'a rule set; also s3://BUCKET/PREFIX/, as manage rules-push writes it')
    .option(
      '--last <number>',
      'the last deliveries of each monitored file, up to this number',
      limitValue,
    )
    .addOption(since())
    .addOption(json())
    .addHelpText(
      'after',
      `
Nothing is recorded. One of --last and --since is needed.

Exit codes:
  0   no delivery would newly fail; objects that are gone or replaced are counted
  1   a delivery that passed or was warned would become failed or unreadable
  75  an object could not be read`,
    )
    .action((folder, options) =>
      take(async () => (await import('./cli/rehearse.ts')).rehearseRules, { folder, ...options }),
    );
  rules
    .command('list')
    .description('list monitored files, and which rule set was applied last')
    .option('--all', 'with those that were retired', false)
    .option('--client <client>')
    .addOption(json())
    .action((options) => execute(async () => (await import('./cli/rules.ts')).listRules, options));
  rules
    .command('show')
    .description('show one in the form of a rule set file')
    .argument(
      '<name>',
      'id of a monitored file as rules list shows it, or a mapping: name[@version]',
    )
    .addOption(json())
    .action((name, options) =>
      execute(async () => (await import('./cli/rules.ts')).showRule, { name, ...options }),
    );
  rules
    .command('retire')
    .description('retire a monitored file that was made by hand')
    .argument('<id>', 'its id as rules list shows it')
    .action((id) => execute(async () => (await import('./cli/rules.ts')).retireRule, { id }));
  describeContracts(rules, execute);
}

function describeContracts(rules: Commander, execute: Execute): void {
  rules
    .command('import')
    .description('convert a data contract (Open Data Contract Standard, version 3) to a rule set')
    .argument('<contract>', 'a contract, YAML or JSON')
    .option('--into <folder>', 'where the rule set is written; nothing there is replaced', 'rules')
    .option('--client <client>', "who delivers; overrides the contract's tenant")
    .option('--bucket <bucket>', "overrides that of the contract's server", bucketValue)
    .option('--key-pattern <pattern>', 'likewise; {model} stands for the name of the object')
    .addOption(json())
    .action((contract, options) =>
      execute(async () => (await import('./cli/contracts.ts')).importRules, {
        contract,
        ...options,
      }),
    );
  rules
    .command('export')
    .description('print a rule set as a data contract')
    .argument('<folder>', 'a rule set')
    .action((folder) =>
      execute(async () => (await import('./cli/contracts.ts')).exportRules, { folder }),
    );
}

function describeDeliveries(program: Commander, execute: Execute): void {
  program
    .command('deliveries')
    .description(
      'list what was due, what is expected, and what became of it, latest due time first',
    )
    .option('--client <client>')
    .option('--file <file>', 'a monitored file: its id as rules list shows it, or bucket/pattern')
    .option('--set <set>', 'a set and its files')
    .addOption(
      new Option('--period <period>', `only periods whose names begin with ${PERIOD}`).argParser(
        periodValue,
      ),
    )
    .addOption(new Option('--state <state>', 'only these').choices(PERIOD_STATES))
    .addOption(
      new Option('--after <id>', 'the next page: periods after this one').argParser(idValue),
    )
    .addOption(pageSize())
    .addOption(json())
    .action((options) =>
      execute(async () => (await import('./cli/deliveries.ts')).deliveries, options),
    );
  program
    .command('history')
    .description('show the deliveries of a monitored file with their verdicts, last judged first')
    .argument('<file>', 'its id as rules list shows it, or bucket/pattern')
    .addOption(since())
    .addOption(until())
    .addOption(
      new Option('--limit <number>', 'how many (default: 50, of an export all)').argParser(
        limitValue,
      ),
    )
    .option('--csv', 'export CSV', false)
    .option('--json', 'export JSON', false)
    .action((file, options) =>
      execute(async () => (await import('./cli/deliveries.ts')).history, { file, ...options }),
    );
}

function describeForget(program: Commander, execute: Execute): void {
  program
    .command('forget')
    .description('remove the values of files from the database and from reports in the bucket')
    .addOption(keyPattern())
    .option('--client <client>', 'all files that its monitored files describe today')
    .option('--bucket <bucket>')
    .addOption(reason())
    .addOption(actor())
    .addOption(json())
    .addHelpText(
      'after',
      `
Verdicts, counts and places of faults stay. What is not reached is listed: the delivered files, copies, backups.

Exit codes:
  75  a report in the bucket could not be deleted`,
    )
    .action((options) => execute(async () => (await import('./cli/forget.ts')).forget, options));
}

function describeRuns(program: Commander, execute: Execute): void {
  const runs = program.command('runs').description('show recorded runs, and judge them again');
  selecting(runs.command('list').description('list runs, newest first'))
    .addOption(new Option('--status <status>', 'of the last judgement').choices(JUDGEMENT_STATUSES))
    .addOption(new Option('--verdict <verdict>', 'the current one').choices(VERDICTS))
    .option('--unmonitored', 'runs whose verdict no mapping made')
    .option('--after <id>', 'the next page: runs after this one')
    .addOption(pageSize())
    .addOption(json())
    .action((options) => execute(async () => (await import('./cli/runs.ts')).list, options));
  runs
    .command('show')
    .description('show one run with its report')
    .argument('<id>', 'id of the run as shown by runs list, its first 8 characters, or latest')
    .option('--reveal', 'show values of sensitive columns; recorded with --by and --reason')
    .addOption(optionalReason())
    .addOption(actor())
    .addOption(json())
    .action((id, options) =>
      execute(async () => (await import('./cli/runs.ts')).show, { id, ...options }),
    );
  selecting(
    runs
      .command('retry')
      .description('judge again runs whose last judgement ended without a verdict')
      .argument('[ids...]', 'ids as shown by runs list, or their first 8 characters'),
  )
    .addOption(
      new Option('--status <status>', 'all that ended this way').choices([
        'error',
        'gone',
        'replaced',
      ]),
    )
    .addOption(reason())
    .addOption(dryRun())
    .addOption(json())
    .action((ids, options) =>
      execute(async () => (await import('./cli/runs.ts')).retry, { ids, ...options }),
    );
  selecting(
    runs
      .command('rejudge')
      .description('judge runs again after a change of rules, once for each reason'),
  )
    .addOption(
      new Option('--mapping <name[@version]>', 'runs whose verdict this mapping made').argParser(
        mappingValue,
      ),
    )
    .option('--unmonitored', 'runs whose verdict no mapping made')
    .addOption(reason())
    .addOption(dryRun())
    .addOption(json())
    .action((options) => execute(async () => (await import('./cli/runs.ts')).rejudge, options));
}

function describeDead(program: Commander, execute: Execute): void {
  const dead = program
    .command('dead')
    .description(
      'show and settle what failed for good: runs without attempts left, unread messages, undelivered notices',
    );
  dead
    .command('list')
    .description('list what is unsettled, newest first')
    .addOption(new Option('--kind <kind>', 'only these').choices(DEAD_KINDS))
    .addOption(since())
    .addOption(until())
    .option('--after <id>', 'the next page: entries after this one')
    .addOption(pageSize())
    .addOption(json())
    .action((options) => execute(async () => (await import('./cli/dead.ts')).list, options));
  dead
    .command('show')
    .description('show one of them')
    .argument('<id>', 'id as shown by dead list')
    .addOption(json())
    .action((id, options) =>
      execute(async () => (await import('./cli/dead.ts')).show, { id, ...options }),
    );
  for (const [name, description] of [
    ['retry', "judge runs again, read messages again with today's settings, send notices again"],
    ['discard', 'settle them as they are'],
  ] as const) {
    dead
      .command(name)
      .description(description)
      .argument('[ids...]', 'ids as shown by dead list')
      .option('--all', 'everything unsettled', false)
      .addOption(new Option('--kind <kind>', 'of all, only these').choices(DEAD_KINDS))
      .addOption(since())
      .addOption(until())
      .addOption(reason())
      .addOption(json())
      .action((ids, options) =>
        execute(async () => (await import('./cli/dead.ts'))[name], { ids, ...options }),
      );
  }
}

const CHECK_PARTS = ['database', 'aws', 'notices', 'backlog'];

const EXIT_CODES_HELP = `
Exit codes:
  0   done; from validate and run --dry-run: passed or warned; from diff: no difference
  1   validate and run --dry-run: failed or unreadable; diff: a difference, or rows that
      cannot be compared; infer: a sample does not pass; rules check: a sample failed or
      has no rule; rules rehearse: a delivery would newly fail; check: something
      failed; drain-queue: messages were refused, and stay; dead retry: some messages
      still cannot be read
  2   usage or configuration; the database refuses user, password, name or encryption,
      or the user lacks a right
  66  the object is gone or was replaced: no verdict
  69+ technical, worth a retry (69 the database is unavailable or its certificate is
      wrong, 70 unexpected, 75 the object or the master's secret could not be read, or
      the report could not be written)
  With several objects, the most serious one counts: 2, 70, 69, 75, 66, 1, 0.
  143 ended by SIGTERM, 130 by SIGINT; serve drains and exits with 0
`;
