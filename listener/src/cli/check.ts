import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  GetObjectTaggingCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import {
  LISTENER_VARIABLES,
  type VariableFault,
} from '@file-processing/contract/listener-variables.ts';
import { isMailAddress, MAIL_ADDRESS } from '@file-processing/contract/notices.ts';
import { expectationProblems } from '@file-processing/quality/expectation.ts';
import type { DatabaseConfig } from '../config/database-config.ts';
import { proxyAgents } from '../config/proxy-agents.ts';
import { ConfigError } from '../config/read-variables.ts';
import { type Config, readConfig } from '../config.ts';
import { BACKLOG_DAYS, type Backlog, backlogOf, COUNTED_TO } from '../database/backlog.ts';
import { connect } from '../database/connection.ts';
import { connectionFault, messageOf } from '../database/errors.ts';
import { type Mapping, mappingsInUse } from '../database/mappings.ts';
import { listMonitoringFiles, type MonitoringFile } from '../database/monitoring-files.ts';
import { checkSchema, SchemaOutdatedError } from '../database/schema-version.ts';
import { expectationOf } from '../jobs/s3-data-quality-job.ts';
import { queueClient } from '../sqs/queue-consumer.ts';
import { senderFaults } from '../sqs/queue-policy.ts';
import type { Command } from './command-context.ts';

/** What `check --only` takes. */
export type CheckPart = 'database' | 'aws' | 'notices' | 'backlog';

/** Options of `check`. */
export interface CheckOptions {
  /** @default all but backlog: what waits for somebody is not a fault of what the listener depends on */
  readonly only?: CheckPart;
  readonly otherBucket?: string;
  readonly json: boolean;
}

/** Tries what the listener depends on, from where it runs; ends with 1 when something is red. */
export const check: Command<CheckOptions> = async ({ environment, stdout }, options) => {
  const withDatabase = options.only !== 'aws' && options.only !== 'notices';
  const config = readConfig(environment, { database: withDatabase, httpIntake: false });
  const database =
    config.database === undefined ? [] : await databaseChecks(config.database, options, config);
  const aws = options.only === undefined || options.only === 'aws';
  const notices = options.only === undefined || options.only === 'notices';
  const results = [
    ...database,
    ...(aws ? await awsChecks(config, options.otherBucket) : []),
    ...(notices ? await noticeChecks(config) : []),
  ];
  stdout.write(options.json ? `${JSON.stringify(results, null, 2)}\n` : checkTable(results));
  return results.every(({ ok }) => ok) ? EXIT.ok : EXIT.bad;
};

/** One thing that was tried, for people and for `--json`. */
export interface CheckResult {
  /** What was tried, such as `database schema`. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly found: string;
  /** What to do about it; only where it is not ok. */
  readonly next?: string;
}

/** A line each, and below a red one what to do. */
function checkTable(results: readonly CheckResult[]): string {
  if (results.length === 0) return 'there is nothing to check\n';
  const width = Math.max(...results.map(({ name }) => name.length));
  return results
    .map(({ name, ok, found, next }) => {
      const line = `${ok ? 'ok ' : 'RED'}  ${name.padEnd(width)}  ${found}\n`;
      return next === undefined ? line : `${line}     ${' '.repeat(width)}  next: ${next}\n`;
    })
    .join('');
}

/** Connects to the database and looks whether its tables are those of this program, and at what waits in them. */
async function databaseChecks(
  config: DatabaseConfig,
  { only }: Pick<CheckOptions, 'only'>,
  { s3, notices }: Pick<Config, 's3' | 'notices'>,
): Promise<readonly CheckResult[]> {
  const place = `${config.host}:${config.port}/${config.database} as ${config.user}`;
  const database = connect(config, 'file-processing check');
  try {
    const { rows } = await database.raw<{ rows: { server_version: string }[] }>(
      'SHOW server_version',
    );
    const connection = {
      name: 'database connection',
      ok: true,
      found: `PostgreSQL ${rows[0]?.server_version} at ${place}, TLS ${config.sslMode}`,
    };
    const schema = await schemaCheck(() => checkSchema(database));
    if (!schema.ok) return [connection, schema];
    if (only === 'backlog') {
      return backlogChecks(await backlogOf(database, { writesReports: s3.writeReports }));
    }
    const files = notices.mail === undefined ? [] : await listMonitoringFiles(database);
    return [
      ...[connection, schema, mappingCheck(await mappingsInUse(database))],
      ...(notices.mail === undefined ? [] : [contactCheck(files)]),
    ];
  } catch (error) {
    return [
      {
        name: 'database connection',
        ok: false,
        found: `${place}: ${messageOf(error)}`,
        next:
          connectionFault(error)?.advice ??
          'check host, port, name, user and password, that the database runs, and that its security group lets the nodes in (db_security_group_id)',
      },
    ];
  } finally {
    await database.destroy();
  }
}

