import type { Command as Commander } from 'commander';
import type { AwsClients } from '../aws-clients.ts';
import { EXIT } from '../exit-codes.ts';
import type { OperationContext } from '../operation.ts';
import { OperationError } from '../operation-error.ts';
import { type Topic, topicIn } from '../topics/topic-arn.ts';
import { type Edge, findEdge } from './edge.ts';
import { candidates } from './endpoint.ts';
import { DEFAULT_PERSPECTIVE, perspectiveOf } from './perspective.ts';

/** LocalStack knows the partition aws alone, so its region is one of that. */
export const LOCALSTACK_REGION = 'us-east-1';
/** The account of everybody whose access key is no account's number. */
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
  readonly topic: Topic;
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
