import { generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAuditHere } from './support/run-audit.ts';
import { type TemporaryFolder, temporaryFolder } from './support/synthesized-folder.ts';

const ENVIRONMENT = 'etl-playground';

let out: TemporaryFolder;
let given: TemporaryFolder;
let publicKey: KeyObject;
let keys: Readonly<Record<'own' | 'public' | 'other' | 'rsa', string>>;
const folders: TemporaryFolder[] = [];

beforeAll(async () => {
  out = temporaryFolder();
  folders.push(out);
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  publicKey = pair.publicKey;
  const write = (name: string, key: KeyObject) => {
    const path = join(out.path, `${name}.pem`);
    const type = key.type === 'private' ? 'pkcs8' : 'spki';
    writeFileSync(path, key.export({ type, format: 'pem' } as { type: 'spki'; format: 'pem' }));
    return path;
  };
  keys = {
    own: write('own', pair.privateKey),
    public: write('public', pair.publicKey),
    other: write('other', generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey),
    rsa: write('rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
  };
  await runAuditHere([
    ...['--only-rules', '--environment', ENVIRONMENT, '--out', out.path, '--sign', keys.own],
  ]);
  given = temporaryFolder();
  folders.push(given);
  const from = join(out.path, ENVIRONMENT, 'cdktf.out');
  await runAuditHere(['--only-rules', '--from', from, '--out', given.path, '--sign', keys.own]);
});
afterAll(() => {
  for (const { remove } of folders) remove();
});

/** A copy of the reports on a given folder, to be changed: nothing is synthesized to verify them. */
function copy(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  cpSync(join(given.path, ENVIRONMENT), folder.path, { recursive: true });
  return folder.path;
}

const verified = (...parameters: readonly string[]) => runAuditHere(['verify', ...parameters]);

describe('a report', () => {
  it('is verified from the checkout that it is of, synthesizing again, with its signature', async () => {
    const { code, stdout } = await verified(join(out.path, ENVIRONMENT), '--key', keys.public);
    expect(stdout).toMatch(
      /^The signature was made with this key\.\nVerified: all \d+ are the same\.\n$/,
    );
    expect(code).toBe(0);
  });

  it('is not verified where another report beside it was changed', async () => {
    const folder = copy();
    appendFileSync(join(folder, 'report.html'), '<!-- -->');
    const { code, stdout } = await verified(folder);
    expect(stdout).toMatch(
      /^different {2}report.html {2}recorded [0-9a-f]{64}, here [0-9a-f]{64}$/m,
    );
    expect(stdout).toMatch(/^Not verified: 1 of \d+ differ, the others are the same\.$/m);
    expect(code).toBe(1);
  });

  it('is not verified where a report beside it is missing', async () => {
    const folder = copy();
    rmSync(join(folder, 'report.sarif'));
    const { code, stdout } = await verified(folder);
    expect(stdout).toMatch(/^different {2}report.sarif .* here missing$/m);
    expect(code).toBe(1);
  });

  it.each([
    ['another commit', 'commit', (report: Loose) => (report.evidence.commit.id = 'f'.repeat(40))],
    [
      'other waivers',
      'audit/waivers.yaml',
      (report: Loose) => inputOf(report, 'audit/waivers.yaml'),
    ],
    ['other rules', 'rules', (report: Loose) => (report.evidence.product.rules = 'f'.repeat(64))],
    ['other JSON', 'cdk.tf.json', (report: Loose) => (report.files[0].sha256 = 'f'.repeat(64))],
  ])('is not verified where it was of %s', async (_, what, change) => {
    const folder = copy();
    const path = join(folder, 'report.json');
    const report = JSON.parse(readFileSync(path, 'utf8'));
    change(report);
    writeFileSync(path, JSON.stringify(report));
    const { code, stdout } = await verified(path);
    expect(stdout.split('\n').find((line) => line.startsWith('different'))).toContain(what);
    expect(code).toBe(1);
  });

  it('for people is verified by the digests beside it', async () => {
    const folder = copy();
    const page = join(folder, 'report.html');
    expect(await verified(page)).toMatchObject({ code: 0 });
    writeFileSync(page, 'Green');
    const { code, stdout } = await verified(page);
    expect(stdout).toMatch(/^different .*report\.html/m);
    expect(code).toBe(1);
  });

  it('that is none is refused', async () => {
    const folder = copy();
    writeFileSync(join(folder, 'report.json'), '[]');
    expect(await verified(folder)).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('is not a report.json of an audit'),
    });
    expect((await verified(join(folder, 'none.json'))).stderr).toContain('there is no report');
  });
});

