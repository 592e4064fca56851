import { type TopicArn, topicIn } from '@file-processing/contract/arn.ts';
import type { Command as Commander } from 'commander';
import type { AwsClients } from '../aws-clients.ts';
import type { OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { candidates, type Edge, findEdge } from './edge.ts';

/** What a part of the platform is called in LocalStack. */
export interface Perspective {
  readonly bucket: string;
  readonly topicName: string;
}

/** The perspective of this repository. */
export const DEFAULT_PERSPECTIVE = 'file_processing';

/**
 * Names of a perspective: `data_pipeline` has the bucket `etl-data-pipeline-client-etl` and the topic
 * `data-pipeline-topic`.
 *
 * @throws OperationError (usage)
 */
export function perspectiveOf(name: string): Perspective {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) || name.length > 40) {
    throw new OperationError(
      `--perspective ${JSON.stringify(name)} must be at most 40 lower-case letters and digits, words joined by underscores, such as data_pipeline`,
      { code: EXIT.usage },
    );
  }
  const dashed = name.replaceAll('_', '-');
  return { bucket: `etl-${dashed}-client-etl`, topicName: `${dashed}-topic` };
}

/** LocalStack knows the partition aws alone, so its region is one of that. */
export const LOCALSTACK_REGION = 'us-east-1';
/** The account of everybody whose access key is not an account's number. */
export const LOCALSTACK_ACCOUNT = '000000000000';
/** LocalStack takes any; never those of a profile or the environment. */
export const LOCALSTACK_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' } as const;

/** Option of the commands that work on LocalStack as well. */
export interface LocalStackOption {
  /** A perspective, or true for that of this repository. */
  readonly localstack?: string | true;
}

/** A perspective in LocalStack. */
export interface LocalStackTarget {
  readonly clients: AwsClients;
  readonly region: string;
  readonly account: string;
  readonly topic: TopicArn;
  readonly bucket: string;
}

/** Adds `--localstack`. */
export function withLocalStackOption(command: Commander): Commander {
  return command.option(
    '--localstack [perspective]',
    `work on what setup-localstack made (default: ${DEFAULT_PERSPECTIVE})`,
  );
}

/**
 * The perspective in the LocalStack that answers.
 *
 * @throws OperationError (unavailable) when none answers, (usage) for a bad perspective or endpoint
 */
export async function localStackTarget(
  context: OperationContext,
  { localstack }: LocalStackOption,
): Promise<LocalStackTarget> {
  const name = typeof localstack === 'string' ? localstack : DEFAULT_PERSPECTIVE;
  const places = candidates(undefined, context.env);
  perspectiveOf(name);
  const edge = await findEdge(places);
  if (edge === undefined) {
    throw new OperationError(
      `no LocalStack answers at ${places.map(({ url }) => url).join(' or ')}`,
      {
        code: EXIT.unavailable,
        next: 'npm run manage -- setup-localstack',
      },
    );
  }
  return targetAt(context, edge, name);
}

/** The perspective at an edge. */
export function targetAt(
  context: OperationContext,
  { url, anyCertificate }: Edge,
  perspective: string,
): LocalStackTarget {
  const { bucket, topicName } = perspectiveOf(perspective);
  return {
    clients: context.aws({
      region: LOCALSTACK_REGION,
      profile: '',
      endpoint: url,
      credentials: LOCALSTACK_CREDENTIALS,
      anyCertificate,
    }),
    region: LOCALSTACK_REGION,
    account: LOCALSTACK_ACCOUNT,
    topic: topicIn(LOCALSTACK_REGION, LOCALSTACK_ACCOUNT, topicName),
    bucket,
  };
}
