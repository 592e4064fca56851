import { platform } from 'node:process';
import { PORTS } from '@file-processing/contract/listener-interface.ts';
import { Option } from 'commander';
import { wholeSeconds } from '../command-options.ts';
import { CONTAINER_HOST } from '../localstack/advice.ts';
import { runningEdge } from '../localstack/container.ts';
import {
  ensureBucket,
  ensureNotification,
  ensureTopic,
  type Outcome,
} from '../localstack/drop-box.ts';
import { candidates, type Edge } from '../localstack/edge.ts';
import {
  checkHost,
  checkPort,
  type ListenerSubscription,
  subscribeWhenUp,
} from '../localstack/listener-subscription.ts';
import { DEFAULT_PERSPECTIVE, perspectiveOf, targetAt } from '../localstack/localstack-target.ts';
import type { CommonOptions, Operation, OperationContext } from '../operation.ts';
import { EXIT, OperationError } from '../operation-error.ts';
import { textTable } from '../text-table.ts';
import { namedBucket } from '../topics/event-target.ts';

interface Options extends CommonOptions {
  readonly perspective: string;
  readonly bucket: readonly string[];
  readonly endpoint?: string;
  readonly wait: number;
  readonly dryRun: boolean;
}

const DEFAULT_PORT = `${PORTS.http}`;

/** `manage setup-localstack`: makes in LocalStack what sends a local listener the events of new files. */
export const setupLocalStack: Operation<Options> = {
  name: 'setup-localstack',
  summary:
    'create bucket, topic, notification and subscription in LocalStack; start it if necessary',
  describe: (command) =>
    command
      .argument('[host]', "the listener's host as LocalStack sees it", CONTAINER_HOST)
      .argument('[port]', "the listener's port", DEFAULT_PORT)
      .option('--perspective <name>', 'whose bucket and topic', DEFAULT_PERSPECTIVE)
      .addOption(
        new Option('--bucket <name>', 'a bucket instead of its own, repeatable')
          .argParser((name: string, names: readonly string[]) => [...names, name])
          .default([], 'none'),
      )
      .option(
        '--endpoint <url>',
        'LocalStack (default: AWS_ENDPOINT_URL, else port 4566 of LOCALSTACK_HOSTNAME or of this machine)',
      )
      .addOption(
        new Option('--wait <seconds>', 'how long to wait for the listener to start')
          .default(60)
          .argParser(wholeSeconds),
      )
      .option('--dry-run', 'show what is missing, create nothing', false),
  execute: async (context, options, host = CONTAINER_HOST, port = DEFAULT_PORT) => {
    const listener = { host: checkHost(host), port: checkPort(port) };
    perspectiveOf(options.perspective);
    for (const bucket of options.bucket) namedBucket(bucket, {});
    const places = candidates(options.endpoint, context.env);
    const edge = await runningEdge(context, places, options.dryRun);
    if (edge === undefined) {
      context.stderr.write('dry run: LocalStack would be started, then everything made in it\n');
      return EXIT.ok;
    }
    const made = await make(context, options, { edge, listener });
    report(context, options, made);
    const { state, endpoint, advice: next } = made.subscription;
    if (state === 'confirmed' || options.dryRun) return EXIT.ok;
    throw new OperationError(`the listener has not confirmed its subscription at ${endpoint}`, {
      next,
    });
  },
};

async function make(
  context: OperationContext,
  { perspective, bucket: named, wait, dryRun }: Options,
  { edge, listener }: { readonly edge: Edge; readonly listener: { host: string; port: number } },
) {
  const target = targetAt(context, edge, perspective);
  const { clients, topic } = target;
  const buckets = named.length > 0 ? named : [target.bucket];
  const [s3, sns] = [await clients.s3(), await clients.sns()];
  const outcomes = {
    bucket: strongest(await eachOf(buckets, (bucket) => ensureBucket(s3, bucket, dryRun))),
    topic: await ensureTopic(sns, topic, dryRun),
  };
  const made = { edge, buckets, topic };
  if (dryRun && (outcomes.bucket === 'made' || outcomes.topic === 'made')) {
    // What is not there can't be looked at.
    const endpoint = `http://${listener.host}:${listener.port}/`;
    const subscription: ListenerSubscription = {
      ...{ endpoint, state: 'missing', outcome: 'to be made', others: [], advice: '' },
    };
    return { ...made, outcomes: { ...outcomes, notification: 'changed' }, subscription };
  }
  const notification = strongest(
    await eachOf(buckets, (bucket) => ensureNotification(s3, bucket, topic.arn, dryRun)),
  );
  const request = { target, edge, listener, wait, dryRun, platform };
  const subscription = await subscribeWhenUp(context, request);
  return { ...made, outcomes: { ...outcomes, notification }, subscription };
}

async function eachOf<T>(
  buckets: readonly string[],
  work: (bucket: string) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  for (const bucket of buckets) results.push(await work(bucket));
  return results;
}

/** What is said of several buckets: that one was made, or else changed. */
function strongest(outcomes: readonly Outcome[]): Outcome {
  return (['made', 'changed'] as const).find((one) => outcomes.includes(one)) ?? 'unchanged';
}

function report(
  { stdout, stderr }: OperationContext,
  { json, dryRun }: Options,
  { edge, buckets, topic, outcomes, subscription }: Awaited<ReturnType<typeof make>>,
): void {
  if (json) {
    const { advice, ...state } = subscription;
    const bucket = buckets.length === 1 ? buckets[0] : buckets;
    const result = { dryRun, endpoint: edge.url, bucket, topicArn: topic.arn, outcomes };
    stdout.write(`${JSON.stringify({ ...result, subscription: state }, null, 2)}\n`);
    return;
  }
  stdout.write(
    textTable([
      ['LocalStack', `${edge.url} (${edge.version})`, 'answers'],
      ['bucket', buckets.join(', '), outcomes.bucket],
      ['topic', topic.arn, outcomes.topic],
      ['notification', `s3:ObjectCreated:* -> ${topic.name}`, outcomes.notification],
      ['subscription', subscription.endpoint, `${subscription.state}, ${subscription.outcome}`],
      ...subscription.others.map((other) => ['subscription', other, 'there too']),
    ]),
  );
  if (dryRun) stderr.write('dry run: nothing was made\n');
}
