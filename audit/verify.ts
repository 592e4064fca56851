import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { AuditError } from './errors.ts';
import { type Digest, type Evidence, evidenceOf, sha256 } from './evidence.ts';
import type { Artifact } from './report/summary.ts';
import { needsSecondRegion, synthesize, synthesizeForSecondRegion } from './synthesize.ts';

/** Name of the report that has the digests of everything else, and that is signed. */
export const SIGNED_REPORT = 'report.json';

/** Follows the name of what is signed: a detached signature in Base64, as cosign reads it. */
export const SIGNATURE_SUFFIX = '.sig';

/** Passphrase of the private key, where it has one. */
const PASSPHRASE = 'AUDIT_KEY_PASSPHRASE';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The key that reports are signed with.
 *
 * @param path - a PEM file with an EC key on P-256 (PKCS#8 or SEC 1)
 * @throws AuditError when it is another one, or can't be read
 */
export function signingKey(path: string, env: Environment): KeyObject {
  const key = keyIn(path, (pem) =>
    createPrivateKey({ key: pem, ...(env[PASSPHRASE] && { passphrase: env[PASSPHRASE] }) }),
  );
  return requireP256(path, key);
}

function keyIn(path: string, read: (pem: Buffer) => KeyObject): KeyObject {
  try {
    return read(readFileSync(path));
  } catch (cause) {
    const { code = 'no key' } = cause as NodeJS.ErrnoException;
    throw new AuditError(`${path} must be a PEM file with an EC key on P-256 (${code})`, {
      next: `openssl ecparam -name prime256v1 -genkey -noout makes one; ${PASSPHRASE} has the passphrase of one that is encrypted`,
      cause,
    });
  }
}

function requireP256(path: string, key: KeyObject): KeyObject {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType;
  if (curve === 'prime256v1') return key;
  throw new AuditError(`${path} has a key of ${curve}; prime256v1 (P-256) is needed`);
}

/** A detached signature: ECDSA on P-256 with SHA-256, in DER and Base64 (FIPS 186-5). */
export function signatureOf(data: Buffer, key: KeyObject): string {
  return sign('sha256', data, key).toString('base64');
}

/** One thing that a report names, and what it is in this checkout. */
export interface Comparison {
  readonly what: string;
  readonly recorded: string;
  /** Undefined where it is not to be had. */
  readonly found: string | undefined;
}

/** What report.json holds, as far as it is verified. */
interface SignedReport {
  readonly environment: string;
  readonly from?: string;
  readonly evidence?: Pick<Evidence, 'product' | 'commit' | 'inputs'>;
  readonly files: readonly Omit<Artifact, 'text'>[];
  readonly reports: readonly Digest[];
}

/** How a report is verified. */
export interface VerifyRequest {
  /** report.json, a report beside it, or the folder that has it. */
  readonly report: string;
  /** PEM file of the public key; undefined looks at no signature. */
  readonly key: string | undefined;
  /** The checkout. */
  readonly root: string;
  readonly env: Environment;
  readonly now: Date;
}

/**
 * Computes everything anew that a report has a digest of: the other reports beside it, what the verdict depends on, the
 * version of the rules, and the audited JSON, which is synthesized again unless the report was of a given folder.
 *
 * @throws AuditError when there is no such report, it can't be synthesized, or the signature is not the key's
 */
export async function verifyReport(request: VerifyRequest): Promise<readonly Comparison[]> {
  const path = reportIn(request.report);
  const data = readFileSync(path);
  if (request.key !== undefined) requireSignature(path, data, request.key);
  const report = parsed(path, data);
  const { evidence, environment, from, files, reports } = report;
  if (evidence === undefined) throw new AuditError(`${path} does not say what it was made of`);
  const { root, env, now } = request;
  const here = await evidenceOf(root, env, now);
  const digestAt = (file: string) =>
    existsSync(file) && statSync(file).isFile() ? sha256(readFileSync(file)) : undefined;
  const compared = (base: string) => (digest: Digest) => ({
    what: digest.path,
    recorded: digest.sha256,
    found: digestAt(resolve(base, digest.path)),
  });
  return [
    {
      what: 'commit',
      recorded: evidence.commit?.id ?? 'unversioned',
      found: here.commit?.id ?? 'unversioned',
    },
    { what: 'rules', recorded: evidence.product.rules, found: here.product.rules },
    ...evidence.inputs.map(compared(root)),
    ...reports.map(compared(dirname(path))),
    ...(from === undefined
      ? await synthesizedAgain(files, { root, env, environment })
      : files.map(compared(process.cwd()))),
  ];
}

/** The audit prints the path of report.html, whose digest is in the file beside it that is verified. */
function reportIn(path: string): string {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder
    ? join(path, SIGNED_REPORT)
    : path.replace(/report\.(?:html|sarif)$/, SIGNED_REPORT);
  if (existsSync(path) && existsSync(file)) return file;
  throw new AuditError(`there is no report ${file}`, { next: `name a ${SIGNED_REPORT}` });
}

function parsed(path: string, data: Buffer): SignedReport {
  try {
    const report = JSON.parse(data.toString('utf8')) as SignedReport;
    if (Array.isArray(report.files) && Array.isArray(report.reports)) return report;
  } catch {
    // Said below.
  }
  throw new AuditError(`${path} is not a ${SIGNED_REPORT} of an audit`);
}

function requireSignature(path: string, data: Buffer, keyPath: string): void {
  const key = requireP256(keyPath, keyIn(keyPath, createPublicKey));
  const file = `${path}${SIGNATURE_SUFFIX}`;
  if (!existsSync(file))
    throw new AuditError(`${basename(path)} is not signed: there is no ${file}`);
  const signature = Buffer.from(readFileSync(file, 'utf8'), 'base64');
  if (verify('sha256', data, key, signature)) return;
  throw new AuditError(
    `${file} is not the signature of ${basename(path)} by the key of ${keyPath}`,
  );
}

/** The same settings give the same bytes: that is what the report's digests are worth. */
async function synthesizedAgain(
  files: SignedReport['files'],
  source: { readonly root: string; readonly env: Environment; readonly environment: string },
): Promise<readonly Comparison[]> {
  const folder = mkdtempSync(join(tmpdir(), 'verify-'));
  try {
    const [{ region } = { region: '' }] = files;
    const configured = join(folder, 'configured');
    const second = join(folder, 'second');
    await synthesize(source, configured);
    if (needsSecondRegion(region)) await synthesizeForSecondRegion(source, region, second);
    return files.map(({ path, stack, sha256: recorded, region: of }) => {
      const again = join(of === region ? configured : second, 'stacks', stack, 'cdk.tf.json');
      const found = existsSync(again) ? sha256(readFileSync(again)) : undefined;
      return { what: path, recorded, found };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