// biome-ignore lint/suspicious/noExplicitAny: a test changes what it wants of a report.
type Loose = any;

function inputOf(report: Loose, path: string): void {
  for (const input of report.evidence.inputs) {
    if (input.path === path) input.sha256 = 'f'.repeat(64);
  }
}

describe('a signature', () => {
  it('is ECDSA on P-256 with SHA-256 over the bytes of report.json', () => {
    const data = readFileSync(join(out.path, ENVIRONMENT, 'report.json'));
    const signature = readFileSync(join(out.path, ENVIRONMENT, 'report.json.sig'), 'utf8');
    expect(verify('sha256', data, publicKey, Buffer.from(signature, 'base64'))).toBe(true);
  });

  it('of another key, or of another report, is refused', async () => {
    const other = await verified(join(out.path, ENVIRONMENT), '--key', keys.other);
    expect(other.stderr).toContain('is not the signature of report.json by the key of');
    const folder = copy();
    appendFileSync(join(folder, 'report.json'), '\n');
    const changed = await verified(folder, '--key', keys.public);
    expect(changed.stderr).toContain('is not the signature of report.json');
    expect([other.code, changed.code]).toEqual([64, 64]);
  });

  it('that is missing is named', async () => {
    const folder = copy();
    rmSync(join(folder, 'report.json.sig'));
    expect((await verified(folder, '--key', keys.public)).stderr).toContain('is not signed');
  });

  it.each([
    ['rsa', 'has a key of rsa; prime256v1 (P-256) is needed'],
    ['none', 'must be a PEM file with an EC key on P-256 (ENOENT)'],
  ])('by a key that is %s is refused before anything is synthesized', async (name, message) => {
    const key = join(out.path, `${name}.pem`);
    const { code, stderr } = await runAuditHere(['--only-rules', '--out', out.path, '--sign', key]);
    expect(stderr).toContain(message);
    expect(code).toBe(64);
  });

  it('of an earlier report does not stay beside a later one', async () => {
    const from = join(out.path, ENVIRONMENT, 'cdktf.out');
    const later = temporaryFolder();
    folders.push(later);
    const parameters = ['--only-rules', '--from', from, '--out', later.path];
    await runAuditHere([...parameters, '--sign', keys.own]);
    await runAuditHere(parameters);
    const named = join(later.path, ENVIRONMENT);
    expect((await verified(named, '--key', keys.public)).stderr).toContain('is not signed');
    expect((await verified(named)).code).toBe(0);
  });
});

it('the same audit at the same time gives the same bytes', async () => {
  const again = temporaryFolder();
  folders.push(again);
  // Into a folder of the same name: reports name what they are of from the current folder.
  const parameters = ['--only-rules', '--from', join(out.path, ENVIRONMENT, 'cdktf.out')];
  const texts = [];
  for (let run = 0; run < 2; run += 1) {
    await runAuditHere([...parameters, '--out', again.path]);
    texts.push(
      ['report.html', 'report.json', 'report.sarif', 'oscal-assessment-results.json'].map((name) =>
        readFileSync(join(again.path, ENVIRONMENT, name), 'utf8'),
      ),
    );
  }
  expect(texts[0]).toStrictEqual(texts[1]);
});
