import { type LocalStack, startLocalStack } from './localstack.ts';

let shared: Promise<LocalStack> | undefined;

/**
 * The LocalStack of this vitest worker, started for the first file that asks; the worker's other
 * files get the same one, since `isolate: false` leaves a worker its modules. It ends with the
 * worker.
 *
 * LocalStack's free edition can't be emptied, so what earlier files made is still there: a file's
 * topics, buckets and queues need names that no other file has.
 */
export function sharedLocalStack(): Promise<LocalStack> {
  shared ??= start();
  return shared;
}

async function start(): Promise<LocalStack> {
  const localStack = await startLocalStack();
  // No file is known to be the last one, so nobody stops it.
  localStack.unref();
  return localStack;
}
