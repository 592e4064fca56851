import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { partitionOf } from '@file-processing/contract/partition.ts';
import type { Model } from '../src/synthesized/model/model.ts';
import { AuditError } from './errors.ts';
import { reportFolder, shownPath } from './report/summary.ts';

/** Region of the second look: scanners know the literal ARNs of its partition best. */
const SECOND_REGION = 'us-east-1';

/**
 * Rewrites tfvars or synthesized JSON for {@link SECOND_REGION}: the region, its zones, the hosts
 * that carry its name and the partition of every ARN.
 *
 * @param region - the region that the text was written for
 */
export function forSecondRegion(text: string, region: string): string {
  const { name, dnsSuffix } = partitionOf(region);
  const second = partitionOf(SECOND_REGION);
  return text
    .replaceAll(region, SECOND_REGION)
    .replaceAll(`arn:${name}:`, `arn:${second.name}:`)
    .replaceAll(dnsSuffix, second.dnsSuffix);
}

/** Whether a second look is owed: not where the stacks are in the partition `aws` already. */
export function needsSecondRegion(region: string): boolean {
  return partitionOf(region).name !== partitionOf(SECOND_REGION).name;
}

/** What a synthesis starts from. */
export interface SynthesisSource {
  /** The checkout: it holds `main.ts` and `environments/`. */
  readonly root: string;
  readonly environment: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Synthesizes an environment into a folder, as `npm run synth` does.
 *
 * @throws AuditError with what main.ts said
 */
export async function synthesize(source: SynthesisSource, folder: string): Promise<void> {
  await runMain(source.root, source, folder);
}

/**
 * Synthesizes an environment as if its tfvars named the second region. It runs in a temporary
 * checkout with tfvars of its own; the sources are those of the real one.
 *
 * @param region - the region that the environment is for
 * @throws AuditError with what main.ts said
 */
export async function synthesizeForSecondRegion(
  source: SynthesisSource,
  region: string,
  folder: string,
): Promise<void> {
  const { root, environment } = source;
  const checkout = await mkdtemp(join(tmpdir(), 'audit-'));
  try {
    // main.ts looks for environments beside its own real path, so it is copied, not linked.
    for (const file of ['main.ts', 'package.json', 'cdktf.json']) {
      copyFileSync(join(root, file), join(checkout, file));
    }
    for (const linked of ['src', 'node_modules']) {
      symlinkSync(join(root, linked), join(checkout, linked), 'junction');
    }
    const from = join(root, 'environments', environment);
    const to = join(checkout, 'environments', environment);
    mkdirSync(to, { recursive: true });
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const text = readFileSync(join(from, entry.name), 'utf8');
      writeFileSync(join(to, entry.name), forSecondRegion(text, region));
    }
    await runMain(checkout, source, folder);
  } finally {
    await rm(checkout, { recursive: true, force: true });
  }
}

async function runMain(
  checkout: string,
  { environment, env }: SynthesisSource,
  folder: string,
): Promise<void> {
  const outdir = resolve(folder);
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  try {
    await promisify(execFile)(process.execPath, ['--disable-warning=DEP0044', 'main.ts'], {
      cwd: checkout,
      env: { ...env, ENVIRONMENT: environment, CDKTF_OUTDIR: outdir },
    });
  } catch (cause) {
    const { stderr, message } = cause as Error & { readonly stderr?: string };
    throw new AuditError(`${environment} can't be synthesized:\n${(stderr ?? message).trimEnd()}`, {
      cause,
    });
  }
}

/** Where an environment's JSON for the second region lies, among its reports. */
export function secondFolder(out: string, environment: string): string {
  return join(reportFolder(out, environment), SECOND_REGION, 'cdktf.out');
}

/**
 * Refuses a folder that is about to be written anew: the audit would clear what it reads.
 *
 * @throws AuditError where `from` is the folder or lies in it
 */
export function refuseOwnInput(from: string, folder: string): void {
  if (!existsSync(folder)) return;
  const below = relative(realpathSync(folder), realpathSync(from));
  if (below.split(sep)[0] === '..' || isAbsolute(below)) return;
  throw new AuditError(`${shownPath(from)} is cleared by this audit, which would read it`, {
    next: 'name another folder with --out, or audit a copy',
  });
}

/** Writes a folder's JSON anew for the second region. */
export function translate(
  { model, region }: { readonly model: Model; readonly region: string },
  from: string,
  folder: string,
): void {
  rmSync(folder, { recursive: true, force: true });
  const copy = (path: string) => {
    const to = join(folder, relative(from, path));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, forSecondRegion(readFileSync(path, 'utf8'), region));
  };
  copy(join(from, 'manifest.json'));
  for (const stack of model.stacks) copy(stack.path);
}
