import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { objectCreatedEvent } from '@file-processing/contract/s3-event.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readConfig } from '../../../../listener/src/config.ts';
import { connect } from '../../../../listener/src/database/connection.ts';
import { migrate } from '../../../../listener/src/database/migrate.ts';
import { listRuns } from '../../../../listener/src/database/runs.ts';
import { startListener } from '../../../../listener/src/serve/start-listener.ts';
import { startGate } from '../../../faults/gate.ts';
import { startFaultyServer } from '../../../faults/server.ts';
import { eventually } from '../../../support/eventually.ts';
import { collectingLogger } from '../../support/sns-listener.ts';
import { startSqsServer } from '../../support/sqs-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const BUCKET = 'etl-ba-research-client-etl';
const MESSAGES = 15;

// A disk of limited size takes root to mount.
test.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
  'messages of a queue wait out a full disk of the database, and none is fetched until it is dead',
  { timeout: 180_000 },
  async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o711);
    const server = await startFaultyServer(join(folder, 'postgres'), {}, 512 * 1024 ** 2);
    onTestFinished(() => server.remove());
    // The server has another port where the full disk has ended it.
    const gate = await startGate(() => server.port);
    onTestFinished(() => gate.close());
    const url = new URL(server.url);
    url.port = `${gate.port}`;
    const sqs = await startSqsServer({ maxReceives: 5 });
    onTestFinished(() => sqs.close());
    const environment = {
      DATABASE_URL: url.href,
      SNS_TOPIC_ARNS: 'arn:aws-us-gov:sns:us-gov-west-1:123456789012:files',
      S3_BUCKET: BUCKET,
      SQS_QUEUE_URL: sqs.queueUrl,
      SQS_TRUSTED_SOURCES: `${BUCKET}@123456789012`,
      PORT: '0',
      METRICS_PORT: '0',
      AWS_REGION: 'us-gov-west-1',
      AWS_ENDPOINT_URL: sqs.origin,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const config = readConfig(environment, { database: true, httpIntake: true });
    await migrate(config.database, () => undefined);
    const { logger, lines } = collectingLogger();
    const listener = await startListener({ config, role: 'intake', migrate: false, logger });
    onTestFinished(() => listener.stop());

    server.fillDisk?.();
    for (let count = 0; count < MESSAGES; count += 1) sqs.send(eventOf(count));
    const refused = () => lines.filter(({ msg }) => msg === 'message stays in the queue').length;
    await eventually(() => expect(refused()).toBeGreaterThanOrEqual(MESSAGES));
    // Each once, and then some of them again and again, while SQS would hand out all of them.
    await eventually(() => {
      sqs.showAgain();
      expect(refused()).toBeGreaterThan(MESSAGES + 5);
    });
    expect(sqs.dead()).toEqual([]);

    server.freeDisk();
    await server.start();
    await eventually(() => expect(sqs.waiting()).toEqual([]));
    expect(sqs.dead()).toEqual([]);
    expect(sqs.mostReceives()).toBeLessThanOrEqual(2);
    const database = connect(config.database);
    onTestFinished(() => database.destroy());
    expect(await listRuns(database)).toHaveLength(MESSAGES);
  },
);

function eventOf(count: number): string {
  return JSON.stringify(
    objectCreatedEvent({
      ...{ bucket: BUCKET, key: `in/${count}.csv`, sizeBytes: 4, eTag: `e${count}` },
      ...{ sequencer: `A${count}`, region: 'us-gov-west-1', time: new Date() },
    }),
  );
}
