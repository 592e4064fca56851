import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SIGNAL_EXIT_CODES, takeShutdownSignals } from '../src/serve/shutdown.ts';
import { filesIn, prepareDropFolder, watchDropFolder } from './drop-folder.ts';
import { type LocalFlow, startLocalFlow } from './local-flow.ts';
import { type LocalSettings, localSettings, StackError } from './synthesized-settings.ts';

const HELP = `The whole flow on this machine, configured by the synthesized stack.

  --once          judge what is in the drop folder, print the verdicts, end
  --data FOLDER   the drop folder; its first level is the bucket (data)
  --state FOLDER  the database (.local)
  --stack FILE    the synthesized stack (cdktf.out/stacks/file-processing/cdk.tf.json)

PORT and METRICS_PORT in the environment take precedence over those of the stack.
`;

interface Options {
  readonly once: boolean;
  readonly data: string;
  readonly state: string;
  readonly stack: string;
}

const print = (line: string) => process.stdout.write(`${line}\n`);

async function start(options: Options): Promise<number> {
  const settings = await readSettings(options.stack);
  const dataFolder = resolve(options.data);
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

  await prepareDropFolder(dataFolder, settings);
  flow = await startLocalFlow({
    settings,
    dataFolder,
    stateFolder: resolve(options.state),
    overrides: overridesFrom(process.env),
    print: (line) => {
      if (!options.once) print(line);
    },
    onGiveUp: failure.reject,
  });
  try {
    const work = options.once
      ? judgeAll(flow, dataFolder)
      : watchForever(flow, options, settings, failure.promise, interrupted);
    await Promise.race([work, failure.promise, interrupted]);
  } finally {
    await flow.stop();
    signals.release();
  }
  return 0;
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

function overridesFrom({ PORT, METRICS_PORT }: NodeJS.ProcessEnv): Record<string, string> {
  return { ...(PORT ? { PORT } : {}), ...(METRICS_PORT ? { METRICS_PORT } : {}) };
}

async function judgeAll(flow: LocalFlow, dataFolder: string): Promise<void> {
  const paths = await filesIn(dataFolder);
  if (paths.length === 0) print(`there is no file in ${dataFolder}`);
  await Promise.all(
    paths.map(async (path) => {
      const submission = await flow.submit(path);
      if (submission?.kind === 'no-event') print(`NO EVENT   ${submission.reason}`);
      else if (submission?.kind === 'ignored') print(`IGNORED    ${submission.reason}`);
      else if (submission !== undefined) print(await submission.line);
    }),
  );
}

async function watchForever(
  flow: LocalFlow,
  options: Options,
  { bucket, filters }: LocalSettings,
  failure: Promise<never>,
  interrupted: Promise<unknown>,
): Promise<void> {
  const dataFolder = resolve(options.data);
  const watch = watchDropFolder(
    dataFolder,
    (path) => {
      flow.submit(path).then(
        (submission) => {
          if (submission?.kind === 'no-event') print(`NO EVENT   ${submission.reason}`);
          if (submission?.kind === 'ignored') print(`IGNORED    ${submission.reason}`);
          if (submission?.kind === 'known') print(submission.line);
        },
        (error: unknown) => print(`${path}: ${messageOf(error)}`),
      );
    },
    (error) => print(`the drop folder can't be watched: ${messageOf(error)}`),
  );
  try {
    const drop = join(relative('', dataFolder) || '.', bucket, filters[0]?.prefix ?? '');
    print(`ready: copy a CSV file into ${drop}`);
    print(`       listener on port ${flow.port}; what was judged:`);
    print(
      `       DATABASE_URL_FILE=${relative('', flow.databaseUrlFile)} npx file-processing runs list`,
    );
    await Promise.race([failure, interrupted]);
    print('stopping');
  } finally {
    await watch.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    data: { type: 'string', default: 'data' },
    state: { type: 'string', default: '.local' },
    stack: { type: 'string', default: 'cdktf.out/stacks/file-processing/cdk.tf.json' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  try {
    const code = await start(values);
    process.exitCode ??= code;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = error instanceof StackError ? 2 : 70;
  }
}
