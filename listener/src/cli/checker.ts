import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { compileExpectation } from '@file-processing/quality/expectation.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { checkerPage } from '../console/checker/checker-page.ts';
import { builtScripts } from '../console/checker/scripts.ts';
import { type Command, UsageError } from './command-context.ts';
import { writeOutputFile } from './output-files.ts';
import { readExpectation } from './validate.ts';

/** Options of `checker`. */
export interface CheckerOptions {
  /** A mapping, or a Table Schema. */
  readonly mapping: string;
  /** The page; what is there is written over. */
  readonly output: string;
}

/** Writes a page by which senders check a file before they send it, in their browser. */
export const checker: Command<CheckerOptions> = async (context, { mapping, output }) => {
  const expectation = await readExpectation(mapping);
  compileExpectation(expectation);
  const scripts = await builtScripts().catch((error: Error) => {
    throw new UsageError(`the scripts of the page are not there: ${error.message}`);
  });
  const digest = createHash('sha256').update(JSON.stringify(expectation)).digest('hex');
  const name = basename(mapping).replace(/\.(json|ya?ml)$/, '');
  const stamp = `${name} (${digest.slice(0, 12)}), file-processing ${packageJson.version}`;
  await writeOutputFile(output, checkerPage({ name, stamp, expectation }, scripts));
  context.stdout.write(`${output}: checks files by ${stamp}\n`);
  return 0;
};
