import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileCacheOf } from '../../support/compile-cache.ts';
import { ROOT, type STACKS } from '../../support/run-main.ts';
import { run } from '../../support/run-program.ts';
import { withValues } from './tfvars.ts';

/** Name of a stack on the command line. */
export type StackName = (typeof STACKS)[number] | 'postgres-on-demand';

/** Values that an environment of a test has in place of those in its tfvars files. */
export interface EnvironmentValues {
  readonly foundationNetwork?: Readonly<Record<string, unknown>>;
  readonly fileProcessing?: Readonly<Record<string, unknown>>;
}

/**
 * A temporary checkout of the repository with environments of its own, whose synthesis makes its
 * result fit for the AWS provider at hand.
 */
export interface Checkout {
  readonly root: string;
  /**
   * Adds an environment: the tfvars of one of the repository's, with some values replaced. It takes
   * the ambient credentials, keeps its state local and makes the AWS resources alone, since the binary of
   * the Kubernetes provider may not be at hand.
   *
   * @param like - the repository's environment that it is made from
   * @param name - its name; @default the same
   */
  addEnvironment(like: string, values?: EnvironmentValues, name?: string): void;
  /** Lets main.ts go on with another program, which may change what was synthesized. */
  afterSynth(program: string): void;
  /**
   * Runs main.ts as `npm run synth` does, without npm.
   *
   * @param outputFolder - CDKTF_OUTPUT, below the checkout; @default `cdktf.out`
   */
  synthesize(environment: string, outputFolder?: string): Promise<void>;
  /** Folder of a synthesized stack, in which Terraform is run. */
  stackFolder(stack: StackName, outputFolder?: string): string;
  /** A synthesized stack's Terraform JSON. */
  stackJson(stack: StackName): Promise<string>;
  /** What Terraform keeps of a stack in its local state file, verbatim. */
  localState(environment: string, stack: StackName): Promise<string>;
  write(path: string, text: string): void;
  /** Removes it. */
  close(): Promise<void>;
}

const DEFAULT_OUTPUT = 'cdktf.out';

/** What npm would start. */
const SYNTH: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts.synth;

const TESTED: Readonly<Record<string, unknown>> = {
  aws_profile: '',
  state_bucket: '',
  state_kms_key_arn: '',
};

/** Copies what the program consists of into a temporary folder. */
export function temporaryCheckout(): Checkout {
  const root = mkdtempSync(join(tmpdir(), 'checkout-'));
  for (const entry of ['main.ts', 'cdktf.json', 'package.json', 'contract', 'src']) {
    cpSync(join(ROOT, entry), join(root, entry), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));

  const stackFolder: Checkout['stackFolder'] = (stack, outputFolder = DEFAULT_OUTPUT) =>
    join(root, outputFolder, 'stacks', stack);
  const write: Checkout['write'] = (path, text) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  // In main.ts itself, not beside it: a Node less for each of the many times that it is run.
  const afterSynth: Checkout['afterSynth'] = (program) =>
    appendFileSync(join(root, 'main.ts'), `await import('${pathToFileURL(program)}');\n`);
  afterSynth(join(import.meta.dirname, 'relax-output.ts'));

  return {
    root,
    afterSynth,
    write,
    stackFolder,
    addEnvironment: (like, { foundationNetwork, fileProcessing } = {}, name = like) => {
      const add = (file: string, values: Readonly<Record<string, unknown>>) => {
        const original = readFileSync(join(ROOT, 'environments', like, file), 'utf8');
        write(join('environments', name, file), withValues(original, { ...TESTED, ...values }));
      };
      add('foundation_network.tfvars', foundationNetwork ?? {});
      add('file_processing.tfvars', { manage_kubernetes: false, ...fileProcessing });
    },
    synthesize: async (environment, outputFolder = DEFAULT_OUTPUT) => {
      const result = await run('sh', ['-c', SYNTH], {
        directory: root,
        environment: {
          ...withoutOutputFolder(process.env),
          ...compileCacheOf(root),
          PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
          ENVIRONMENT: environment,
          CDKTF_OUTPUT: outputFolder,
        },
      });
      if (result.exitCode !== 0) throw new Error(`main.ts failed:\n${result.stderr}`);
    },
    stackJson: (stack) => readFile(join(stackFolder(stack), 'cdk.tf.json'), 'utf8'),
    localState: (environment, stack) =>
      readFile(join(root, `terraform.${environment}.${stack}.tfstate`), 'utf8'),
    close: () => rm(root, { recursive: true, force: true }),
  };
}

/** Without what would lead the synthesis to another place. */
function withoutOutputFolder(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('CDKTF_')));
}