/** A file that has waited for longer than this waits for somebody. */
const LONGEST_WAIT_SECONDS = 3600;

/** What waits for somebody; files that nobody monitors may be wanted, what is late may come: both are only counted. */
function backlogChecks(backlog: Backlog): readonly CheckResult[] {
  const counted = (count: number) => (count === COUNTED_TO ? `${count} or more` : `${count}`);
  const none = (name: string, count: number, next: string): CheckResult =>
    count === 0 ? { name, ok: true, found: '0' } : { name, ok: false, found: counted(count), next };
  const { missingReports, unmonitoredFiles, oldestWaitingSeconds } = backlog;
  const ofDays = `of the last ${BACKLOG_DAYS} days`;
  const waits = oldestWaitingSeconds > LONGEST_WAIT_SECONDS;
  return [
    none('dead letters', backlog.deadLetters, 'file-processing dead list says why'),
    none('unread messages', backlog.deadMessages, 'file-processing dead list says why'),
    none('undelivered notices', backlog.deadNotices, 'file-processing dead list says why'),
    ...(missingReports === undefined
      ? []
      : [
          none(
            `verdicts ${ofDays} without report`,
            missingReports,
            'the log says why; file-processing dead retry writes those that used up their attempts',
          ),
        ]),
    none(
      'missing deliveries',
      backlog.missingDeliveries,
      'file-processing deliveries --state missing lists them',
    ),
    { name: 'late deliveries', ok: true, found: counted(backlog.lateDeliveries) },
    {
      name: 'oldest file that waits',
      ok: !waits,
      found: `${Math.round(oldestWaitingSeconds)} seconds`,
      ...(waits && {
        next: 'file-processing runs list --status queued, and the log of the listener',
      }),
    },
    { name: `unmonitored files ${ofDays}`, ok: true, found: counted(unmonitoredFiles) },
  ];
}

/** A mapping that an older version took may hold what was passed over in silence then, and is refused now. */
function mappingCheck(mappings: readonly Mapping[]): CheckResult {
  const name = 'mappings in use';
  const refused = mappings.flatMap((mapping) => {
    const { name, version } = mapping;
    const [problem] = expectationProblems(expectationOf(mapping));
    return problem === undefined ? [] : [`${name} ${version}: ${problem.path} ${problem.message}`];
  });
  if (refused.length === 0) return { name, ok: true, found: `${mappings.length}` };
  const next =
    'no file of theirs can be judged: write a next version that is allowed, and load it by file-processing seed';
  return { name, ok: false, found: refused.join('; '), next };
}

/** Rows that were made by hand, or by an older version, may have a contact that no rule set can have. */
function contactCheck(files: readonly MonitoringFile[]): CheckResult {
  const name = 'contacts';
  const contacts = files.flatMap(({ id, active, contact }) =>
    active && contact?.email !== undefined ? [{ id, email: contact.email }] : [],
  );
  const refused = contacts.filter(({ email }) => !isMailAddress(`${email}`));
  if (refused.length === 0) return { name, ok: true, found: `${contacts.length} with an address` };
  return {
    ...{ name, ok: false },
    found: `of the monitored ${refused.length === 1 ? 'file' : 'files'} ${refused.map(({ id }) => id).join(', ')} the contact is not ${MAIL_ADDRESS}`,
    next: 'nobody is told of their deliveries but the operators: rules show ID has the contact; correct it in the rule set, or in the row',
  };
}

async function schemaCheck(look: () => Promise<void>): Promise<CheckResult> {
  const name = 'database schema';
  try {
    await look();
    return { name, ok: true, found: 'up to date' };
  } catch (error) {
    if (!(error instanceof SchemaOutdatedError)) throw error;
    return { name, ok: false, found: error.message, next: 'run file-processing migrate' };
  }
}

