import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Config } from '../config.ts';
import type { CheckResult } from './check-result.ts';

/**
 * Asks AWS who this process is, and tries the edges of what its role may read: below its prefix it
 * can list, in the whole bucket and in another bucket it can't.
 *
 * @param otherBucket - a bucket that exists and must not be readable; without it, that is not tried
 */
export async function awsChecks(
  { aws, s3 }: Config,
  otherBucket: string | undefined,
): Promise<readonly CheckResult[]> {
  const configuration = {
    ...(aws.region === undefined ? {} : { region: aws.region }),
    ...(aws.endpoint === undefined ? {} : { endpoint: aws.endpoint, forcePathStyle: true }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000 },
  };
  const sts = new STSClient(configuration);
  const client = new S3Client({ ...configuration, followRegionRedirects: true });
  const list = async (bucket: string, prefix: string) => {
    const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 });
    await client.send(command);
  };
  try {
    const results = [await identityCheck(sts)];
    const [prefix = ''] = s3.prefixes;
    if (s3.bucket !== undefined) {
      const { bucket } = s3;
      results.push(await allowed(`list s3://${bucket}/${prefix}`, () => list(bucket, prefix)));
      if (prefix !== '') {
        results.push(await denied(`list all of s3://${bucket}`, () => list(bucket, '')));
      }
    }
    if (otherBucket !== undefined) {
      results.push(await denied(`list s3://${otherBucket}`, () => list(otherBucket, '')));
    }
    return results;
  } finally {
    sts.destroy();
    client.destroy();
  }
}

async function identityCheck(sts: STSClient): Promise<CheckResult> {
  const name = 'AWS identity';
  try {
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
    return { name, ok: true, found: Arn ?? '' };
  } catch (error) {
    return {
      name,
      ok: false,
      found: codeOf(error),
      next: "check that the ServiceAccount has the role's annotation and that the pods were restarted since",
    };
  }
}

async function allowed(what: string, attempt: () => Promise<void>): Promise<CheckResult> {
  const code = await attempt().then(() => undefined, codeOf);
  if (code === undefined) return { name: what, ok: true, found: 'allowed' };
  const next = `check the role's policy, and that bucket and region are right`;
  return { name: what, ok: false, found: code, next };
}

async function denied(what: string, attempt: () => Promise<void>): Promise<CheckResult> {
  const code = await attempt().then(() => undefined, codeOf);
  if (code === 'AccessDenied') return { name: what, ok: true, found: 'denied, as it must be' };
  if (code !== undefined) {
    const next = code === 'NoSuchBucket' ? 'name a bucket that exists' : 'try again';
    return { name: what, ok: false, found: code, next };
  }
  const next = "narrow the role's policy; no node role may reach S3 either (node_s3_access)";
  return { name: what, ok: false, found: 'allowed, but must not be', next };
}

/** The error's code as AWS names it; S3 answers a bare 403 where there is no body. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === '403' || error.name === 'Forbidden') return 'AccessDenied';
  return error.name === 'Error' || error.name === 'TypeError' ? error.message : error.name;
}
