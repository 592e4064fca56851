import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAuditHere } from '../audit/support/run-audit.ts';
import { goPrograms } from '../support/go-program.ts';
import { ROOT } from '../support/run-main.ts';
import { run } from '../support/run-program.ts';

/** The program that `COSIGN` names, else one that Go builds once into the user's cache folder. */
async function cosignProgram(): Promise<string> {
  if (process.env.COSIGN) return process.env.COSIGN;
  const folder = await goPrograms(
    'cosign',
    [
      {
        program: 'cosign',
        directory: join(ROOT, 'test-support/cosign'),
        source: 'github.com/sigstore/cosign/v3/cmd/cosign',
      },
    ],
    'cosign is built by Go: install Go 1.26 or newer (https://go.dev/dl) and put it on PATH, or let COSIGN name the program',
    (built) => existsSync(join(built, 'cosign')),
  );
  return join(folder, 'cosign');
}

let folder: string;
let report: string;
let cosign: string;

// Once it is built, which takes minutes of a core.
beforeAll(async () => {
  cosign = await cosignProgram();
  folder = mkdtempSync(join(tmpdir(), 'signed-'));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(folder, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await runAuditHere([
    ...['--only-rules', '--environment', 'etl-playground', '--out', folder],
    ...['--sign', join(folder, 'key.pem')],
  ]);
  report = join(folder, 'etl-playground/report.json');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @returns cosign's exit code */
async function verified(): Promise<number> {
  const { exitCode } = await run(cosign, [
    ...['verify-blob', '--key', join(folder, 'key.pub'), '--signature', `${report}.sig`],
    // The key is at hand: no public log is asked for it.
    ...['--insecure-ignore-tlog=true', report],
  ]);
  return exitCode;
}

describe('cosign', () => {
  it('takes the signature of a report, and refuses it for a report that was changed', async () => {
    expect(await verified()).toBe(0);
    appendFileSync(report, '\n');
    expect(await verified()).not.toBe(0);
  });
});