/**
 * Asks AWS who this process is, and tries the edges of what its role may read: below its prefix it
 * can list objects and their versions, in the whole bucket and in another bucket it can't.
 *
 * @param otherBucket - a bucket that exists and must not be readable; without it, that is not tried
 */
async function awsChecks(
  { aws, s3, sqs }: Config,
  otherBucket: string | undefined,
): Promise<readonly CheckResult[]> {
  const configuration = {
    ...(aws.region === undefined ? {} : { region: aws.region }),
    ...(aws.endpoint === undefined ? {} : { endpoint: aws.endpoint, forcePathStyle: true }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, ...proxyAgents() },
  };
  const sts = new STSClient(configuration);
  const client = new S3Client({ ...configuration, followRegionRedirects: true });
  const list = async (bucket: string, prefix: string, account?: string) => {
    await client.send(new ListObjectsV2Command(firstBelow(bucket, prefix, account)));
  };
  const listVersions = async (bucket: string, prefix: string, account?: string) => {
    await client.send(new ListObjectVersionsCommand(firstBelow(bucket, prefix, account)));
  };
  try {
    // The files are in a folder of this machine, as beside `npm start`, and nothing else names anything of AWS.
    if (s3.localRoot !== undefined && sqs.queueUrl === undefined && otherBucket === undefined) {
      return [{ name: 'AWS', ok: true, found: `not needed: files are below ${s3.localRoot}` }];
    }
    const results = [await identityCheck(sts)];
    for (const { name, prefixes, account } of s3.buckets) {
      if (name === undefined) continue;
      const [prefix = ''] = prefixes;
      const place = `s3://${name}/${prefix}`;
      results.push(
        await allowed(`list ${place}`, () => list(name, prefix, account)),
        await allowed(`list versions in ${place}`, () => listVersions(name, prefix, account)),
      );
      if (prefix !== '') {
        const all = `all of s3://${name}`;
        results.push(
          await denied(`list ${all}`, () => list(name, '', account)),
          await denied(`list versions in ${all}`, () => listVersions(name, '', account)),
        );
      }
    }
    if (s3.localRoot === undefined) results.push(...(await routingChecks(client, s3)));
    if (otherBucket !== undefined) {
      results.push(await denied(`list s3://${otherBucket}`, () => list(otherBucket, '')));
    }
    if (sqs.queueUrl !== undefined && sqs.trustedSources.length > 0) {
      results.push(await senderCheck(aws, sqs.queueUrl));
    }
    return results;
  } finally {
    sts.destroy();
    client.destroy();
  }
}

/**
 * Tries the rights for what rules may have done with files, without doing any of it: parts of an upload that there is not,
 * and tags of an object that there is not. Amazon S3 looks at the right first, and then for them.
 */
async function routingChecks(
  client: S3Client,
  { buckets, routingTags, routingTargets }: Config['s3'],
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const { name, prefixes, account } of routingTags ? buckets : []) {
    const [prefix = ''] = prefixes;
    const object = {
      ...{ Bucket: name, Key: `${prefix}${nowhere()}`, ExpectedBucketOwner: account },
    };
    const Tagging = { TagSet: [] };
    results.push(
      await allowed(`read tags in s3://${name}/${prefix}`, () =>
        absent('NoSuchKey', client.send(new GetObjectTaggingCommand(object))),
      ),
      await allowed(`tag in s3://${name}/${prefix}`, () =>
        absent('NoSuchKey', client.send(new PutObjectTaggingCommand({ ...object, Tagging }))),
      ),
    );
  }
  for (const { bucket, prefix, account } of routingTargets) {
    const upload = {
      ...{ Bucket: bucket, Key: `${prefix}${nowhere()}`, ExpectedBucketOwner: account },
      UploadId: 'none',
    };
    const part = { ...upload, PartNumber: 1, Body: '' };
    results.push(
      await allowed(`copy to s3://${bucket}/${prefix}`, async () => {
        await absent('NoSuchUpload', client.send(new UploadPartCommand(part)));
        await absent('NoSuchUpload', client.send(new AbortMultipartUploadCommand(upload)));
      }),
    );
  }
  return results;
}

