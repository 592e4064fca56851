import type { S3Event } from '@file-processing/contract/s3-event.ts';
import { connect } from '../../../listener/src/database/connection.ts';
import { openIntake } from '../../../listener/src/intake/accept-message.ts';
import { databaseConfigOf } from './database-config.ts';

/**
 * A process of its own that accepts messages: says `ready`, waits for a list of message ids and one
 * event, accepts them all at once and sends back what became of each.
 */
const url = process.argv[2] ?? '';
const database = connect(databaseConfigOf(url, new URL(url).pathname.slice(1)));
const accept = openIntake({ database });

process.once('message', async ({ ids, event }: { ids: string[]; event: S3Event }) => {
  const envelope = { topicArn: 'topic', timestamp: new Date(), message: '{}' };
  const results = await Promise.all(
    ids.map((messageId) => accept({ ...envelope, messageId }, event)),
  );
  process.send?.(results);
  await database.destroy();
  process.disconnect?.();
});
process.send?.('ready');
