import { spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AuditError } from '../audit-error.ts';
import { forSecondRegion } from './other-partition.ts';

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
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  const child = spawn(process.execPath, ['--disable-warning=DEP0044', 'main.ts'], {
    cwd: checkout,
    env: { ...env, ENVIRONMENT: environment, CDKTF_OUTDIR: outdir },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.on('error', reject);
  child.on('close', (code) => {
    if (code === 0) done();
    else reject(new AuditError(`${environment} can't be synthesized:\n${errors.trimEnd()}`));
  });
  await promise;
}