/** A key that nothing has. */
function nowhere(): string {
  return `file-processing-check-${randomUUID()}`;
}

/** Takes it for the answer that is wanted that something is not there. */
async function absent(code: string, answer: Promise<unknown>): Promise<void> {
  await answer.catch((error: unknown) => {
    if (codeOf(error) !== code) throw error;
  });
}

/**
 * Tries the SMTP server as far as a mail's first line. What the role may do beside publishing to its topic and sending from
 * its address is nothing, so these two are looked at by `manage doctor`; a webhook can't be tried without posting to it.
 */
async function noticeChecks({ notices: { mail } }: Config): Promise<readonly CheckResult[]> {
  if (mail?.smtp === undefined) return [];
  const { host, port, user } = mail.smtp;
  const name = `SMTP server ${host}:${port}`;
  const { smtpOutlet } = await import('../notices/smtp.ts');
  const outlet = smtpOutlet({ from: mail.from, smtp: mail.smtp });
  try {
    await outlet.verify();
    const as = user === undefined ? '' : ', signed in';
    return [{ name, ok: true, found: `takes mail${as}` }];
  } catch (error) {
    const next =
      'check host, port, user, password and the certificate of the server, and that the network policy and firewalls let the pods out';
    return [{ name, ok: false, found: messageOf(error), next }];
  } finally {
    outlet.close();
  }
}

function firstBelow(bucket: string, prefix: string, account: string | undefined) {
  return { Bucket: bucket, Prefix: prefix, MaxKeys: 1, ExpectedBucketOwner: account };
}

/** Variables that name who gives out credentials: that it may not answer yet is not a fault of the settings. */
const GIVERS = [
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
];

/**
 * Looks whether the AWS SDK has a region and credentials, so that a process without them does not begin work
 * that fails for it each time.
 *
 * @throws {ConfigError}
 */
export async function requireAws(
  { aws }: Pick<Config, 'aws'>,
  { region: needsRegion }: { readonly region: boolean },
): Promise<void> {
  const client = new STSClient(aws.region === undefined ? {} : { region: aws.region });
  const faults: VariableFault[] = [];
  try {
    if (needsRegion) {
      await client.config.region().catch(() => {
        const { kind } = LISTENER_VARIABLES.AWS_REGION;
        const problem = 'is not set, and the AWS SDK finds no region either';
        faults.push({ variable: 'AWS_REGION', problem, allowed: kind.allowed });
      });
    }
    if (!GIVERS.some((name) => process.env[name])) {
      await client.config.credentials().catch((error: unknown) => {
        // Anything else may be mended by another try.
        if (!(error instanceof Error && error.name === 'CredentialsProviderError')) return;
        faults.push({
          variable: 'AWS credentials',
          problem: error.message,
          allowed:
            'AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the pod or machine',
        });
      });
    }
  } finally {
    client.destroy();
  }
  if (faults.length > 0) throw new ConfigError(faults);
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
      next: nextFor(error),
    };
  }
}

/** Who may send to a queue whose messages are believed without a signature. */
async function senderCheck(aws: Config['aws'], queueUrl: string): Promise<CheckResult> {
  const name = 'senders of the queue';
  const client = queueClient(aws);
  try {
    const command = new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ['Policy'],
    });
    const { Attributes } = await client.send(command);
    const faults = senderFaults(Attributes?.Policy);
    return faults.length === 0
      ? { name, ok: true, found: 'services of AWS alone, each for named sources' }
      : {
          ...{ name, ok: false, found: faults.join('; ') },
          next: 'narrow the policy of the queue, or unset SQS_TRUSTED_SOURCES: whoever may send is believed',
        };
  } catch (error) {
    const next = 'the role needs sqs:GetQueueAttributes on the queue of SQS_QUEUE_URL';
    return { name, ok: false, found: codeOf(error), next };
  } finally {
    client.destroy();
  }
}

function nextFor(error: unknown): string {
  if (codeOf(error) === 'Region is missing') {
    return 'set AWS_REGION; or LOCAL_S3_ROOT where files are in a folder, as beside npm start';
  }
  return "check that the ServiceAccount has the role's annotation and that the pods were restarted since";
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
