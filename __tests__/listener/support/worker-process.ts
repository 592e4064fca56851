import { connect } from '../../../listener/src/database/connection.ts';
import { openQueue } from '../../../listener/src/queue/queue.ts';
import { startWorker } from '../../../listener/src/queue/worker.ts';
import { databaseConfigOf } from './database-config.ts';

/** A worker of its own that takes a job, says which, and never finishes it. */
const url = process.argv[2] ?? '';
const database = connect(databaseConfigOf(url, new URL(url).pathname.slice(1)));
const queue = await openQueue(database, () => undefined);
startWorker({
  queue,
  concurrency: 1,
  handle(job) {
    process.send?.(job.runId);
    return new Promise(() => undefined);
  },
  onDead: async () => undefined,
  onError: () => undefined,
});
