import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAuditHere } from '../audit/support/run-audit.ts';
import { run } from '../support/run-program.ts';

let folder: string;
let report: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signed-'));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'sec1', format: 'pem' }));
  writeFileSync(join(folder, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await runAuditHere([
    ...['--only-rules', '--environment', 'etl-playground', '--out', folder],
    ...['--sign', join(folder, 'key.pem')],
  ]);
  report = join(folder, 'etl-playground/report.json');
  const signature = readFileSync(`${report}.sig`, 'utf8');
  writeFileSync(join(folder, 'signature'), Buffer.from(signature, 'base64'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @returns what it says */
async function verified(): Promise<string> {
  const { stdout } = await run('openssl', [
    ...['dgst', '-sha256', '-verify', join(folder, 'key.pub')],
    ...['-signature', join(folder, 'signature'), report],
  ]);
  return stdout.trim();
}

describe('OpenSSL', () => {
  it('takes the signature of a report, and refuses it for a report that was changed', async () => {
    expect(await verified()).toBe('Verified OK');
    appendFileSync(report, '\n');
    expect(await verified()).toBe('Verification failure');
  });
});
