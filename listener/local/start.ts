import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import { worstFaults } from '../src/cli/report-text.ts';
import { PLACES, shownClasses } from '../src/privacy/places.ts';
import { storedReport } from '../src/privacy/withhold.ts';
import { RuleSetError, readRuleFolder, SEED_FOLDER } from '../src/rules/rule-set.ts';
import { SIGNAL_EXIT_CODES, takeShutdownSignals } from '../src/serve/shutdown.ts';
import { filesIn, prepareDropFolder, watchDropFolder } from './drop-folder.ts';
import { ListenerEndedError } from './listener-process.ts';
import { type LocalFlow, type ShownVerdict, shownPath, startLocalFlow } from './local-flow.ts';
import { FolderInUseError } from './postgres/local-postgres.ts';
import {
  START_HELP,
  StartOptionError,
  type StartOptions,
  startOptions,
  startOverrides,
} from './start-options.ts';
import { type LocalSettings, localSettings, StackError } from './synthesized-settings.ts';
import { shortRunId } from './verdict-line.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** As `npm run synth` has it. */
const DEFAULT_ENVIRONMENT = 'etl-playground';

/** Codes of a folder that is not the user's, or not one. */
const UNUSABLE: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'EILSEQ',
]);

/** So many faults of the sample are shown. */
const SHOWN_FAULTS = 3;

const print = (line: string) => process.stdout.write(`${line}\n`);

/** The synthesis failed and has said why. */
class SynthesisError extends Error {
  override readonly name = 'SynthesisError';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('the synthesis failed');
    this.exitCode = exitCode;
  }
}

/** Synthesizes as `npm run synth` does. @returns the path of the stack that the flow is configured by */
function synthesize({ once }: StartOptions): string {
  const { status, error } = spawnSync('npm', ['run', '--silent', 'synth', '--', '--brief'], {
    cwd: ROOT,
    stdio: ['ignore', once ? 'ignore' : 'inherit', 'inherit'],
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new SynthesisError(status ?? EXIT.unexpected);
  const { CDKTF_OUTDIR, CDKTF_OUTPUT } = process.env;
  const outdir = resolve(ROOT, CDKTF_OUTDIR || CDKTF_OUTPUT || 'cdktf.out');
  return join(outdir, 'stacks/file-processing/cdk.tf.json');
}

async function start(options: StartOptions): Promise<number> {
  const dataFolder = resolve(options.data);
  const rulesFolder = rulesFolderOf(options);
  if (!existsSync(rulesFolder)) throw new StartOptionError(`there is no folder ${rulesFolder}`);
  const rules = await readRuleFolder(rulesFolder, expectationProblems);
  const settings = await readSettings(options.stack ?? synthesize(options));
  const failure = Promise.withResolvers<never>();
  // Looked at further below; until then a failure is not an unhandled one.
  failure.promise.catch(() => undefined);
  let flow: LocalFlow | undefined;
  const signals = takeShutdownSignals((signal) => {
    // What drains is cut short, the database is still stopped in order.
    flow?.kill();
    process.exitCode = SIGNAL_EXIT_CODES[signal];
  });
  const interrupted = signals.first.then(() => 'interrupted' as const);

  const sample = await prepareDropFolder(dataFolder, settings);
  flow = await startLocalFlow({
    settings,
    ...{ dataFolder, rules, rulesFolder },
    stateFolder: resolve(options.state),
    keepsMail: options.mail,
    overrides: startOverrides(process.env),
    print: (line) => {
      if (!options.once) print(line);
    },
    onGiveUp: failure.reject,
  });
  try {
    const work = options.once
      ? judgeAll(flow, dataFolder)
      : watchForever(flow, { dataFolder, sample, settings }, failure.promise, interrupted);
    await Promise.race([work, failure.promise, interrupted]);
  } finally {
    await flow.stop();
    signals.release();
  }
  return 0;
}

/** Where an environment has rules of its own, they are what it deploys. */
function rulesFolderOf({ rules }: StartOptions): string {
  if (rules !== undefined) return resolve(rules);
  const own = join(ROOT, 'environments', process.env.ENVIRONMENT || DEFAULT_ENVIRONMENT, 'rules');
  return existsSync(own) ? own : SEED_FOLDER;
}

async function readSettings(path: string): Promise<LocalSettings> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StackError(`${path} can't be read (${error.code}): run npm run synth first`);
  });
  try {
    return localSettings(JSON.parse(text));
  } catch (error) {
    if (error instanceof StackError) throw error;
    throw new StackError(`${path} is not JSON: run npm run synth again`);
  }
}

