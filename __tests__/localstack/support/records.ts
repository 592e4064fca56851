import { vi } from 'vitest';
import type { Database } from '../../../listener/src/database/connection.ts';
import { listRuns, type Run } from '../../../listener/src/database/runs.ts';
import type { SnsMessage } from '../../../listener/src/database/sns-messages.ts';
import { DEADLINE } from './drop-box.ts';

/** The messages of a topic that the listener has recorded, oldest first. */
export async function messagesOf(
  database: Database,
  topicArn: string,
): Promise<Pick<SnsMessage, 'messageId' | 'type' | 'outcome' | 'reason' | 'message'>[]> {
  return database('sns_messages').where({ topic_arn: topicArn }).orderBy('received_at').select({
    messageId: 'message_id',
    type: 'type',
    outcome: 'outcome',
    reason: 'reason',
    message: 'message',
  });
}

/** The outcomes of a topic's messages, once there are as many. */
export async function outcomesOf(
  database: Database,
  topicArn: string,
  count: number,
): Promise<{ readonly outcome: string; readonly reason: string | null }[]> {
  const messages = await vi.waitUntil(
    async () => {
      const messages = await messagesOf(database, topicArn);
      return messages.length >= count && messages;
    },
    { timeout: DEADLINE },
  );
  return messages.map(({ outcome, reason }) => ({ outcome, reason }));
}

/** The runs of a bucket, oldest first, once there are as many and all have ended. */
export async function endedRuns(database: Database, bucket: string, count = 1): Promise<Run[]> {
  return vi.waitUntil(
    async () => {
      const runs = await listRuns(database, { bucket });
      return runs.length >= count && runs.every(hasEnded) && runs.reverse();
    },
    { timeout: DEADLINE },
  );
}

function hasEnded({ status }: Run): boolean {
  return status !== 'queued' && status !== 'running';
}
