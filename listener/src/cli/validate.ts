import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Expectation } from '@file-processing/quality/expectation.ts';
import { inspectCsv } from '@file-processing/quality/inspect.ts';
import { NODE_PORTS } from '../jobs/engine-ports.ts';
import { withRules } from '../jobs/s3-data-quality-job.ts';
import { PLACES, shownClasses } from '../privacy/places.ts';
import { restore, withhold } from '../privacy/withhold.ts';
import { type Command, configWithoutDatabase, UsageError } from './command-context.ts';
import { exitCodeOfVerdict } from './exit-codes.ts';
import { reportText, showProgress } from './report-text.ts';

/** Options of `validate`. */
export interface ValidateOptions {
  readonly file: string;
  /** A Table Schema, or a mapping as `seed` takes it. */
  readonly schema?: string;
  readonly json: boolean;
}

/** Judges one file of this machine. */
export const validate: Command<ValidateOptions> = async (context, { file, schema, json }) => {
  const { maxFaults } = configWithoutDatabase(context);
  const expectation = schema === undefined ? undefined : await readExpectation(schema);
  const sizeBytes = await sizeOf(file);
  const progress = showProgress(file, context.stderr);
  const judged = await inspectCsv(
    createReadStream(file, { highWaterMark: 256 * 1024 }),
    NODE_PORTS,
    {
      ...(expectation === undefined ? {} : { expectation }),
      maxFaults,
      onProgress: (bytes, rows) => progress.update({ bytes, rows, sizeBytes }),
    },
  );
  progress.end();
  // Whatever UNMONITORED is: nobody has asked for rules.
  const report = expectation === undefined ? withRules(judged, undefined) : judged;
  const shown = restore(withhold(report, schema !== undefined), shownClasses(PLACES.terminal));
  context.stdout.write(json ? `${JSON.stringify(shown, null, 2)}\n` : reportText(file, shown));
  return exitCodeOfVerdict(report.verdict);
};

async function sizeOf(file: string): Promise<number> {
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file} can't be read: ${error.message}`);
  });
  if (stats.isDirectory()) throw new UsageError(`${file} is a folder`);
  return stats.size;
}

async function readExpectation(path: string): Promise<Expectation> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} can't be read as a Table Schema: ${error.message}`);
  });
  const { parseRuleFile } = await import('../rules/rule-file.ts');
  const parsed = parseRuleFile(path, text);
  if (!('value' in parsed)) {
    const reasons = parsed.map(({ message }) => message).join('; ');
    throw new UsageError(`${path} can't be read as a Table Schema: it ${reasons}`);
  }
  const { value } = parsed;
  // inspectCsv checks what it is given and names every problem.
  if (!('tableSchema' in value)) return { schema: value } as unknown as Expectation;
  const { name: _name, version: _version, tableSchema, ...rest } = value;
  return { schema: tableSchema, ...rest } as unknown as Expectation;
}
