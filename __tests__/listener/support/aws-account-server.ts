import { startTestServer, type TestServer } from './sns-sockets.ts';

/** What the caller of {@link startAwsAccountServer} may do. */
export interface Rights {
  /** ARN of the caller; undefined refuses to say who it is. */
  readonly arn: string | undefined;
  /** Whether `bucket/prefix` may be listed. */
  readonly mayList: (bucket: string, prefix: string) => boolean;
  /** Whether the versions below `bucket/prefix` may be listed. @default mayList */
  readonly mayListVersions?: (bucket: string, prefix: string) => boolean;
  readonly buckets: readonly string[];
  /** What may be done with a key, of `part`, `abort`, `read tags` and `tag`. @default nothing */
  readonly mayRoute?: (act: string, bucket: string, key: string) => boolean;
  /** Policy of every queue; undefined where the caller may not ask. */
  readonly queuePolicy?: string;
}

/**
 * Stands in for STS (GetCallerIdentity), SQS (GetQueueAttributes) and Amazon S3 (ListObjectsV2 and
 * ListObjectVersions by path; parts of uploads and tags of objects that there are not).
 */
export function startAwsAccountServer({
  arn,
  mayList,
  mayListVersions = mayList,
  buckets,
  mayRoute = () => false,
  queuePolicy,
}: Rights): Promise<TestServer> {
  return startTestServer((request, response) => {
    const answer = (status: number, xml: string) =>
      response.writeHead(status, { 'Content-Type': 'text/xml' }).end(`<?xml version="1.0"?>${xml}`);
    const url = new URL(request.url ?? '/', 'http://aws');
    if (request.headers['x-amz-target'] === 'AmazonSQS.GetQueueAttributes') {
      const denied = { __type: 'com.amazonaws.sqs#AccessDeniedException', message: 'denied' };
      response.writeHead(queuePolicy === undefined ? 403 : 200, {
        'Content-Type': 'application/x-amz-json-1.0',
      });
      const found = { Attributes: { Policy: queuePolicy } };
      return response.end(JSON.stringify(queuePolicy === undefined ? denied : found));
    }
    if (request.method === 'POST') {
      if (arn === undefined) {
        const fault = '<Code>ExpiredToken</Code><Message>expired</Message>';
        return answer(403, `<ErrorResponse><Error>${fault}</Error></ErrorResponse>`);
      }
      const result = `<GetCallerIdentityResult><Arn>${arn}</Arn></GetCallerIdentityResult>`;
      return answer(200, `<GetCallerIdentityResponse>${result}</GetCallerIdentityResponse>`);
    }
    const bucket = url.pathname.split('/')[1] ?? '';
    const prefix = url.searchParams.get('prefix') ?? '';
    if (!buckets.includes(bucket)) return answer(404, '<Error><Code>NoSuchBucket</Code></Error>');
    const key = url.pathname.split('/').slice(2).join('/');
    const isUpload = url.searchParams.has('uploadId');
    const acts = isUpload ? { PUT: 'part', DELETE: 'abort' } : { GET: 'read tags', PUT: 'tag' };
    const isRouting = isUpload || url.searchParams.has('tagging');
    const act = isRouting ? acts[request.method as keyof typeof acts] : undefined;
    if (act) {
      if (!mayRoute(act, bucket, key))
        return answer(403, '<Error><Code>AccessDenied</Code></Error>');
      const missing = isUpload ? 'NoSuchUpload' : 'NoSuchKey';
      return answer(404, `<Error><Code>${missing}</Code></Error>`);
    }
    const may = url.searchParams.has('versions') ? mayListVersions : mayList;
    if (!may(bucket, prefix)) return answer(403, '<Error><Code>AccessDenied</Code></Error>');
    return answer(200, `<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>`);
  });
}