async function judgeAll(flow: LocalFlow, dataFolder: string): Promise<void> {
  const { paths, notUtf8 } = await filesIn(dataFolder);
  for (const path of notUtf8) print(notUtf8Line(path));
  if (paths.length === 0) print(`there is no file in ${dataFolder}`);
  await Promise.all(
    paths.map(async (path) => {
      const submission = await flow.submit(path);
      if (submission?.kind === 'no-event') print(`NO EVENT   ${submission.reason}`);
      else if (submission?.kind === 'ignored') print(`IGNORED    ${submission.reason}`);
      else if (submission !== undefined) print((await submission.verdict).text);
    }),
  );
}

function notUtf8Line(path: string): string {
  return `NO EVENT   ${shownPath(path)}: the name is not UTF-8, as keys in S3 are; rename it`;
}

interface Watched {
  readonly dataFolder: string;
  /** The sample, where it lies unchanged. */
  readonly sample: string | undefined;
  readonly settings: LocalSettings;
}

async function watchForever(
  flow: LocalFlow,
  { dataFolder, sample, settings: { buckets } }: Watched,
  failure: Promise<never>,
  interrupted: Promise<unknown>,
): Promise<void> {
  print('What they would deploy runs on this machine');
  for (const place of flow.places) print(`  ${place}`);
  const shown = sample === undefined ? undefined : await showSample(flow, sample);
  if (shown === undefined) print(`  pages       ${flow.pagesAt}`);
  const watch = watchDropFolder(dataFolder, {
    onFile: (path) => {
      flow.submit(path).then(
        (submission) => {
          if (submission?.kind === 'no-event') print(`NO EVENT   ${submission.reason}`);
          if (submission?.kind === 'ignored') print(`IGNORED    ${submission.reason}`);
          if (submission?.kind !== 'known' || submission.verdict.runId === shown?.runId) return;
          print(submission.verdict.text);
        },
        (error: unknown) => print(`${path}: ${messageOf(error)}`),
      );
    },
    onNotUtf8: (path) => print(notUtf8Line(path)),
    onError: (error) => print(`the drop folder can't be watched: ${messageOf(error)}`),
  });
  try {
    const drops = buckets.map(({ name, filters }) =>
      join(shownPath(dataFolder), name, filters[0]?.prefix ?? ''),
    );
    print(`ready: copy a CSV file into ${drops.join(' or ')} (Ctrl-C stops)`);
    await Promise.race([failure, interrupted]);
    print('stopping');
  } finally {
    await watch.close();
  }
}

/** Has the sample judged and shows what is wrong with it, and how to see the rest. */
async function showSample(flow: LocalFlow, path: string): Promise<ShownVerdict | undefined> {
  print('The sample is faulty on purpose:');
  const submission = await flow.submit(path);
  if (submission?.kind !== 'known' && submission?.kind !== 'published') return undefined;
  const verdict = await submission.verdict;
  if (submission.kind === 'known') print(verdict.text);
  const run = verdict.runId === undefined ? undefined : await flow.findRun(verdict.runId);
  const report = run === undefined ? null : storedReport(run, shownClasses(PLACES.database));
  if (run === undefined || report === null) return verdict;
  for (const fault of worstFaults(report, SHOWN_FAULTS)) print(`  ${fault}`);
  print(`All of it: ${flow.pageOf(run.id)} or, in another terminal:`);
  print(
    `  DATABASE_URL_FILE=${shellWord(shownPath(flow.databaseUrlFile))} npx file-processing runs show ${shortRunId(run.id)}`,
  );
  return verdict;
}

/** A path as a POSIX shell takes it. */
function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  return isUnusable(error)
    ? `${path} can't be used (${code}): --data and --state name other folders`
    : error.message;
}

function isUnusable(error: unknown): boolean {
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  // A program that can't be started has a path as well.
  if (path === undefined || syscall?.startsWith('spawn')) return false;
  // Any folder can be made but where the system has no room for one, as in /proc.
  return UNUSABLE.has(code) || (code === 'ENOENT' && syscall === 'mkdir');
}

/** Whether the program that failed has already written what to change. */
function hasSaidWhy(error: unknown): error is { readonly exitCode: number } {
  if (error instanceof SynthesisError) return true;
  return error instanceof ListenerEndedError && error.exitCode === EXIT.usage;
}

function exitCodeOf(error: unknown): number {
  if (hasSaidWhy(error)) return error.exitCode;
  // What no other try makes better.
  const isOfUsage = [StartOptionError, StackError, RuleSetError, FolderInUseError].some(
    (kind) => error instanceof kind,
  );
  return isOfUsage || isUnusable(error) ? EXIT.usage : EXIT.unexpected;
}

try {
  const options = startOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(START_HELP);
  } else {
    const code = await start(options);
    // A second signal has set its own meanwhile.
    process.exitCode ??= code;
  }
} catch (error) {
  if (!hasSaidWhy(error)) process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
