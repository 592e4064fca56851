import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { EXIT } from '@file-processing/contract/listener-interface.ts';
import {
  faultText,
  LONGEST_IN_QUEUES_SECONDS,
  readVariable,
} from '@file-processing/contract/listener-variables.ts';
import type { TrustedSource } from '@file-processing/contract/s3-event.ts';
import { type ConfigWithDatabase, readConfig } from '../config.ts';
import { connect } from '../database/connection.ts';
import { checkSchema } from '../database/schema-version.ts';
import { signingCertificates } from '../database/sns-messages.ts';
import { snsIntake } from '../intake/sns-intake.ts';
import { createLogger, logLines } from '../serve/logger.ts';
import { verifierOf } from '../serve/start-listener.ts';
import { createCertificateStore } from '../sns/certificates.ts';
import { type Drained, drainQueue, queueClient } from '../sqs/queue-consumer.ts';
import { senderFaults } from '../sqs/queue-policy.ts';
import { queuedDelivery } from '../sqs/queued-delivery.ts';
import { StoreError } from '../storage/object-store.ts';
import { type Command, type CommandContext, UsageError } from './command-context.ts';
import { interruptible } from './interruption.ts';

/** Options of `drain-queue`. */
export interface DrainOptions {
  /** URL of the queue. */
  readonly url: string;
  readonly json: boolean;
}

/** What the command says at its end. */
interface Report extends Drained {
  /** Messages by what became of them, or by the code of the error. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** How long an interrupted command may take for what it has fetched, in milliseconds. */
const GRACE_MS = 15_000;

/**
 * Takes what waits in a queue, as `serve` takes what comes by that of SQS_QUEUE_URL: the dead-letter queue of a
 * subscription over HTTP, or of a rule of EventBridge, is the source of no other queue, so that SQS moves nothing out
 * of it. What is refused stays there.
 */
export const drain: Command<DrainOptions> = (context, { url, json }) =>
  interruptible(GRACE_MS, async (signal) => {
    const read = readVariable('SQS_QUEUE_URL', url);
    if ('fault' in read) {
      const { variable: _, ...fault } = read.fault;
      throw new UsageError(`the queue's ${faultText({ ...fault, variable: 'URL' })}`);
    }
    const config = readConfig(context.environment, { database: true, httpIntake: true });
    const report = await drained(context, config, url, signal);
    context.stdout.write(json ? `${JSON.stringify(report)}\n` : reportText(report));
    signal.throwIfAborted();
    if (report.end === 'unavailable') {
      context.stderr.write('what the messages need is unavailable now: run it again later\n');
      return EXIT.unavailable;
    }
    return report.kept + report.undeleted > 0 ? EXIT.bad : EXIT.ok;
  });

async function drained(
  { stderr }: CommandContext,
  config: ConfigWithDatabase,
  queueUrl: string,
  signal: AbortSignal,
): Promise<Report> {
  // The log is not the result.
  const logger = createLogger(config.logLevel, logLines(stderr, stderr.isTTY === true));
  const onError = (error: unknown) => logger.warn({ err: error }, 'the queue failed');
  const outcomes: Record<string, number> = {};
  const metrics = {
    countQueued: (outcome: string) => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    },
    observeIntake: () => undefined,
  };
  const database = connect(config.database);
  const client = queueClient(config.aws);
  try {
    await checkSchema(database);
    const certificates = createCertificateStore({ known: signingCertificates(database) });
    try {
      const handle = queuedDelivery({
        verifier: verifierOf({ config, logger, certificates }, LONGEST_IN_QUEUES_SECONDS),
        // A worker looks by itself.
        intake: snsIntake({ database, filter: config.s3, onRuns: () => undefined }),
        trustedSources: await trustedSources(client, config, queueUrl),
        region: config.aws.region,
        logger,
        metrics,
      });
      return { ...(await drainQueue({ client, queueUrl, handle, onError, signal })), outcomes };
    } catch (error) {
      throw readable(error, queueUrl);
    }
  } finally {
    client.destroy();
    await database.destroy();
  }
}

/**
 * Sources whose events need no signature, as long as nobody but such sources may send to this queue.
 *
 * @throws {UsageError}
 */
async function trustedSources(
  client: SQSClient,
  { sqs }: ConfigWithDatabase,
  queueUrl: string,
): Promise<readonly TrustedSource[]> {
  if (sqs.trustedSources.length === 0) return [];
  const command = new GetQueueAttributesCommand({
    QueueUrl: queueUrl,
    AttributeNames: ['Policy'],
  });
  const faults = senderFaults((await client.send(command)).Attributes?.Policy);
  if (faults.length === 0) return sqs.trustedSources;
  throw new UsageError(
    `events of this queue are believed without a signature (SQS_TRUSTED_SOURCES), but its policy lets others send: ${faults.join('; ')}`,
  );
}

/** An error of SQS: what it refuses for rights or settings does not get better by another try. */
function readable(error: unknown, queueUrl: string): unknown {
  if (!(error instanceof Error) || error instanceof UsageError) return error;
  const failed = `the queue ${queueUrl} can't be read`;
  const isFinal = /AccessDenied|DoesNotExist|NonExistentQueue|InvalidAddress|^Kms/.test(error.name);
  return isFinal
    ? new UsageError(`${failed}: ${error.name}: ${error.message}`)
    : new StoreError(failed, error);
}

function reportText({ taken, kept, undeleted, outcomes }: Report): string {
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const details = counts.length === 0 ? '' : ` (${counts.join(', ')})`;
  return [
    `${taken} taken, ${kept} left in the queue${details}\n`,
    undeleted === 0 ? '' : `${undeleted} recorded but not deleted: the next run deletes them\n`,
  ].join('');
}
