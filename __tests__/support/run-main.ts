import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The repository. */
export const ROOT = join(import.meta.dirname, '../..');

/** The stacks of every environment, by their names on the command line. */
export const STACKS = ['foundation-network', 'file-processing'] as const;

/** What a run of main.ts left behind. */
export interface Synthesis {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Text of each stack's Terraform JSON, by stack; empty for a network of others, that of the database where the environment has one. */
  readonly json: Readonly<Record<(typeof STACKS)[number], string>> & {
    readonly 'postgres-on-demand'?: string;
  };
}

/** Where and how main.ts is run. */
export interface RunOptions {
  /** @default 'etl-playground' */
  readonly environment?: string;
  /** Checkout whose main.ts is run; @default this one */
  readonly root?: string;
  /** Working directory; @default the checkout */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of main.ts. */
  readonly parameters?: readonly string[];
}

/** Runs main.ts as `npm run synth` does, into a temporary folder that is gone afterwards. */
export function runMain({
  environment = 'etl-playground',
  root = ROOT,
  cwd = root,
  env = {},
  parameters = [],
}: RunOptions): Synthesis {
  const outdir = mkdtempSync(join(tmpdir(), 'synthesis-'));
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'main.ts'), ...parameters],
      {
        cwd,
        env: { ...process.env, ENVIRONMENT: environment, CDKTF_OUTDIR: outdir, ...env },
        encoding: 'utf8',
      },
    );
    const fileOf = (stack: string) => join(outdir, 'stacks', stack, 'cdk.tf.json');
    const read = (stack: string) =>
      status === 0 && existsSync(fileOf(stack)) ? readFileSync(fileOf(stack), 'utf8') : '';
    const json = {
      'foundation-network': read(STACKS[0]),
      'file-processing': read(STACKS[1]),
      ...(existsSync(fileOf('postgres-on-demand')) && {
        'postgres-on-demand': read('postgres-on-demand'),
      }),
    };
    return { status, stdout, stderr, json };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
